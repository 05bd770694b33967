"""Frames as the encoder gets them: read one at a time, each looked at before it is passed on."""

from __future__ import annotations

from array import array
import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
import os
from pathlib import Path
from typing import NamedTuple

from ..archive import Archive, Kind, files, parse
from ..archive.item import SUFFIXES
from ..archive.shelf import Shelf
from ..errors import NotAPicture
from ..jpeg import MAX_BYTES, JpegSplitter, described, dimensions
from ..matroska import header, picture
from .look import LARGEST
from .overlay import Overlay

STEP = 0.04
"""Seconds from one picture to the next on the way through the encoder; a join counts anew."""

SAMPLES = 50
"""Frames of a day that are looked at for their size."""


class Flaw(StrEnum):
    """Why a frame is not in the video, or not as it was meant to be."""

    GONE = "gone"
    """Removed before it was read."""
    UNREADABLE = "unreadable"
    """Not a JPEG: empty, cut off, a login page, a disk error."""
    UNDECODABLE = "undecodable"
    """A JPEG to look at, but damaged within."""
    NO_OVERLAY = "no_overlay"
    """There, but without its text, which this ffmpeg cannot draw."""
    OTHER_LOOK = "other_look"
    """There, but as an earlier look of the timelapse had it: the frame itself was removed."""


class FrameFile(NamedTuple):
    """Where a frame lies, and when it was captured."""

    path: Path
    captured_at: datetime


class FrameFiles:
    """One day's frames, in order, in a tenth of the memory that as many items take: there may be twenty thousand."""

    def __init__(self, archive: Archive, day: date, job: str) -> None:
        """List the frames of `job`; blocks."""
        self._folder = archive.root / Shelf.of(Kind.FRAME, job).folder / day.isoformat()
        self._names: list[str] = []
        with files.explained(self._folder), suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            self._names = [entry.name for entry in entries if _is_frame(entry)]
        # by instant: on the day that has an hour twice, names are in another order
        self._names.sort(key=lambda name: _captured_at(name).timestamp())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._names)

    def __iter__(self) -> Iterator[FrameFile]:
        """Yield each frame."""
        for name in self._names:
            yield FrameFile(self._folder / name, _captured_at(name))


def _is_frame(entry: os.DirEntry[str]) -> bool:
    suffix = Path(entry.name).suffix.lower()
    return suffix in SUFFIXES[Kind.FRAME] and parse(entry.name) is not None and entry.is_file(follow_symlinks=False)


def _captured_at(name: str) -> datetime:
    captured_at = parse(name)
    assert captured_at is not None
    return captured_at


class Offered:
    """Frames on their way to the encoder, in order."""

    def __init__(self, frames: Callable[[], Iterable[FrameFile]], overlay: Overlay | None) -> None:
        """Offer `frames()`, which may block, with the text of `overlay` in them."""
        self._frames = frames
        self.overlay = overlay
        self.times = array("q")
        """When each picture that was passed on was captured: milliseconds of Unix time."""
        self.flaws: Counter[Flaw] = Counter()

    async def stream(self, on_frame: Callable[[], object]) -> AsyncGenerator[bytes]:
        """Yield Matroska, from the beginning: each frame that is a picture, at `STEP` times its number.

        Calls `on_frame` for each frame that was read, whatever it is.
        """
        self.times, self.flaws = array("q"), Counter()
        reading = _Reading(self._frames)
        while found := await asyncio.to_thread(reading.next):
            on_frame()
            captured_at, jpeg = found
            if isinstance(jpeg, Flaw):
                self.flaws[jpeg] += 1
                continue
            if not self.times:
                yield header(*dimensions(jpeg))
            text = self.overlay.text(captured_at) if self.overlay else ""
            yield picture(described(jpeg, text), len(self.times) * STEP)
            self.times.append(round(captured_at.timestamp() * 1000))


class _Reading:
    """Reads frame after frame; blocks."""

    def __init__(self, frames: Callable[[], Iterable[FrameFile]]) -> None:
        self._begin = frames
        self._frames: Iterator[FrameFile] | None = None

    def next(self) -> tuple[datetime, bytes | Flaw] | None:
        """Return when the next frame was captured, and the frame or what is wrong with it; None after the last."""
        if self._frames is None:
            self._frames = iter(self._begin())
        frame = next(self._frames, None)
        if frame is None:
            return None
        try:
            return frame.captured_at, read(frame.path)
        except FileNotFoundError:
            return frame.captured_at, Flaw.GONE
        except (NotAPicture, OSError):
            return frame.captured_at, Flaw.UNREADABLE


def read(path: Path) -> bytes:
    """Return the one JPEG that a file holds; raises `NotAPicture`, or `OSError` where it cannot be read."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES:
            raise NotAPicture(f"more than {MAX_BYTES} bytes")
        pictures = JpegSplitter().feed(file.read())
    if not pictures:
        raise NotAPicture("not a whole JPEG")
    if max(dimensions(pictures[0])) > LARGEST:
        raise NotAPicture(f"more than {LARGEST} pixels wide or high")
    return pictures[0]


def usual_size(frames: Iterable[FrameFile], count: int) -> tuple[int, int] | None:
    """Return width and height of most of so many frames, by a sample; None where none is a picture. Blocks."""
    sizes: Counter[tuple[int, int]] = Counter()
    for frame in islice(frames, 0, None, max(1, count // SAMPLES)):
        try:
            sizes[dimensions(read(frame.path))] += 1
        except (NotAPicture, OSError):
            continue
    return sizes.most_common(1)[0][0] if sizes else None
