"""Runs in the virtual machine: the engine on a real /dev/video0, used, taken, unplugged and put back.

Prints what it saw as one JSON object. The engine is imported alone, as on a node: the machine is emulated, and Home
Assistant takes a minute to import there.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
import json
from pathlib import Path
import sys
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "custom_components/tripod"))

from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.jpeg import dimensions  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]

from tests.hardware.patience import patient

PATIENCE = 60
"""Seconds, in an emulated machine."""
DRIVER = Path("/sys/bus/platform/drivers/vivid")
TOOLS = Tools(ffmpeg=Ffmpeg())
CAMERA = V4l2(device="/dev/video0", input_format="yuyv422", width=640, height=360, rate=15)


async def look(source: Any) -> dict[str, Any]:
    """Say what a probe of `source` finds, or the cause of its failure."""
    try:
        found = await patient(lambda: source.probe(TOOLS))
    except Exception as error:  # noqa: BLE001 - the cause is what is asked for
        return {"cause": getattr(error, "cause", repr(error))}
    return {"codec": found.codec, "size": [found.width, found.height]}


async def picture(reader: Any) -> Any:
    """Return the next frame, however often the camera's state changes meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not (frame := await reader.next()):
            pass
        return frame


async def until(pipeline: Any, state: str) -> None:
    """Wait until the pipeline is in `state`."""
    changed = asyncio.Event()
    stop_listening = pipeline.listen(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while pipeline.state != state:
                changed.clear()
                await changed.wait()
    finally:
        stop_listening()


async def warm_up() -> None:
    """Start ffmpeg once: its first start, from a file system that has yet to read it, takes as long as a live check."""
    program = await asyncio.create_subprocess_exec("ffmpeg", "-version", stdout=asyncio.subprocess.DEVNULL)
    await program.wait()


async def main() -> dict[str, Any]:
    """Use the camera, and say what happened."""
    await warm_up()
    seen: dict[str, Any] = {"probe": await look(CAMERA), "missing": await look(V4l2(device="/dev/video9"))}
    pipeline = Pipeline(CAMERA, TOOLS, Options())
    pipeline.open()
    async with pipeline.frames() as reader:
        frames = [await picture(reader) for _ in range(10)]
        seen["sizes"] = sorted({dimensions(frame.data) for frame in frames})
        seen["different"] = len({frame.data for frame in frames})
        seen["rising"] = all(a.sequence < b.sequence for a, b in pairwise(frames))
        seen["taken"] = await look(CAMERA)
        (DRIVER / "unbind").write_text("vivid.0")
        await until(pipeline, "retrying")
        seen["unplugged"] = pipeline.status.error.cause
        (DRIVER / "bind").write_text("vivid.0")
        seen["sequence_after"] = (await picture(reader)).sequence > frames[-1].sequence
    await pipeline.close()
    seen["freed"] = await look(CAMERA)
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
