"""A finished day of frames as video, encoded once: renders copy it, and the frames may go.

Beside each chunk `<day>.mp4` lies `<day>.json`, its index: when each of its frames was captured. A day without a
picture has an index alone.
"""

from __future__ import annotations

from array import array
import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
import json
from pathlib import Path
from typing import Any, Self

from ..archive import Archive, Day, Item, Kind, files
from ..errors import NoSuchItem, NothingFound
from ..ffmpeg import Ffmpeg
from .encode import Encoded, Encoder, Encoding
from .frames import Flaw, FrameFiles, usual_size
from .look import Look
from .progress import Meter
from .scratch import scratch

SUFFIX = ".mp4"
INDEX = ".json"

LOOK = "look.json"
"""Beside the chunks: what they look like, and the size that was settled with the first of them."""

DEFAULT_SIZE = (1280, 720)
"""Pixels, where no frame tells a better one."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One finished day of one look."""

    item: Item
    times: Sequence[int]
    """When each of its frames was captured: milliseconds of Unix time, as they follow each other."""
    flaws: Mapping[Flaw, int]
    """Of the frames that the day had when it was encoded."""

    @classmethod
    def read(cls, item: Item) -> Self | None:
        """Return a chunk with its index; None where the two do not belong together. Blocks."""
        index = _index(item.path)
        if index is None or index["size"] != item.size:
            return None
        return cls(item, array("q", index["times"]), {Flaw(name): count for name, count in index["flaws"].items()})


class Chunks:
    """The chunks of one look of one job, all of the same size. All but `make` blocks."""

    def __init__(self, archive: Archive, job: str, look: Look) -> None:
        """Keep them in `archive`; touches nothing yet."""
        self._archive = archive
        self._job = job
        self.look = look

    @property
    def _folder(self) -> Path:
        return self._archive.chunk_folder(self._job, self.look.key)

    def frames(self, day: date) -> FrameFiles:
        """Return the frames of a day."""
        return FrameFiles(self._archive, day, self._job)

    def find(self, day: date) -> Chunk | None:
        """Return the chunk of a day; None where there is none, or not a whole one."""
        return self._read(self._folder / f"{day}{SUFFIX}")

    def find_other(self, day: date) -> Chunk | None:
        """Return the newest chunk of a day that has another look."""
        folders = [folder for folder in self._folder.parent.iterdir() if folder.name != self.look.key]
        paths = [path for folder in folders if (path := folder / f"{day}{SUFFIX}").is_file()]
        found = map(self._read, sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True))
        return next(filter(None, found), None)

    def _read(self, path: Path) -> Chunk | None:
        with suppress(NoSuchItem):
            return Chunk.read(self._archive.find(path.relative_to(self._archive.root).as_posix()))
        return None

    def due(self, before: date) -> list[date]:
        """Return the days before `before` with frames that their chunk was made without."""
        days = self._archive.days(Kind.FRAME, self._job)
        return [day.date for day in days if day.date < before and not self.current(day)]

    def current(self, day: Day) -> bool:
        """Whether the day has no frames that its chunk was made without."""
        index = _index(self._folder / f"{day.date}{SUFFIX}")
        if index is None or index["offered"] < day.count:
            return False
        return not index["times"] or self.find(day.date) is not None

    def encoding(self, frames: Callable[[], FrameFiles], part: Path, other: Chunk | None = None) -> Encoding:
        """Return how they are encoded; the size is settled once, by `frames()` or a chunk of another look.

        `part` is a folder for what is being made.
        """
        path = self._folder / LOOK
        if known := _settled(path):
            return Encoding(self.look, *known)
        sample = frames()
        usual = usual_size(sample, sample.count) or (_settled(other.item.path.with_name(LOOK)) if other else None)
        width, height = self.look.size(*(usual or DEFAULT_SIZE))
        if usual:
            facts = {"look": self.look.as_dict(), "width": width, "height": height}
            with files.explained(path):
                files.write_part(part / LOOK, json.dumps(facts).encode())
                (part / LOOK).replace(path)
        return Encoding(self.look, width, height)

    async def make(self, ffmpeg: Ffmpeg, day: date, *, camera: str, on_frame: Callable[[], object]) -> Encoded:
        """Encode a day's frames; `camera` is a name for the overlay, and `on_frame` called for each that is read.

        Returns the chunk, of which there is none where no frame was a picture. Raises `NothingFound` where there are
        no frames, what `Archive.check` raises, and the worker's failure.
        """
        await asyncio.to_thread(self._archive.check)
        frames = await asyncio.to_thread(self.frames, day)
        if not frames.count:
            raise NothingFound(f"{self._job}, {day}")
        async with scratch(self._archive, "chunk") as part:
            encoding = await asyncio.to_thread(self.encoding, lambda: frames, part)
            encoder = Encoder(ffmpeg, encoding, camera=camera, job=self._job)
            encoded = await encoder.frames(lambda: frames, part / f"chunk{SUFFIX}", on_frame)
            return await asyncio.to_thread(self._publish, day, encoded, frames.count)

    def _publish(self, day: date, encoded: Encoded, offered: int) -> Encoded:
        """Put a chunk and its index in place; of a day without a picture, only the index, which says so."""
        target = self._folder / f"{day}{SUFFIX}"
        with files.explained(target):
            index = {
                "offered": offered,
                "times": list(encoded.times),
                "flaws": encoded.flaws,
                "size": encoded.path.stat().st_size if encoded.times else 0,
            }
            part = encoded.path.with_suffix(INDEX)
            files.write_part(part, json.dumps(index).encode())
            part.replace(target.with_suffix(INDEX))
            if encoded.times:
                files.sync_file(encoded.path)
                encoded.path.replace(target)
            files.sync_folder(target.parent)
        return replace(encoded, path=target)


async def make_chunk(
    archive: Archive,
    ffmpeg: Ffmpeg,
    job: str,
    day: date,
    look: Look,
    *,
    camera: str = "",
    progress: Callable[[float], object] = bool,
) -> Chunk:
    """Encode one finished day of `job`; `camera` is a name for the overlay, `progress` hears from 0 to 1.

    Raises `NothingFound` where no frame of it is a picture, what `Archive.check` raises, and the worker's failure.
    """
    chunks = Chunks(archive, job, look)
    days = await asyncio.to_thread(archive.days, Kind.FRAME, job)
    meter = Meter(next((found.count for found in days if found.date == day), 0), progress)
    made = await chunks.make(ffmpeg, day, camera=camera, on_frame=meter.add)
    meter.done()
    chunk = await asyncio.to_thread(chunks.find, day)
    if chunk is None:
        raise NothingFound(f"{job}, {day}: {sum(made.flaws.values())} frames, none of them a picture")
    return chunk


def due_days(archive: Archive, job: str, look: Look, before: date) -> list[date]:
    """Return the days before `before` (today) that `make_chunk` has something to do for, oldest first. Blocks."""
    return Chunks(archive, job, look).due(before)


def _settled(path: Path) -> tuple[int, int] | None:
    """Return the width and height that a `look.json` tells."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_bytes())
        return int(known["width"]), int(known["height"])
    return None


def _index(path: Path) -> dict[str, Any] | None:
    """Return the index of the chunk at `path`."""
    with suppress(OSError, ValueError):
        index = json.loads(path.with_suffix(INDEX).read_bytes())
        if isinstance(index, dict) and index.keys() >= {"offered", "times", "flaws", "size"}:
            return index
    return None
