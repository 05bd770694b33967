"""What a video will be made of: for each day its chunk, or its frames, or a part of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto

from ..archive import Archive, Day, Kind
from ..errors import NoSuchItem
from .chunk import Chunk, Chunks
from .frames import FrameFile
from .span import Span, moment


class Way(Enum):
    """How a day gets into the video."""

    COPY = auto()
    """Its chunk as it is."""
    CHUNK = auto()
    """Its chunk, which is made first and stays."""
    FRAMES = auto()
    """Its frames, encoded for this video alone: the day is not over, or not all of it is wanted."""
    CUT = auto()
    """A part of its chunk, encoded anew: its frames were removed."""


@dataclass(frozen=True, slots=True)
class Portion:
    """One day's share."""

    day: date
    way: Way
    count: int
    """Frames that are wanted; some may turn out not to be pictures."""
    chunk: Chunk | None = None
    first: int = 0
    """Of the chunk's frames, where the wanted ones begin."""
    foreign: bool = False
    """The chunk is of another look."""
    framed: bool = True
    """All of its frames are there still."""

    def thinned(self) -> Portion:
        """Return how the day gets into a video that takes only some of its frames: none of them can be copied."""
        return replace(self, way=Way.FRAMES if self.framed else Way.CUT)


@dataclass(frozen=True, slots=True)
class Thinning:
    """Takes `wanted` frames out of `total`, evenly."""

    total: int
    wanted: int

    def takes(self, number: int) -> bool:
        """Whether the frame of this number is one of them."""
        return (number + 1) * self.wanted // self.total > number * self.wanted // self.total

    def count(self, first: int, count: int) -> int:
        """Return how many are taken of `count` from number `first` on."""
        return (first + count) * self.wanted // self.total - first * self.wanted // self.total

    def expression(self, shift: int) -> str:
        """Return ffmpeg's expression for `takes`, of the number `n` of a frame plus `shift`."""
        share = f"*{self.wanted}/{self.total}"
        return f"gt(floor((n+1{shift:+}){share}),floor((n{shift:+}){share}))"


class Survey:
    """Looks what there is for a range; blocks. What it finds stays held until `holding` is closed."""

    def __init__(self, archive: Archive, chunks: Chunks, job: str, span: Span, holding: ExitStack) -> None:
        """Look at `job`'s frames and chunks."""
        self._archive = archive
        self._chunks = chunks
        self._job = job
        self._span = span
        self._holding = holding

    def plan(self, today: date) -> list[Portion]:
        """Return the days that have something, in order; days before `today` are over."""
        framed = {day.date: day for day in self._archive.days(Kind.FRAME, self._job)}
        chunked = [day.date for day in self._archive.days(Kind.CHUNK, self._job)]
        days = sorted(day for day in {*framed, *chunked} if self._span.touches(day))
        found = [self._portion(day, framed.get(day, Day(day, 0, 0)), today) for day in days]
        return [portion for portion in found if portion and portion.count]

    def frames(self, day: date) -> Iterator[FrameFile]:
        """Yield a day's frames that are in the range."""
        return (frame for frame in self._chunks.frames(day) if self._span.has(moment(frame.captured_at)))

    def _portion(self, day: date, framed: Day, today: date) -> Portion | None:
        chunk = self.hold(day)
        if self._span.covers(day) and day < today:
            if framed.count and not self._chunks.current(framed):
                return Portion(day, Way.CHUNK, framed.count)
            if chunk:
                return Portion(day, Way.COPY, len(chunk.times), chunk, framed=framed.count >= len(chunk.times))
        frames = framed.count if self._span.covers(day) else sum(1 for _ in self.frames(day))
        cut = self._cut(day, chunk)
        if frames and (cut is None or frames >= cut.count):
            return Portion(day, Way.FRAMES, frames)
        if cut:
            return cut
        other = self._cut(day, self._held(self._chunks.find_other(day)))
        return replace(other, foreign=True) if other else None

    def _cut(self, day: date, chunk: Chunk | None) -> Portion | None:
        wanted = [number for number, time in enumerate(chunk.times) if self._span.has(time)] if chunk else []
        return Portion(day, Way.CUT, len(wanted), chunk, wanted[0], framed=False) if wanted else None

    def hold(self, day: date) -> Chunk | None:
        """Return a day's chunk; None where there is none."""
        return self._held(self._chunks.find(day))

    def _held(self, chunk: Chunk | None) -> Chunk | None:
        if chunk is None:
            return None
        try:
            self._holding.enter_context(self._archive.hold(chunk.item))
        except NoSuchItem:
            return None
        return chunk
