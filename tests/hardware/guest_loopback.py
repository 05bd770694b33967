"""Runs in the virtual machine: the engine on cameras that a v4l2loopback device and a producer of odd streams make.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
import json
from pathlib import Path
import tempfile
from typing import Any

from engine.errors import TripodError  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.jpeg import USUAL_TABLES, JpegSplitter, dimensions  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]
from engine.sources.v4l2.devices import list_devices  # type: ignore[import-not-found]

from tests.hardware.patience import patient

PATIENCE = 120
"""Seconds, in an emulated machine that shares its processors."""

LOOK = 0.2
"""Seconds between two looks for the camera."""

NODE = "/dev/video10"
TOOLS = Tools(ffmpeg=Ffmpeg())
CAMERA = V4l2(device=NODE, width=320, height=240, rate=10)
PATTERN = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "120"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-pix_fmt", "yuv420p"]
MJPEG = ["-c:v", "mjpeg", "-huffman", "default", "-pix_fmt", "yuvj420p"]
FFMPEG = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]


async def run(*command: str) -> None:
    program = await asyncio.create_subprocess_exec(*command)
    if await program.wait():
        raise RuntimeError(command)


@asynccontextmanager
async def producing(stream: Path, form: str) -> AsyncIterator[None]:
    """Feed the device with a stream, until the context ends."""
    feed = ["-re", "-f", form, "-framerate", "10", "-i", str(stream), "-c", "copy", "-f", "v4l2", NODE]
    program = await asyncio.create_subprocess_exec(*FFMPEG, *feed, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE):
            while NODE not in [each.node for each in await list_devices()]:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(LOOK)
        yield
    finally:
        program.terminate()
        await program.wait()


async def outcome(source: V4l2) -> Any:
    try:
        found = await patient(lambda: source.probe(TOOLS))
    except TripodError as error:
        return error.cause
    return [found.medium, found.codec, found.width, found.height]


async def pictures(count: int) -> list[bytes]:
    """Return so many pictures of the camera."""
    pipeline = Pipeline(CAMERA, TOOLS, Options())
    pipeline.open()
    async with pipeline.frames() as reader, asyncio.timeout(PATIENCE):
        found = [(await anext(reader)).data for _ in range(count)]
    await pipeline.close()
    return found


async def bare(folder: Path) -> Any:
    """Leave out the tables, as USB cameras do."""
    stream = folder / "bare.mjpeg"
    await run(*FFMPEG, *PATTERN, *MJPEG, "-f", "mjpeg", str(stream))
    whole = stream.read_bytes()
    stream.write_bytes(whole.replace(USUAL_TABLES, b""))
    async with producing(stream, "mjpeg"):
        found = await pictures(5)
        silently = await outcome(replace(CAMERA, input_format="yuyv422", width=640, height=480))
        refused = await outcome(replace(CAMERA, input_format="h264"))
    return {
        "had_tables": USUAL_TABLES in whole,
        "tables": [jpeg.count(USUAL_TABLES) for jpeg in found],
        "as_drawn": [jpeg.replace(USUAL_TABLES, b"") in stream.read_bytes() for jpeg in found],
        "silently": silently,
        "refused": refused,
    }


async def torn(folder: Path) -> Any:
    """Tear every other picture, as a bad cable does."""
    stream = folder / "torn.mjpeg"
    await run(*FFMPEG, *PATTERN, *MJPEG, "-f", "mjpeg", str(stream))
    whole = JpegSplitter().feed(stream.read_bytes())
    pieces = [jpeg if number % 2 else jpeg[: len(jpeg) // 2] for number, jpeg in enumerate(whole)]
    stream.write_bytes(b"".join(pieces))
    async with producing(stream, "mjpeg"):
        found = await pictures(5)
    return [jpeg in whole and dimensions(jpeg) == (320, 240) for jpeg in found]


async def encoded(folder: Path) -> Any:
    """Deliver H.264, as some webcams do."""
    stream = folder / "stream.h264"
    await run(*FFMPEG, *PATTERN, *H264, "-f", "h264", str(stream))
    async with producing(stream, "h264"):
        return {
            "modes": [mode.input_format for each in await list_devices() if each.node == NODE for mode in each.modes],
            "probe": await outcome(replace(CAMERA, input_format="h264")),
            "refused": await outcome(CAMERA),
        }


async def main() -> dict[str, Any]:
    silent = [each.node for each in await list_devices()]
    with tempfile.TemporaryDirectory() as folder:
        return {
            "silent": silent,
            "bare": await bare(Path(folder)),
            "torn": await torn(Path(folder)),
            "encoded": await encoded(Path(folder)),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
