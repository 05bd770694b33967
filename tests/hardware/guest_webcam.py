"""Runs in the virtual machine: the engine on a USB webcam that is plugged in, used, moved and unplugged.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import json
from typing import Any

from engine.errors import DeviceMissing, TripodError  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]
from engine.sources.v4l2.devices import VideoDevice, device, list_devices  # type: ignore[import-not-found]
from engine.sources.v4l2.profiles import Measured, candidates, measure, rank  # type: ignore[import-not-found]

from tests.hardware.webcam import PATH, Webcam

PATIENCE = 120
"""Seconds, in an emulated machine that shares its processors."""

TRIES = 4
"""The gadget loses a race with the kernel's driver now and then, and may hang then: see usbcam.py."""

TOOLS = Tools(ffmpeg=Ffmpeg())
CAMERA = V4l2(device=str(PATH), width=640, height=360, rate=30)


async def retried(webcam: Webcam, work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what `work` brings at last, with the webcam plugged in anew after each failure."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except TripodError:
            await webcam.unplug()
            await webcam.plug()
    return await work()


async def measured(source: V4l2) -> Measured:
    found = await measure(source, TOOLS)
    if found.error:
        raise found.error
    return found


async def webcams() -> list[VideoDevice]:
    return [each for each in await list_devices() if each.driver == "uvcvideo"]


async def cause(work: Awaitable[Any]) -> str:
    try:
        await work
    except TripodError as error:
        return str(error.cause)
    return ""


async def main() -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with Webcam() as webcam:
        found = await webcams()
        seen["listed"] = [[each.path, each.id, each.name, each.usb] for each in found]
        seen["paths"] = list(found[0].paths)
        seen["modes"] = [[mode.input_format, mode.width, mode.height, mode.rates] for mode in found[0].modes]
        seen["metadata"] = await cause(device(str(PATH).replace("index0", "index1")))
        looked = await retried(webcam, lambda: CAMERA.probe(TOOLS))
        seen["probe"] = [looked.codec, looked.width, looked.height]
        ranked = rank([await retried(webcam, partial(measured, each)) for each in candidates(found[0])])
        seen["ranked"] = [[each.source.input_format, each.source.width, each.rate, each.cpu] for each in ranked]

        pipeline = Pipeline(CAMERA, TOOLS, Options(), controls={"brightness": 200})
        pipeline.open()
        async with pipeline.frames() as reader, asyncio.timeout(4 * PATIENCE):
            await anext(reader)
            seen["brightness"] = pipeline.controls.current["brightness"].value
            turned = await pipeline.controls.set({"contrast": 1000})
            seen["contrast"] = [turned["contrast"].value, turned["contrast"].maximum]
            await webcam.unplug()
            while not isinstance(pipeline.error, DeviceMissing):
                await reader.next()
            seen["unplugged"] = [len(await webcams()), CAMERA.attached()]
            await webcam.plug()
            await anext(reader)
            seen["again"] = [len(await webcams()), pipeline.controls.current["brightness"].value]
        await pipeline.close()
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
