"""The newest JPEG, for any number of readers: a slow one skips frames and harms nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Self

from ..errors import NotAPicture
from ..jpeg import dimensions
from ..meter import RateMeter
from .waiters import Waiters


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole JPEG."""

    data: bytes
    captured_at: float
    """Unix time at which the picture reached us."""
    sequence: int
    """Rises by one with each frame of the feed, for as long as the feed lives."""


class FrameFeed:
    """The newest JPEG frame, for any number of readers."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Stamp frames with `clock`, in Unix time."""
        self.latest: Frame | None = None
        self.frames = 0
        self.frame_meter = RateMeter()
        self.bytes_meter = RateMeter()
        self._clock = clock
        self.sequence = 0
        self.interrupts = 0
        self.closed = False
        self.waiters = Waiters()

    def publish(self, jpeg: bytes, captured_at: float | None = None) -> None:
        """Make `jpeg` the newest frame and wake all readers."""
        self.frames += 1
        self.sequence += 1
        self.latest = Frame(jpeg, self._clock() if captured_at is None else captured_at, self.sequence)
        self.frame_meter.add()
        self.bytes_meter.add(len(jpeg))
        self.waiters.wake()

    @property
    def last_frame_at(self) -> float | None:
        """Unix time of the newest frame."""
        return self.latest.captured_at if self.latest else None

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the newest frame, where it tells."""
        if self.latest is None:
            return None
        try:
            return dimensions(self.latest.data)
        except NotAPicture:
            return None

    def close(self) -> None:
        """End every reader's iteration; `next` returns None from now on."""
        self.closed = True
        self.waiters.wake()

    def interrupt(self) -> None:
        """Let every reader's `next` return None once, so that it looks at the camera's state."""
        self.interrupts += 1
        self.waiters.wake()

    def clear(self) -> None:
        """Forget the newest frame, so that nobody is handed a picture of a capture that has ended."""
        self.latest = None
        self.frame_meter.reset()
        self.bytes_meter.reset()
        self.interrupt()

    def reader(self, max_rate: float | None = None) -> FrameReader:
        """Return a reader that takes at most `max_rate` frames per second."""
        return FrameReader(self, max_rate)


class FrameReader:
    """One consumer's place in a `FrameFeed`: it sees each frame once, the newest first, and may miss some."""

    def __init__(self, feed: FrameFeed, max_rate: float | None) -> None:
        """Start with the frame that is the newest now, if there is one."""
        self.dropped = 0
        self._feed = feed
        self._interval = 1 / max_rate if max_rate else 0.0
        self._sequence = feed.latest.sequence - 1 if feed.latest else feed.sequence
        self._interrupts = feed.interrupts
        self._due = 0.0

    @property
    def latest(self) -> Frame | None:
        """The feed's newest frame, seen or not."""
        return self._feed.latest

    async def next(self, timeout: float | None = None) -> Frame | None:
        """Return the newest frame not seen yet; None after `timeout` seconds, or when the feed was interrupted."""
        feed = self._feed
        while not feed.closed:
            if self._interrupts != feed.interrupts:
                self._interrupts = feed.interrupts
                return None
            frame = feed.latest
            if frame is not None and frame.sequence > self._sequence:
                if self._is_due(frame):
                    self.dropped += frame.sequence - self._sequence - 1 if not self._interval else 0
                    self._sequence = frame.sequence
                    return frame
                self._sequence = frame.sequence
            if not await feed.waiters.wait(timeout):
                return None
        return None

    def _is_due(self, frame: Frame) -> bool:
        if not self._interval:
            return True
        # An eighth of the interval early is in time: frames come with jitter, and waiting would halve the rate.
        if frame.captured_at < self._due - self._interval / 8:
            return False
        self._due = max(self._due + self._interval, frame.captured_at + self._interval / 2)
        return True

    def __aiter__(self) -> Self:
        """Iterate over frames until the feed is closed."""
        return self

    async def __anext__(self) -> Frame:
        """Return the next frame, however long it takes."""
        while not self._feed.closed:
            if (frame := await self.next()) is not None:
                return frame
        raise StopAsyncIteration
