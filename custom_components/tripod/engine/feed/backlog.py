"""What a recorder has still to take of the ring: it is never skipped, and may fall behind as far as memory allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from ..mpegts import CLOCK_RATE, Chunk
from .segment import Segment

BACKLOG_LIMIT = 32 * 2**20
"""Bytes that a recorder may keep beside the ring while its disk does not keep up: at 8 Mbit/s half a minute."""


class Piece(NamedTuple):
    """Whole frames of one segment, in their order."""

    segment: Segment
    chunks: list[Chunk]
    broken: bool
    """Whether what comes before is missing, or another stream: decoding begins anew, and time may have passed."""


class Backlog:
    """A place in the ring that the ring cannot leave behind.

    What the ring lets go of stays in memory until it is taken; past `limit` bytes the oldest is given up and counted.
    Those who are equally far behind share that memory.
    """

    def __init__(self, segments: Iterable[Segment], index: int, limit: int = BACKLOG_LIMIT) -> None:
        """Begin with `segments`, at the chunk `index` of the first, which is a key frame."""
        self.lost = 0.0
        """Seconds that were given up."""
        self._segments = deque(segments)
        self._index = index
        self._limit = limit
        self._broken = True

    def add(self, segment: Segment) -> None:
        """Take a segment that begins now."""
        if self._segments or segment.key:
            self._segments.append(segment)

    def bound(self) -> None:
        """Give up the oldest, once too much is kept that the ring has let go of."""
        while sum(segment.size for segment in self._segments if segment.overtaken) > self._limit:
            self._give_up()
            while self._segments and not self._segments[0].key:
                self._give_up()

    def _give_up(self) -> None:
        segment = self._segments.popleft()
        taken = (_first_pts(segment, self._index) - segment.pts) / CLOCK_RATE if self._index else 0.0
        self.lost += max(0.0, segment.duration - taken)
        self._index = 0
        self._broken = True

    def take(self, size: int) -> list[Piece]:
        """Return the next frames, of about `size` bytes; only whole ones, that others follow."""
        pieces: list[Piece] = []
        while self._segments and size > 0:
            segment = self._segments[0]
            following = self._segments[1] if len(self._segments) > 1 else None
            continued = following is not None and not following.discontinuity
            end = len(segment.chunks) if continued else _last_frame(segment)
            if self._index == 0 and segment.discontinuity:
                self._broken = True
            if self._broken and not segment.key:
                self._index = end  # the pictures that these are made from are missing
            if taken := self._take(segment, end, size):
                pieces.append(Piece(segment, taken, self._broken))
                self._broken = False
                size -= sum(len(chunk.data) for chunk in taken)
            if self._index < end or following is None:
                break
            self._segments.popleft()
            self._index = 0
        return pieces

    def _take(self, segment: Segment, end: int, size: int) -> list[Chunk]:
        begin = self._index
        while self._index < end and (size > 0 or not segment.chunks[self._index].starts_frame):
            size -= len(segment.chunks[self._index].data)
            self._index += 1
        return segment.chunks[begin : self._index]


def _last_frame(segment: Segment) -> int:
    """Return where the newest frame begins, of which more may come, or never."""
    return max((index for index, chunk in enumerate(segment.chunks) if chunk.starts_frame), default=0)


def _first_pts(segment: Segment, index: int) -> int:
    """Return the time stamp of the first frame from `index` on."""
    stamps = (chunk.pts for chunk in segment.chunks[index:] if chunk.pts is not None)
    return next(stamps, segment.last_pts)
