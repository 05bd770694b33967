"""Tell from which moment on a sensor's pictures are worth keeping.

A camera that has just been switched on delivers black, then too dark or too bright pictures, until its exposure
has settled. Viewers may see that; a snapshot and a timelapse may not. While a capture is new, its pictures are shrunk
to a few grey dots by a worker, and once these neither are black nor change any more, or after some seconds in any case,
the pictures count.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
import time

from . import matroska
from .errors import TripodError
from .feed import FrameFeed
from .ffmpeg import Ffmpeg, explain
from .jpeg import dimensions
from .process import Process

RATE = 10.0
"""Pictures per second that are looked at."""

SIDE = 16
"""Dots of grey in each direction."""

BLACK = 24
"""Luma, of 255, up to which a picture counts as black: video black is 16, and sensors add noise."""

STEADY = 4
"""Luma, of 255, that pictures of a settled camera differ by at most, on average."""

LOOKS = 4
"""Pictures in a row that must be steady."""


class WarmUp:
    """The warm-up of one camera: `begin` with each capture, `settled` for each picture."""

    def __init__(self, ffmpeg: Ffmpeg, feed: FrameFeed, limit: float, clock: Callable[[], float] = time.time) -> None:
        """Look at the pictures of `feed` for at most `limit` seconds; with 0, all count. `clock` tells Unix time."""
        self._ffmpeg = ffmpeg
        self._feed = feed
        self._limit = limit
        self._clock = clock
        self._settled_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Note that the camera delivers pictures; only the first time since `end` counts."""
        if self._task or self._settled_at is not None:
            return
        if self._limit:
            self._task = asyncio.create_task(self._watch())
        else:
            self._settled_at = 0.0

    def end(self) -> None:
        """Note that the capture is over."""
        self._settled_at = None
        if self._task:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """End for good, with no worker left."""
        task = self._task
        self.end()
        if task:
            await asyncio.wait([task])

    def settled(self, captured_at: float) -> bool:
        """Whether a picture captured at this Unix time counts."""
        return self._settled_at is not None and captured_at >= self._settled_at

    async def _watch(self) -> None:
        began = self._clock()
        try:
            async with asyncio.timeout(self._limit):
                self._settled_at = await self._look()
        except TimeoutError:  # also where only video was wanted until now, so that there was nothing to look at
            self._settled_at = began + self._limit
        self._feed.interrupt()

    async def _look(self) -> float:
        """Return the capture time of the first picture that counts; without a worker to look, wait for the limit."""
        try:
            return await self._first_steady()
        except TripodError:
            await asyncio.sleep(self._limit)
            raise

    async def _first_steady(self) -> float:
        judge = _Judge()
        found: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        times: deque[float] = deque()
        grey = bytearray()

        def on_output(data: bytes) -> None:
            grey.extend(data)
            while len(grey) >= SIDE * SIDE and times:
                captured_at = times.popleft()
                if judge.steady(bytes(grey[: SIDE * SIDE])) and not found.done():
                    found.set_result(captured_at)
                del grey[: SIDE * SIDE]

        async with Process(shrink(self._ffmpeg), on_output=on_output, explain=explain, stdin=True) as child:
            reader = self._feed.reader(RATE)
            began: float | None = None
            while not found.done():
                if not (frame := await reader.next(1 / RATE)):
                    continue
                if began is None:
                    began = frame.captured_at
                    await child.write(matroska.header(*dimensions(frame.data)))
                times.append(frame.captured_at)
                await child.write(matroska.picture(frame.data, max(0.0, frame.captured_at - began)))
        return await found


class _Judge:
    """Compare one picture with those before it."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self._looks = 0

    def steady(self, grey: bytes) -> bool:
        """Whether this picture and the ones before it are lit, and alike."""
        last, self._last = self._last, grey
        lit = sum(grey) > BLACK * len(grey)
        # the brightness of the whole, so that somebody who walks through the picture does not count
        alike = last is not None and abs(sum(grey) - sum(last)) <= STEADY * len(grey)
        self._looks = self._looks + 1 if lit and alike else 0
        return self._looks >= LOOKS


def shrink(ffmpeg: Ffmpeg) -> list[str]:
    """Return a command that turns pictures (`matroska`) into `SIDE` times `SIDE` dots of grey each.

    ffmpeg holds each back until the next one comes.
    """
    return ffmpeg.argv(
        *("-probesize", "32", "-analyzeduration", "0", "-thread_type", "slice"),
        *("-f", "matroska", "-i", "pipe:0", "-fps_mode", "passthrough"),
        *("-vf", f"scale={SIDE}:{SIDE}:flags=area:out_range=full,format=gray"),
        *("-flush_packets", "1", "-f", "rawvideo", "pipe:1"),
    )
