"""A live look at a source: capture for a moment and measure what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from ..audio import Audio
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
    audio: Audio | None = None
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


async def _first_picture(capture: asyncio.Task[None], sink: Look, timeout: float) -> None:
    first = asyncio.create_task(sink.first.wait())
    try:
        await asyncio.wait([capture, first], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        first.cancel()
    if sink.first.is_set():
        return
    if capture.done():
        capture.result()
    if sink.stream.parser.audio_codec and not sink.stream.parser.video_codec:
        raise NoVideo(sink.stream.parser.audio_codec)
    raise Stalled(seconds=f"{timeout:g}")


def _found_frames(feed: FrameFeed) -> Found:
    assert feed.latest is not None
    width, height = dimensions(feed.latest.data)
    rate = feed.frame_meter.rate if feed.latest.sequence > 1 else None
    return Found(medium=Medium.FRAMES, codec="mjpeg", width=width, height=height, rate=rate, picture=feed.latest.data)


async def _found_packets(feed: PacketFeed, beside: Frame | None, tools: Tools) -> Found:
    """Say what the video is; the picture is the one that came `beside` it, or one of its own."""
    parser = feed.parser
    assert parser.video_codec is not None
    picture = beside.data if beside else await _decode(feed, tools)
    width, height = feed.picture_size or dimensions(picture)
    return Found(
        medium=Medium.PACKETS,
        codec=parser.video_codec,
        width=width,
        height=height,
        rate=_rate(feed),
        audio_codec=parser.audio_codec,
        picture=picture,
    )


async def _decode(feed: PacketFeed, tools: Tools) -> bytes:
    picture = await tools.ffmpeg.run(
        tools.ffmpeg.argv(
            "-f", "mpegts", "-i", "pipe:0", "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", *mjpeg_output()
        ),
        feed.segments[0].data,
    )
    if not picture:
        raise FormatNotSupported(str(feed.parser.video_codec))
    return picture


def _rate(feed: PacketFeed) -> float | None:
    # an unfinished segment lasts up to its last frame: one interval less than it has frames
    frames = sum(segment.frames - (not segment.complete) for segment in feed.segments)
    seconds = sum(segment.duration for segment in feed.segments)
    return frames / seconds if seconds else None
