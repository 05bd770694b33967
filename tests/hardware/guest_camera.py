"""Runs in the virtual machine: what the engine sees of the kernel's virtual camera, and turns on it.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial
import json
import os
from pathlib import Path
import re
import sys
from typing import Any

from engine.errors import TripodError  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]
from engine.sources.v4l2.controls import V4l2Controls  # type: ignore[import-not-found]
from engine.sources.v4l2.devices import device, list_devices  # type: ignore[import-not-found]
from engine.sources.v4l2.profiles import candidates, measure, rank  # type: ignore[import-not-found]

from tests.hardware.patience import patient

PATIENCE = 120
"""Seconds, in an emulated machine that shares its processors."""

NODE = "/dev/video0"
DRIVER = Path("/sys/bus/platform/drivers/vivid")
TOOLS = Tools(ffmpeg=Ffmpeg())
CAMERA = V4l2(device=NODE, input_format="yuyv422", width=320, height=180, rate=10)
NOBODY = 65534


async def outcome(work: Awaitable[Any]) -> Any:
    """Return what `work` brings, or the cause of its failure and what the sentence names."""
    try:
        return await work
    except TripodError as error:
        return {"cause": error.cause, **error.placeholders}


async def probe(source: V4l2 = CAMERA) -> Any:
    return await patient(lambda: source.probe(TOOLS))


async def output(*command: str) -> str:
    program = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await program.communicate()
    return said.decode()


async def listed() -> dict[str, Any]:
    """Return what is listed, beside what ffmpeg and v4l2-ctl say of the same device."""
    found = await list_devices()
    first = next(each for each in found if each.node == NODE)
    named = await output("ffmpeg", "-hide_banner", "-f", "v4l2", "-list_formats", "all", "-i", NODE)
    sizes = await output("v4l2-ctl", "-d", NODE, "--list-formats-ext")
    return {
        "nodes": sorted(each.node for each in found),
        "ids": len({each.id for each in found}),
        "card": [first.name, first.driver, first.bus, first.usb],
        "formats": sorted({mode.input_format for mode in first.modes}),
        "formats_of_ffmpeg": sorted({*re.findall(r"Raw +: +(\S+) :", named)} - {"Unsupported"}),
        "modes": [[mode.width, mode.height, mode.rates] for mode in first.modes if mode.input_format == "yuyv422"],
        "sizes_of_v4l2_ctl": re.findall(r"Size: Discrete (\S+)", sizes.partition("'UYVY'")[0]),
        "media": await outcome(device("/dev/media0")),
        "null": await outcome(device("/dev/null")),
        "missing": await outcome(device("/dev/video9")),
    }


async def turned() -> dict[str, Any]:
    """Turn controls of every kind."""
    controls = V4l2Controls(NODE)
    await controls.refresh()
    said = await output("v4l2-ctl", "-d", NODE, "--list-ctrls")
    known = re.findall(
        r"^ *(\w+) 0x\w+ \((?:int|int64|bool|menu|intmenu|button)\) *:(?!.*(?:read-only|dims=))", said, re.MULTILINE
    )
    gain = controls.current["gain"]

    async def turn(**values: float) -> list[float | None]:
        found = await controls.set(values)
        return [found[key].value for key in values]

    seen = {
        "keys": sorted(controls.current),
        "keys_of_v4l2_ctl": sorted(known),
        "gain": [gain.inactive, gain.governor, gain.governor_value],
        "menu": sorted(controls.current["menu"].choices),
        "refused": await outcome(turn(gain=5)),
        "gap": await outcome(turn(menu=2)),
        "together": await outcome(turn(gain_automatic=0, gain=5)),
        "clamped": await outcome(turn(brightness=300)),
        "wide": await outcome(turn(integer_64_bits=2**40)),
        "item": await outcome(turn(menu=4)),
        "button": await outcome(turn(button=1)),
        "unknown": await outcome(turn(nonsense=1)),
    }
    seen["outside"] = await output("v4l2-ctl", "-d", NODE, "-C", "brightness,gain,menu")
    return seen


async def streaming() -> dict[str, Any]:
    """Turn controls of a camera that streams, is taken by us, and is unplugged and put back."""
    seen: dict[str, Any] = {}
    pipeline = Pipeline(CAMERA, TOOLS, Options(), controls={"gain": 9, "gain_automatic": 0, "brightness": 77})
    pipeline.open()
    async with pipeline.frames() as reader, asyncio.timeout(4 * PATIENCE):
        await anext(reader)
        seen["put_back"] = [pipeline.controls.current[key].value for key in ("gain_automatic", "gain", "brightness")]
        found = await pipeline.controls.set({"contrast": 200})
        seen["while_streaming"] = found["contrast"].value
        await pipeline.controls.set({"inject_v4l2_buf_flag_error": 1})
        for _ in range(3):
            await anext(reader)
        seen["after_a_corrupt_buffer"] = [pipeline.state, pipeline.status.restarts]
        seen["held"] = await outcome(probe())
        (DRIVER / "unbind").write_text("vivid.0")
        while pipeline.error is None:
            await reader.next()
        seen["unplugged"] = pipeline.error.cause
        seen["controls_unplugged"] = await outcome(pipeline.controls.refresh())
        (DRIVER / "bind").write_text("vivid.0")
        await anext(reader)
        seen["after_replug"] = [pipeline.controls.current[key].value for key in ("gain", "brightness", "contrast")]
    await pipeline.close()
    return seen


async def taken() -> Any:
    """Say how a device that another program's process holds is named."""
    command = ["v4l2-ctl", "-d", NODE, "--stream-mmap", "--stream-count=0", "--verbose"]
    # a session leader's child is not ours by descent once its parent has ended
    starter = ["sh", "-c", '"$@" >/dev/null 2>&1 & echo $!', "sh", *command]
    pid = int(await output(*starter))
    try:
        async with asyncio.timeout(PATIENCE):
            while (error := await outcome(probe())).get("cause") != "device_held":
                pass
    finally:
        os.kill(pid, 9)
    return [error, pid]


