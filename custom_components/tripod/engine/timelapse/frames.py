"""Frames as the encoder gets them: read one at a time, each looked at before it is passed on."""

from __future__ import annotations

from array import array
import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from enum import StrEnum
import os
from pathlib import Path

from ..archive import Item
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


class Offered:
    """Frames on their way to the encoder, in order."""

    def __init__(self, items: Callable[[], Iterable[Item]], overlay: Overlay | None) -> None:
        """Offer `items()`, which may block, with the text of `overlay` in them."""
        self._items = items
        self.overlay = overlay
        self.times = array("q")
        """When each picture that was passed on was captured: milliseconds of Unix time."""
        self.flaws: Counter[Flaw] = Counter()

    async def stream(self, on_frame: Callable[[], object]) -> AsyncGenerator[bytes]:
        """Yield Matroska, from the beginning: each frame that is a picture, at `STEP` times its number.

        Calls `on_frame` for each frame that was read, whatever it is.
        """
        self.times, self.flaws = array("q"), Counter()
        reading = _Reading(self._items)
        while found := await asyncio.to_thread(reading.next):
            on_frame()
            item, jpeg = found
            if isinstance(jpeg, Flaw):
                self.flaws[jpeg] += 1
                continue
            if not self.times:
                yield header(*dimensions(jpeg))
            text = self.overlay.text(item.captured_at) if self.overlay else ""
            yield picture(described(jpeg, text), len(self.times) * STEP)
            self.times.append(round(item.captured_at.timestamp() * 1000))


class _Reading:
    """Reads frame after frame; blocks."""

    def __init__(self, items: Callable[[], Iterable[Item]]) -> None:
        self._begin = items
        self._items: Iterator[Item] | None = None

    def next(self) -> tuple[Item, bytes | Flaw] | None:
        """Return the next frame, or what is wrong with it; None after the last."""
        if self._items is None:
            self._items = iter(self._begin())
        item = next(self._items, None)
        if item is None:
            return None
        try:
            return item, read(item.path)
        except FileNotFoundError:
            return item, Flaw.GONE
        except (NotAPicture, OSError):
            return item, Flaw.UNREADABLE


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


def usual_size(items: Sequence[Item]) -> tuple[int, int] | None:
    """Return width and height of most frames, by a sample of them; None where none is a picture. Blocks."""
    sizes: Counter[tuple[int, int]] = Counter()
    for item in items[:: max(1, len(items) // SAMPLES)]:
        try:
            sizes[dimensions(read(item.path))] += 1
        except (NotAPicture, OSError):
            continue
    return sizes.most_common(1)[0][0] if sizes else None
