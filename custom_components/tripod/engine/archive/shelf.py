"""What lies where: a shelf is one kind's folder, with one folder a day (chunks: one a look)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone, tzinfo
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from . import files
from .item import SUFFIXES, Item, Kind
from .names import folder_name, is_folder_name, parse, parse_day

TIMELAPSE = "timelapse"

DETAILS = ".details"
"""Facts and thumbnails lie in here, under the same relative path as what they belong to."""

FACTS = ".json"
THUMBNAIL = ".jpg"

DAY_LENGTH = len("2026-11-21")


class Shelf(NamedTuple):
    """One kind, and the job where each has a folder of its own."""

    kind: Kind
    job: str = ""

    @classmethod
    def of(cls, kind: Kind, job: str) -> Shelf:
        """Return where a kind of a job lies; raises `InvalidName` for a job that cannot be a folder."""
        return cls(kind, folder_name(job)) if kind in (Kind.FRAME, Kind.CHUNK) else cls(kind)

    @property
    def folder(self) -> str:
        """Its folder's relative path in the archive."""
        return f"{TIMELAPSE}/{self.job}/{self.kind}" if self.job else str(self.kind)

    def day(self, folder: str) -> date | None:
        """Return the day that one of its folders is for; None where that is not one of ours, or a look's."""
        return None if self.kind is Kind.CHUNK else parse_day(folder)


class Found(NamedTuple):
    """What lies in one folder."""

    items: list[Item]
    folders: list[str]
    """Relative paths of the folders within, the folder itself first."""


class Shelves:
    """What lies in the folders of one archive, read from the disk each time.

    What has another name than ours and no facts beside it is not ours; links are not followed.
    """

    def __init__(self, root: Path, zone: tzinfo) -> None:
        """Read below `root`; chunks begin at midnight in `zone`."""
        self.root = root
        self._zone = zone

    def all(self) -> Iterator[Shelf]:
        """Yield every shelf that there may be."""
        yield from (Shelf(Kind.SNAPSHOT), Shelf(Kind.RECORDING), Shelf(Kind.VIDEO))
        for job in self.jobs():
            yield from (Shelf(Kind.FRAME, job), Shelf(Kind.CHUNK, job))

    def jobs(self) -> list[str]:
        """Return the names of the timelapses."""
        return sorted(filter(is_folder_name, folders_in(self.root / TIMELAPSE)))

    def folders(self, shelf: Shelf) -> list[str]:
        """Return the names of a shelf's folders, oldest day first."""
        names = folders_in(self.root / shelf.folder)
        return sorted(name for name in names if shelf.kind is Kind.CHUNK or shelf.day(name))

    def look_at(self, shelf: Shelf, folder: str) -> Found:
        """Return what lies in one folder, in no order."""
        place = f"{shelf.folder}/{folder}"
        found = Found([], [place])
        for within in found.folders:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.root / within) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        found.folders.append(f"{within}/{entry.name}")
                    elif item := self._ours(shelf, f"{within}/{entry.name}", entry):
                        found.items.append(item)
        return found

    def items(self, shelf: Shelf, folder: str) -> list[Item]:
        """Return what lies in one folder, oldest first."""
        return sorted(self.look_at(shelf, folder).items, key=_age)

    def find(self, key: str) -> Item | None:
        """Return what has this key; None where nothing of ours has."""
        parts = key.split("/")
        if not all(parts) or any(part.startswith(".") or "\0" in part for part in parts):
            return None
        if parts[0] == TIMELAPSE and len(parts) > 4 and parts[2] in (Kind.FRAME, Kind.CHUNK):
            shelf, folder = Shelf(Kind(parts[2]), parts[1]), parts[3]
        elif parts[0] in (Kind.SNAPSHOT, Kind.RECORDING, Kind.VIDEO) and len(parts) > 2:
            shelf, folder = Shelf(Kind(parts[0])), parts[1]
        else:
            return None
        if not (shelf.kind is Kind.CHUNK or shelf.day(folder)) or not is_folder_name(shelf.job or folder):
            return None
        path = self.root / key
        try:
            whole = path.resolve() == self.root.resolve() / key and path.is_file()  # no link on the way
            return self._item(shelf, key, path.stat().st_size) if whole else None
        except OSError:
            return None

    def beside(self, key: str, suffix: str) -> Path:
        """Return where the `FACTS` or the `THUMBNAIL` of what has this key lie."""
        return self.root / DETAILS / f"{key}{suffix}"

    def record(self, key: str) -> dict[str, Any]:
        """Return what was noted beside what has this key; empty where nothing was, or nothing readable."""
        with suppress(OSError, ValueError):
            record = json.loads(self.beside(key, FACTS).read_bytes())
            if isinstance(record, dict):
                return record
        return {}

    def sweep(self, place: str) -> None:
        """Remove facts and thumbnails whose files are gone from the folder `place`."""
        details = self.root / DETAILS
        if (details / place).resolve() != self.root.resolve() / DETAILS / place:  # a link leads out of the archive
            return
        for path in list((details / place).rglob("*")):
            owner = self.root / path.relative_to(details).with_suffix("")
            if path.suffix in (FACTS, THUMBNAIL) and path.is_file() and not owner.is_file():
                with suppress(OSError):  # of a disk that is read-only
                    path.unlink()
                    files.remove_empty(path.parent, details)

    def _ours(self, shelf: Shelf, key: str, entry: os.DirEntry[str]) -> Item | None:
        try:
            size = entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # removed meanwhile
            return None
        return self._item(shelf, key, size) if entry.is_file(follow_symlinks=False) else None

    def _item(self, shelf: Shelf, key: str, size: int) -> Item | None:
        path, name = self.root / key, key.rpartition("/")[2]
        if path.suffix.lower() not in SUFFIXES[shelf.kind]:
            return None
        captured_at = self._chunk_day(name) if shelf.kind is Kind.CHUNK else parse(name)
        record = self.record(key) if captured_at is None or shelf.kind is Kind.VIDEO else {}
        if captured_at is None:
            captured_at = noted_time(record)
        if captured_at is None:
            return None
        return Item(shelf.kind, key, path, captured_at, size, shelf.job or str(record.get("job", "")))

    def _chunk_day(self, name: str) -> datetime | None:
        day = parse_day(name[:DAY_LENGTH])
        return fixed(datetime.combine(day, time(), self._zone)) if day else None


def new_record(captured_at: datetime, job: str, facts: dict[str, Any]) -> bytes:
    """Return what is noted beside a file: its facts, and what its name may not tell."""
    return json.dumps({"captured_at": captured_at.isoformat(), "job": job, "facts": facts}).encode()


def fixed(at: datetime) -> datetime:
    """Return the same instant to the millisecond, in the offset of then alone.

    Times of one time zone compare by its clock's face, on which an hour comes twice in autumn.
    """
    return at.replace(microsecond=at.microsecond // 1000 * 1000, fold=0, tzinfo=timezone(at.utcoffset() or timedelta()))


def noted_time(record: dict[str, Any]) -> datetime | None:
    """Return the capture time in a record; None where there is none with an offset."""
    try:
        captured_at = datetime.fromisoformat(record["captured_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return captured_at if captured_at.tzinfo else None


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, in no order; none where it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return [
            entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]
    return []


def _age(item: Item) -> tuple[datetime, str]:
    return item.captured_at, item.key
