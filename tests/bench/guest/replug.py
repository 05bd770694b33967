"""Runs in the virtual machine: how soon a camera that was put back delivers again.

    replug.py TIMES

Prints one JSON object: for each camera the seconds from its return to when the engine has noticed and to the first
picture, of each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import sys
import time
from typing import Any

from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]

from tests.hardware import webcam

DRIVER = Path("/sys/bus/platform/drivers/vivid")
BUILT_IN = Path("/dev/video0")
PATIENCE = 90
"""Seconds, in an emulated machine."""

LOOK = 0.01
"""Seconds between two looks for the device."""

Change = Callable[[], Awaitable[None]]


async def main(times: int) -> dict[str, list[tuple[float, float]]]:
    async def unbind() -> None:
        (DRIVER / "unbind").write_text("vivid.0")

    async def bind() -> None:
        (DRIVER / "bind").write_text("vivid.0")

    platform = V4l2(device=str(BUILT_IN), input_format="yuyv422", width=640, height=360, rate=15)
    found = {"platform": await replugged(platform, BUILT_IN, unbind, bind, times)}
    await unbind()
    camera = webcam.Webcam()
    await camera.plug()
    usb = V4l2(device=str(webcam.PATH), input_format="mjpeg", width=640, height=360, rate=15)
    found["usb"] = await replugged(usb, webcam.PATH, camera.unplug, lambda: camera.plug(wait=False), times)
    await camera.unplug()
    return found


async def replugged(source: Any, device: Path, away: Change, back: Change, times: int) -> list[tuple[float, float]]:
    """Take the camera away and put it back so many times, while somebody watches."""
    found = []
    pipeline = Pipeline(source, Tools(ffmpeg=Ffmpeg()), Options())
    pipeline.open()
    async with pipeline.frames() as reader:
        await picture(reader)
        for _ in range(times):
            await away()
            await until(pipeline, lambda: pipeline.error is not None)
            waiting = [asyncio.create_task(appeared(device)), asyncio.create_task(taken_up(pipeline))]
            await back()
            began, noticed = await asyncio.gather(*waiting)
            await picture(reader)
            found.append((noticed - began, time.monotonic() - began))
    await pipeline.close()
    return found


async def picture(reader: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        await anext(reader)


async def until(pipeline: Any, holds: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    stop_listening = pipeline.listen(changed.set)
    async with asyncio.timeout(PATIENCE):
        while not holds():
            changed.clear()
            await changed.wait()
    stop_listening()


async def taken_up(pipeline: Any) -> float:
    """Return the time at which the engine tries the camera again."""
    await until(pipeline, lambda: pipeline.state in ("starting", "streaming"))
    return time.monotonic()


async def appeared(device: Path) -> float:
    """Return the time at which the device is there."""
    async with asyncio.timeout(PATIENCE):
        while not device.exists():  # noqa: ASYNC110 - by other means than those that are measured
            await asyncio.sleep(LOOK)
    return time.monotonic()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1])))))
