"""What a device's ways of delivering cost: few candidates, each measured live."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path

from ...errors import TripodError
from ..base import Tools
from ..look import looking
from .devices import VideoDevice, VideoMode
from .holders import PROC, cpu_time, holders, is_own
from .source import COPIED, V4l2

MEASURE = 3.0
"""Seconds of stream that a source is measured over."""

FIRST_PICTURE = 12.0
"""Seconds that a source may take to its first picture."""

USUAL_RATE = 30.0
"""Frames per second to ask for at most: more costs more, and is seldom wanted."""

ENOUGH = 0.8
"""Share of the asked rate at which a source counts as good; in the dark, cameras halve it."""

SAME_CPU = 0.1
"""Cores within which two sources cost the same: less than measurements differ by."""

_SOUGHT = (("h264", 1920, 1080), ("mjpeg", 1280, 720), ("mjpeg", 1920, 1080))

_RAW = (640, 480)
"""The size that is sought of a raw format, which takes an encoder here."""

_RAW_RATE = 15.0
"""Frames per second that are tried too where there is nothing but raw formats: a small machine encodes no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How a source did while it was looked at."""

    source: V4l2
    rate: float = 0.0
    """Frames per second that came."""
    cpu: float = 0.0
    """CPU of the capture worker, in cores."""
    first_picture: float = 0.0
    """Seconds to the first picture."""
    picture: bytes | None = None
    """A JPEG."""
    error: TripodError | None = None
    """Why nothing came."""

    @property
    def good(self) -> bool:
        """Whether pictures came as often as asked for."""
        return self.error is None and self.rate >= ENOUGH * self.source.rate


def candidates(device: VideoDevice) -> list[V4l2]:
    """Return a few sources to choose from, the one that should be cheapest first."""
    raw = next((mode.input_format for mode in device.modes if mode.input_format not in COPIED), "")
    sought = [(name, width, height, USUAL_RATE) for name, width, height in _SOUGHT] + [(raw, *_RAW, USUAL_RATE)]
    if all(mode.input_format not in COPIED for mode in device.modes):
        sought.append((raw, *_RAW, _RAW_RATE))
    found = [_nearest(device, *wish) for wish in sought]
    return list(dict.fromkeys(filter(None, found)))


def _nearest(device: VideoDevice, name: str, width: int, height: int, rate: float) -> V4l2 | None:
    """Return the source of the largest size and rate within these, else of the least; None without the format."""
    modes = [mode for mode in device.modes if mode.input_format == name]
    within = [mode for mode in modes if mode.width <= width and mode.height <= height]
    if not modes:
        return None
    mode = max(within, key=_pixels) if within else min(modes, key=_pixels)
    rates = [each for each in mode.rates if each <= rate] or list(mode.rates[-1:]) or [rate]
    return V4l2(device=device.path, input_format=name, width=mode.width, height=mode.height, rate=rates[0])


def _pixels(mode: VideoMode | V4l2) -> int:
    return mode.width * mode.height


async def measure(source: V4l2, tools: Tools, *, seconds: float = MEASURE, proc: Path = PROC) -> Measured:
    """Capture for some seconds and say what that brought and took; never raises a `TripodError`.

    Takes `FIRST_PICTURE` and `seconds` at most, and a moment to decode the picture.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with looking(source, tools, FIRST_PICTURE) as (sink, capture):
            first_picture = loop.time() - began
            workers = await asyncio.to_thread(_workers, source.device, proc)
            worked = await asyncio.to_thread(_work, workers, proc)
            before, since = sink.pictures, loop.time()
            await asyncio.wait([capture], timeout=seconds)
            pictures, passed = sink.pictures - before, loop.time() - since
            work = await asyncio.to_thread(_work, workers, proc) - worked
            if capture.done():
                capture.result()
        found = await sink.found(tools)
    except TripodError as error:
        return Measured(source=source, error=error)
    return Measured(
        source=source,
        rate=pictures / passed,
        cpu=work / passed,
        first_picture=first_picture,
        picture=found.picture,
    )


def rank(measured: Sequence[Measured]) -> list[Measured]:
    """Return these with the cheapest good one first: the least CPU here, then for whoever watches."""
    return sorted(measured, key=_cost)


def _cost(measured: Measured) -> tuple[bool, bool, int, int, int]:
    source = measured.source
    order = COPIED.index(source.input_format) if source.input_format in COPIED else len(COPIED)
    return measured.error is not None, not measured.good, round(measured.cpu / SAME_CPU), order, _pixels(source)


def _workers(device: str, proc: Path) -> list[int]:
    """Return the processes of this one's that capture from `device`."""
    return [pid for pid in holders(device, proc) if pid != os.getpid() and is_own(pid, proc)]


def _work(workers: Sequence[int], proc: Path) -> float:
    return sum(cpu_time(worker, proc) for worker in workers)
