"""Where each kind lies: a shelf is one kind's folder, with one folder a day (chunks: one a look)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, tzinfo
import json
import os
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from .item import SUFFIXES, Item, Kind
from .names import folder_name, parse, parse_day

TIMELAPSE = "timelapse"

DETAILS = ".details"
"""Facts and thumbnails lie under the same relative path as what they belong to."""

CAPTURED_AT = "captured_at"
JOB = "job"
FACTS = "details"


class Shelf(NamedTuple):
    """One kind, and the job where there is one."""

    kind: Kind
    job: str = ""

    @property
    def folder(self) -> PurePosixPath:
        """Its folder in the archive; raises `InvalidName` for a job that cannot be one."""
        if self.kind in (Kind.FRAME, Kind.CHUNK):
            return PurePosixPath(TIMELAPSE, folder_name(self.job), self.kind.value)
        return PurePosixPath(self.kind.value)


def split(key: str) -> tuple[Shelf, str, PurePosixPath] | None:
    """Return the shelf, its folder and the name within of what has this key; None where no key is like that."""
    if "\0" in key or "\\" in key:
        return None
    parts = key.split("/")
    if any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        return None
    if parts[0] == TIMELAPSE and len(parts) > 4 and parts[2] in (Kind.FRAME, Kind.CHUNK):
        return Shelf(Kind(parts[2]), parts[1]), parts[3], PurePosixPath(*parts[4:])
    if parts[0] in (Kind.SNAPSHOT, Kind.RECORDING, Kind.VIDEO) and len(parts) > 2:
        return Shelf(Kind(parts[0])), parts[1], PurePosixPath(*parts[2:])
    return None


class Shelves:
    """What lies in the folders of one archive, read from the disk each time."""

    def __init__(self, root: Path, zone: tzinfo) -> None:
        """Read below `root`; chunks begin at midnight in `zone`."""
        self._root = root
        self._zone = zone

    def jobs(self) -> list[str]:
        """Return the names of the timelapses."""
        return sorted(_folders(self._root / TIMELAPSE))

    def folders(self, shelf: Shelf) -> list[str]:
        """Return the names of a shelf's folders, oldest first."""
        names = _folders(self._root / shelf.folder)
        return sorted(name for name in names if shelf.kind is Kind.CHUNK or parse_day(name))

    def items(self, shelf: Shelf, folder: str) -> Iterator[Item]:
        """Return what lies in one folder, in no order."""
        place = shelf.folder / folder
        for name, entry in _files(self._root / place):
            with suppress(FileNotFoundError):  # removed meanwhile
                if item := self._item(shelf, place / name, entry.stat(follow_symlinks=False).st_size):
                    yield item

    def find(self, key: str) -> Item | None:
        """Return what has this key; None where nothing of ours has."""
        if not (found := split(key)):
            return None
        shelf, folder, name = found
        if shelf.kind is not Kind.CHUNK and not parse_day(folder):
            return None
        path = self._root / key
        place = path.parent
        with suppress(OSError):
            if place.resolve() == self._root.resolve() / place.relative_to(self._root) and not path.is_symlink():
                return self._item(shelf, shelf.folder / folder / name, path.stat().st_size) if path.is_file() else None
        return None

    def sidecar(self, key: str, suffix: str) -> Path:
        """Return where facts (`.json`) or the thumbnail (`.jpg`) of what has this key lie."""
        return self._root / DETAILS / f"{key}{suffix}"

    def record(self, key: str) -> dict[str, Any]:
        """Return what was noted beside what has this key; empty where nothing was, or nothing readable."""
        with suppress(OSError, ValueError):
            record = json.loads(self.sidecar(key, ".json").read_bytes())
            if isinstance(record, dict):
                return record
        return {}

    def _item(self, shelf: Shelf, place: PurePosixPath, size: int) -> Item | None:
        if place.suffix.lower() not in SUFFIXES[shelf.kind]:
            return None
        key, job = str(place), shelf.job
        captured_at = self._chunk_day(place.name) if shelf.kind is Kind.CHUNK else parse(place.name)
        if captured_at is None:
            record = self.record(key)
            try:
                captured_at = datetime.fromisoformat(record[CAPTURED_AT])
            except (KeyError, TypeError, ValueError):
                return None
            job = str(record.get(JOB, job))
        return Item(shelf.kind, key, self._root / key, captured_at, size, job)

    def _chunk_day(self, name: str) -> datetime | None:
        day = parse_day(name[:10])
        return datetime.combine(day, time(), self._zone) if day else None


def day_of(item: Item, zone: tzinfo) -> date:
    """Return the day that an item is listed under."""
    shelf_folder = item.path.parent.name
    return parse_day(shelf_folder) or item.captured_at.astimezone(zone).date()


def _folders(folder: Path) -> Iterator[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield entry.name


def _files(folder: Path, below: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder / entry.name, f"{below}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield below + entry.name, entry
