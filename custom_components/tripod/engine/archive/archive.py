"""One camera's archive: publish, find, list and remove what is kept.

The file system is the truth, and nothing absolute is stored in it, so an archive survives being moved. All methods
block and may be called from any thread; all raise `TripodError` for what the user can act on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta, tzinfo
import json
import os
from pathlib import Path
import secrets
import threading
import time
from typing import Any

from ..errors import ArchiveMissing, LowSpace, NoSuchItem, NotWritable
from . import files
from .item import SUFFIXES, Day, Item, Kind, Usage
from .names import confined, file_name, folder_name
from .shelf import CAPTURED_AT, FACTS, JOB, Shelf, Shelves, day_of

DEFAULT_FLOOR = 1 << 30
"""Bytes that stay free on the disk unless the user says otherwise: Home Assistant itself needs room, too."""

MARKER = ".tripod.json"
PARTS = ".parts"
PINS = ".pins.json"
VERSION = 1

MILLISECOND = timedelta(milliseconds=1)

ZONE_CHANGE = timedelta(days=1)
"""How far the day of an item may be off, where the time zone was another one when it was captured."""


class Archive:
    """What is kept of one camera, in one folder."""

    def __init__(
        self,
        root: Path,
        camera: str,
        *,
        zone: tzinfo,
        floor: int = DEFAULT_FLOOR,
        known: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the files of `camera` (its id) below `root`; days begin in `zone`.

        At least `floor` bytes of the disk stay free. An archive that is `known` was there before, and is never made
        anew unasked: an empty mount point would be filled.
        """
        self.root = root
        self.camera = camera
        self.zone = zone
        self.floor = floor
        self._known = known
        self._clock = clock
        self._shelves = Shelves(root, zone)
        self._lock = threading.RLock()
        self._pins: set[str] = set()
        self._held: Counter[str] = Counter()
        self._own_parts: set[Path] = set()

    def open(self) -> None:
        """Begin; raises `ArchiveMissing`, `NotWritable` or `DiskFull`."""
        with files.explained(self.root):
            if not (self.root / MARKER).is_file():
                if self._known:
                    raise ArchiveMissing(path=str(self.root))
                self._begin()
            self._known = True
            with suppress(FileNotFoundError, ValueError):
                self._pins = set(json.loads((self.root / PINS).read_bytes()))

    def begin_anew(self) -> None:
        """Make an empty archive where the known one is missing, because the user said so."""
        with files.explained(self.root):
            self._begin()
        self.open()

    def _begin(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        files.write(self.root / MARKER, json.dumps({"version": VERSION, "camera": self.camera}).encode())

    def close(self) -> None:
        """End."""

    def check(self) -> None:
        """Raise what keeps anything from being written: `ArchiveMissing`, `NotWritable` or `LowSpace`."""
        self._present()
        with files.explained(self.root):
            if os.statvfs(self.root).f_flag & os.ST_RDONLY or not os.access(self.root, os.W_OK):
                raise NotWritable("read-only", path=str(self.root))
        self._room(0)

    def free(self) -> int:
        """Return the bytes that are free on the disk; raises `ArchiveMissing`."""
        with files.explained(self.root):
            disk = os.statvfs(self.root)
        return disk.f_bavail * disk.f_frsize

    def _present(self) -> None:
        try:
            (self.root / MARKER).stat()
        except OSError as error:
            raise ArchiveMissing(path=str(self.root)) from error

    def _room(self, size: int) -> None:
        if self.free() - size < self.floor:
            raise LowSpace(str(self.root), floor=f"{self.floor >> 20} MB", path=str(self.root))

    def new_part(self, owner: str) -> Path:
        """Return a new folder on the archive's disk, for what `owner` writes until it is published."""
        self._present()
        folder = self.root / PARTS / f"{owner}-{secrets.token_hex(6)}"
        with files.explained(self.root):
            files.make_folder(self.root, folder)
        self._own_parts.add(folder)
        return folder

    def parts(self, owner: str) -> list[Path]:
        """Return the folders that `owner` left behind before this archive was opened."""
        found = [path for path in self._left() if path.name.rpartition("-")[0] == owner]
        return sorted(found)

    def clear_parts(self, keep: tuple[str, ...] = ()) -> None:
        """Remove what was left behind before this archive was opened, but for what belongs to `keep`."""
        for path in self._left():
            if path.name.rpartition("-")[0] not in keep:
                files.remove_folder(path)

    def _left(self) -> Iterator[Path]:
        with files.explained(self.root), suppress(FileNotFoundError):
            for path in (self.root / PARTS).iterdir():
                if path.is_dir() and path not in self._own_parts:
                    yield path

    def publish(
        self,
        kind: Kind,
        captured_at: datetime,
        content: bytes | Path,
        *,
        suffix: str,
        job: str = "",
        name: str | None = None,
        details: Mapping[str, Any] | None = None,
        thumbnail: bytes | None = None,
    ) -> Item:
        """Keep `content`, whole or not at all; a file (of this disk, such as in a part) is moved.

        It is named by its time, which is aware, or by `name`, a relative path within its day. Where that is taken,
        the time is a millisecond more, or stands behind the name. `details` are JSON-able facts. Raises `LowSpace`,
        `DiskFull`, `NotWritable`, `ArchiveMissing` or `InvalidName`.
        """
        self._present()
        if isinstance(content, bytes):
            self._room(len(content))
        shelf = Shelf(kind, job if kind is Kind.FRAME else "")
        at = captured_at.astimezone(self.zone)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        chosen = confined(name, SUFFIXES[kind]) if name else None
        with files.explained(self.root), self._lock:
            place = shelf.folder / at.date().isoformat()
            path = self.root / place / (chosen or file_name(at, suffix))
            while path.exists():
                if chosen:
                    path = path.with_stem(f"{path.stem}_{file_name(at, '')}")
                else:
                    at += MILLISECOND
                    path = path.with_name(file_name(at, suffix))
            key = path.relative_to(self.root).as_posix()
            files.make_folder(self.root, path.parent)
            try:
                if details is not None or chosen:
                    record = {CAPTURED_AT: at.isoformat(), JOB: job, FACTS: dict(details or {})}
                    self._write_beside(key, ".json", json.dumps(record).encode())
                if thumbnail:
                    self._write_beside(key, ".jpg", thumbnail)
                if isinstance(content, Path):
                    files.sync_file(content)
                    content.rename(path)
                    files.sync_folder(path.parent)
                else:
                    files.write(path, content)
            except OSError:
                self._remove_beside(key)
                raise
            return Item(kind, key, path, at, path.stat().st_size, job)

    def _write_beside(self, key: str, suffix: str, data: bytes) -> None:
        path = self._shelves.sidecar(key, suffix)
        files.make_folder(self.root, path.parent)
        files.write(path, data)

    def _remove_beside(self, key: str) -> None:
        for suffix in (".json", ".jpg"):
            self._shelves.sidecar(key, suffix).unlink(missing_ok=True)

    def jobs(self) -> list[str]:
        """Return the names of the timelapses that have frames or chunks."""
        return self._shelves.jobs()

    def chunk_folder(self, job: str, look: str) -> Path:
        """Return the folder of the chunks of one look, made if need be: each file in it is `<day>….mp4`."""
        self._present()
        folder = self.root / Shelf(Kind.CHUNK, job).folder / folder_name(look)
        with files.explained(self.root):
            files.make_folder(self.root, folder)
        return folder

    def latest(self, kind: Kind, job: str = "") -> Item | None:
        """Return the newest; None where there is none."""
        for day in reversed(self.days(kind, job)):
            if items := self.items(kind, day.date, job):
                return items[-1]
        return None

    def days(self, kind: Kind, job: str = "") -> list[Day]:
        """Return the days that have any, newest last."""
        counts: Counter[date] = Counter()
        sizes: Counter[date] = Counter()
        for shelf in self._of(kind, job):
            for folder in self._shelves.folders(shelf):
                for item in self._shelves.items(shelf, folder):
                    counts[day_of(item, self.zone)] += 1
                    sizes[day_of(item, self.zone)] += item.size
        return [Day(day, count, sizes[day]) for day, count in sorted(counts.items())]

    def items(self, kind: Kind, day: date, job: str = "") -> list[Item]:
        """Return what one day has, oldest first."""
        found: list[Item] = []
        for shelf in self._of(kind, job):
            folders = self._shelves.folders(shelf) if kind is Kind.CHUNK else [day.isoformat()]
            for folder in folders:
                found += self._shelves.items(shelf, folder)
        return sorted((item for item in found if day_of(item, self.zone) == day), key=lambda item: item.captured_at)

    def between(self, kind: Kind, start: datetime, end: datetime, job: str = "") -> Iterator[Item]:
        """Yield what was captured from `start` on and before `end`, oldest first, reading a day at a time."""
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        for day in self.days(kind, job):
            if first - ZONE_CHANGE <= day.date <= last + ZONE_CHANGE:
                for item in self.items(kind, day.date, job):
                    if start <= item.captured_at < end:
                        yield item

    def _of(self, kind: Kind, job: str) -> list[Shelf]:
        return [Shelf(kind, job if kind in (Kind.FRAME, Kind.CHUNK) else "")]

    def find(self, key: str) -> Item:
        """Return what has this key; raises `NoSuchItem`."""
        if item := self._shelves.find(key):
            return item
        raise NoSuchItem(item=key)

    def details(self, item: Item) -> dict[str, Any]:
        """Return the facts that were published with an item."""
        facts = self._shelves.record(item.key).get(FACTS)
        return facts if isinstance(facts, dict) else {}

    def thumbnail(self, item: Item) -> Path | None:
        """Return the picture that was published with an item; None where there is none."""
        path = self._shelves.sidecar(item.key, ".jpg")
        return path if path.is_file() else None

    def remove(self, item: Item) -> None:
        """Remove an item, pinned or not; raises `NoSuchItem` and `NotWritable`."""
        with files.explained(self.root), self._lock:
            try:
                item.path.unlink()
            except FileNotFoundError:
                raise NoSuchItem(item=item.key) from None
            self._remove_beside(item.key)
            self._pins.discard(item.key)

    def pin(self, key: str) -> None:
        """Keep what has this key until it is unpinned; raises `NoSuchItem`."""
        self._save_pins(self._pins | {self.find(key).key})

    def unpin(self, key: str) -> None:
        """Let what has this key go when its time comes; raises `NoSuchItem`."""
        self._save_pins(self._pins - {self.find(key).key})

    def pinned(self, key: str) -> bool:
        """Return whether what has this key stays."""
        return key in self._pins

    def _save_pins(self, pins: set[str]) -> None:
        with files.explained(self.root), self._lock:
            files.write(self.root / PINS, json.dumps(sorted(pins)).encode())
            self._pins = pins

    @contextmanager
    def hold(self, item: Item) -> Iterator[None]:
        """Keep an item while it is read or served; raises `NoSuchItem`."""
        with self._lock:
            self.find(item.key)
            self._held[item.key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[item.key] -= 1
                if not self._held[item.key]:
                    del self._held[item.key]

    def held(self, key: str) -> bool:
        """Return whether what has this key is being read or served."""
        return key in self._held

    def usage(self) -> Mapping[tuple[Kind, str], Usage]:
        """Return what each kind takes, and each job."""
        shelves = [(kind, "") for kind in (Kind.SNAPSHOT, Kind.RECORDING, Kind.VIDEO)]
        shelves += [(kind, job) for job in self.jobs() for kind in (Kind.FRAME, Kind.CHUNK)]
        usage = {}
        for kind, job in shelves:
            days = self.days(kind, job)
            usage[kind, job] = Usage(sum(day.count for day in days), sum(day.size for day in days))
        return usage
