"""What an archive holds: one file, one day, one kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What a file of an archive is."""

    SNAPSHOT = "snapshots"
    RECORDING = "recordings"
    FRAME = "frames"
    VIDEO = "videos"
    CHUNK = "chunks"


SUFFIXES: dict[Kind, tuple[str, ...]] = {
    Kind.SNAPSHOT: (".jpg", ".jpeg", ".png"),
    Kind.RECORDING: (".mp4", ".mkv"),
    Kind.FRAME: (".jpg", ".jpeg", ".png"),
    Kind.VIDEO: (".mp4", ".mkv"),
    Kind.CHUNK: (".mp4",),
}
"""How the names of each kind end: everything else in an archive is not ours."""


@dataclass(frozen=True, slots=True)
class Item:
    """One finished file."""

    kind: Kind
    key: str
    """Its path in the archive, with slashes: what pins, links and the media browser call it."""
    path: Path
    captured_at: datetime
    """When it was captured or began: aware, to the millisecond, in the offset of its day."""
    size: int
    """Bytes."""
    job: str = ""
    """The timelapse it belongs to."""

    @property
    def suffix(self) -> str:
        """How its name ends, such as `.jpg`."""
        return self.path.suffix


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of one kind."""

    date: date
    count: int
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one kind takes."""

    count: int = 0
    size: int = 0
    """Bytes."""
