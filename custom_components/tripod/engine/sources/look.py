"""A live look at a source: capture for a moment and measure what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from ..controls import Controls
from ..errors import FormatNotSupported, NoVideo, Stalled, TripodError
from ..feed import Frame, FrameFeed, PacketFeed
from ..ffmpeg import mjpeg_output
from ..jpeg import dimensions
from .base import Found, Medium, Source, Tools, Wanted

TIMEOUT = 15.0
"""Seconds until a source that shows nothing is given up: slow cameras need up to ten to wake up."""

MEASURE = 1.5
"""Seconds of stream that the rate is measured over, where a whole GOP is not longer."""


class Look:
    """A sink that measures."""

    timestamp_offset = 0.0
    controls: Controls | None = None
    still: Callable[[], Awaitable[bytes]] | None = None

    def __init__(self, source: Source) -> None:
        """Begin before the first picture of each medium that `source` delivers."""
        self.wanted = Wanted(Medium)
        self.frames = FrameFeed()
        self.stream = PacketFeed()
        self.first: asyncio.Event = asyncio.Event()
        self._awaited = len(source.delivers)
        self._came: set[Medium] = set()

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        """Take one whole JPEG."""
        self.frames.publish(jpeg, captured_at)
        self._note(Medium.FRAMES)

    def packets(self, data: bytes) -> None:
        """Take the next bytes of an MPEG-TS stream."""
        self.stream.publish(data)
        if self.stream.segments:
            self._note(Medium.PACKETS)

    def alive(self) -> None:
        """Do nothing: a look wants pictures."""

    @property
    def pictures(self) -> int:
        """How many came."""
        return self.frames.frames or self.stream.frames

    async def found(self, tools: Tools) -> Found:
        """Say what came."""
        if self.stream.segments:
            return await _found_packets(self.stream, self.frames.latest, tools)
        return _found_frames(self.frames)

    def _note(self, medium: Medium) -> None:
        self._came.add(medium)
        if len(self._came) >= self._awaited:
            self.first.set()


async def look(source: Source, tools: Tools, timeout: float = TIMEOUT) -> Found:
    """Capture from `source` until it is clear what it delivers.

    Raises the source's own error, `Stalled` if nothing comes within `timeout` seconds, `NoVideo` if no video does.
    """
    async with looking(source, tools, timeout) as (sink, capture):
        await asyncio.wait([capture], timeout=MEASURE)
    return await sink.found(tools)


@asynccontextmanager
async def looking(
    source: Source, tools: Tools, timeout: float = TIMEOUT
) -> AsyncIterator[tuple[Look, asyncio.Task[None]]]:
    """Capture from `source` as long as the context is open, which begins with the first picture; raises as `look`."""
    sink = Look(source)
    capture = asyncio.create_task(source.capture(tools, sink))
    try:
        await _first_picture(capture, sink, timeout)
        yield sink, capture
    finally:
        capture.cancel()
        with suppress(asyncio.CancelledError, TripodError):
            await capture
