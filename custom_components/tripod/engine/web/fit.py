"""Pictures cut and made smaller, by one-shot ffmpeg workers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..feed import Frame
from ..ffmpeg import Ffmpeg, mjpeg_output
from ..jpeg import dimensions
from .query import invalid

AT_ONCE = 2
"""Workers at the same time: more would only share the same cores."""

KEPT = 8
"""Results kept, so that many who ask for the same cost one."""

QUALITY = "3"
"""ffmpeg's -q:v (2 best, 31 worst): the picture was a JPEG before, and shall not show it twice."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the picture, in its pixels."""

    width: int
    height: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What becomes of a picture: first cropped, then shrunk into a box with its shape kept; never enlarged."""

    width: int | None = None
    height: int | None = None
    crop: Crop | None = None

    def filters(self, width: int, height: int) -> list[str]:
        """Return ffmpeg's filters for a picture of this size, none where it stays so; refuse a crop outside it."""
        filters = []
        if self.crop is not None:
            crop = self.crop
            if crop.x + crop.width > width or crop.y + crop.height > height:
                raise invalid(f"crop reaches beyond the picture of {width}x{height}")
            if (crop.width, crop.height) != (width, height):
                filters.append(f"crop={crop.width}:{crop.height}:{crop.x}:{crop.y}:exact=1")
            width, height = crop.width, crop.height
        scale = min(1.0, (self.width or width) / width, (self.height or height) / height)
        if scale < 1:
            filters.append(f"scale={max(1, round(width * scale))}:{max(1, round(height * scale))}:flags=bicubic")
        return filters


class Fitter:
    """Fit frames, each wish once."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        """Work with `ffmpeg`."""
        self._ffmpeg = ffmpeg
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._jobs: dict[tuple[int, Fit], asyncio.Task[bytes]] = {}

    async def fit(self, frame: Frame, fit: Fit) -> bytes:
        """Return the frame as `fit` wants it; raises the worker's failure."""
        if fit == Fit():
            return frame.data
        filters = fit.filters(*dimensions(frame.data))
        if not filters:
            return frame.data
        key = (frame.sequence, fit)
        if (task := self._jobs.get(key)) is None:
            task = self._jobs[key] = asyncio.create_task(self._convert(frame.data, filters))
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)  # others may be waiting for it

    async def close(self) -> None:
        """End all workers."""
        tasks = list(self._jobs.values())
        self._jobs.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _finish(self, key: tuple[int, Fit], task: asyncio.Task[bytes]) -> None:
        if task.cancelled() or task.exception():
            self._jobs.pop(key, None)
        results = [known for known, job in self._jobs.items() if job.done()]
        for known in results[: max(0, len(results) - KEPT)]:
            del self._jobs[known]

    async def _convert(self, jpeg: bytes, filters: list[str]) -> bytes:
        async with self._gate:
            return await self._ffmpeg.run(
                self._ffmpeg.argv(
                    *("-f", "jpeg_pipe", "-i", "pipe:0", "-frames:v", "1", "-vf", ",".join(filters)),
                    *("-c:v", "mjpeg", "-q:v", QUALITY, *mjpeg_output()),
                ),
                jpeg,
            )