async def permission() -> Any:
    """Look as somebody who is in no group."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "nobody", stdout=asyncio.subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[]
    )
    said, _ = await program.communicate()
    return json.loads(said)


async def nobody() -> dict[str, Any]:
    return {
        "probe": await outcome(probe()),
        "list": await outcome(list_devices()),
        "controls": await outcome(V4l2Controls(NODE).refresh()),
    }


async def some_not_permitted() -> list[str]:
    """List as nobody, with one of two devices open to all."""
    Path("/dev/video1").chmod(0o666)
    program = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "list", stdout=asyncio.subprocess.PIPE, user=NOBODY, group=NOBODY, extra_groups=[]
    )
    said, _ = await program.communicate()
    found: list[str] = json.loads(said)
    return found


async def measured() -> list[dict[str, Any]]:
    """Measure what the device is offered with."""

    async def one(source: V4l2) -> Any:
        found = await measure(source, TOOLS)
        if found.error:
            raise found.error
        return found

    found = rank([await patient(partial(one, each)) for each in candidates(await device(NODE))])
    return [
        {
            "wish": [each.source.input_format, each.source.width, each.source.height, each.source.rate],
            "rate": each.rate,
            "cpu": each.cpu,
            "first_picture": each.first_picture,
            "picture": bool(each.picture),
            "good": each.good,
        }
        for each in found
    ]


async def odd_size() -> Any:
    """Ask for a size that the driver does not have, and silently changes."""
    found = await probe(V4l2(device=NODE, input_format="yuyv422", width=641, height=361, rate=15))
    return [found.width, found.height]


async def main() -> dict[str, Any]:
    return {
        "listed": await listed(),
        "turned": await turned(),
        "streaming": await streaming(),
        "taken": await taken(),
        "permission": await permission(),
        "some": await some_not_permitted(),
        "odd_size": await odd_size(),
        "unsupported": await outcome(probe(V4l2(device=NODE, input_format="mjpeg"))),
        "measured": await measured(),
    }


async def chosen() -> Any:
    if "nobody" in sys.argv:
        return await nobody()
    if "list" in sys.argv:
        return [each.node for each in await list_devices()]
    return await main()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(chosen()), default=str))
