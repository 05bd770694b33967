"""One camera's archive: publish, find, list and remove what is kept.

The file system is the truth, and nothing absolute is stored in it, so an archive survives being moved. All methods
block, may be called from any thread, and raise `TripodError` for what the user can act on: `ArchiveMissing` (all of
them), `NotWritable` and `DiskFull` (those that write).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
import os
from pathlib import Path, PurePosixPath
import threading
import time
from typing import Any

from ..errors import InvalidName, NoSuchItem
from . import files
from .disk import Disk
from .item import SUFFIXES, Day, Item, Kind, Usage
from .ledger import Ledger
from .names import confined, file_name, folder_name
from .parts import Parts
from .pins import Pins
from .shelf import DETAILS, FACTS, THUMBNAIL, Shelf, Shelves, fixed, new_record

DEFAULT_FLOOR = 1 << 30
"""Bytes that stay free on the disk unless the user says otherwise: Home Assistant itself needs room, too."""

MILLISECOND = timedelta(milliseconds=1)

ZONE_CHANGE = timedelta(days=1)
"""How far the day of an item may be off, where the time zone was another one when it was captured."""

FUTURE = 3600.0
"""Seconds by which an item may be ahead of the clock: one further ahead comes from a clock that was wrong, and is not
the latest, or no picture would ever be newer."""

SAVE_EVERY = 3600.0
"""Seconds between two savings of the ledger: after a power cut, folders that changed since are looked at again."""


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
        anew unasked: what would be filled is the disk under an empty mount point.
        """
        self.root = root
        self.camera = camera
        self.zone = zone
        self.floor = floor
        self._disk = Disk(root, camera)
        self._known = known
        self._clock = clock
        self._shelves = Shelves(root, zone)
        self._ledger = Ledger(self._shelves, clock)
        self._saved_at = clock()
        self._pins = Pins(root)
        self._held: Counter[str] = Counter()
        self._newest: dict[Shelf, Item] = {}
        self._parts = Parts(root)
        self._lock = threading.RLock()
        self._mended = False
        """Whether what was being written before has been removed: what is being written now must not be."""

    def open(self) -> None:
        """Begin, or begin again when the disk is back; at first, clean up what a power cut left behind."""
        with files.explained(self.root), self._lock:
            if self._known:
                self._disk.present()
            elif not self._disk.is_ours():
                self._disk.begin()
            self._known = True
            self._newest.clear()
            self._pins.load()
            self._ledger.load()
            if self._mended:
                self._ledger.refresh_all()
            else:
                self._mend()

    def _mend(self) -> None:
        with suppress(OSError):  # of a disk that is read-only; `check` says so
            self._parts.open()
            files.remove_parts(self.root)
        self._ledger.refresh_all(mend=True)
        self._mended = True

    def begin_anew(self) -> None:
        """Make an empty archive where the known one is missing, because the user said so."""
        with files.explained(self.root):
            self._disk.begin()
        self.open()

    def close(self) -> None:
        """Write down what spares work at the next start."""
        with self._lock, suppress(OSError):  # then it is not spared
            if self._disk.is_ours():
                self._ledger.save()

    def check(self) -> None:
        """Raise what keeps anything from being written: `ArchiveMissing`, `NotWritable` or `LowSpace`."""
        self._disk.check(self.floor)

    def note(self, name: str, data: bytes) -> None:
        """Write a file of Tripod's own, such as the list of jobs, whole or not at all; its name begins with a dot."""
        with self._disk.explained():
            files.write(self.root / name, data)

    def free(self) -> int:
        """Return the bytes that are free on the disk."""
        return self._disk.free()

    def need(self, size: int) -> None:
        """Raise `LowSpace` where `size` more bytes would go below the floor."""
        self._disk.need(size, self.floor)

    def device(self) -> int:
        """Return which disk the archive is on: archives on one disk share its space."""
        return self._disk.device()

    def new_part(self, owner: str) -> Path:
        """Return a new folder on the archive's disk, for what `owner` writes until it is published."""
        with self._disk.explained():
            return self._parts.new(owner)

    def parts(self, owner: str) -> list[Path]:
        """Return the folders of `owner` that were there before this archive was opened."""
        with self._disk.explained():
            return self._parts.left(owner)

    def clear_parts(self, keep: Collection[str] = ()) -> None:
        """Remove the folders that were there before this archive was opened, but those of the owners in `keep`."""
        with self._disk.explained():
            self._parts.clear(keep)

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
        """Keep `content`, whole or not at all; a file, such as one in a part, is moved.

        It is named by `captured_at`, which is aware, or by `name`, a path within its day. Where that is taken, the
        time is a millisecond more, or stands behind the name. `details` are JSON-able facts, `thumbnail` is a JPEG.
        Raises `InvalidName`, and `LowSpace` where bytes would go below the floor: a file takes no more than it has.
        """
        shelf = Shelf.of(kind, job)
        if suffix not in SUFFIXES[kind]:
            raise InvalidName(f"{kind} do not end with {suffix}")
        chosen = confined(name, SUFFIXES[kind]) if name else None
        noted = details is not None or chosen is not None or kind is Kind.VIDEO
        with self._disk.explained(), ExitStack() as staged:
            if not isinstance(content, Path):
                self._disk.need(len(content), self.floor)
            beside = {THUMBNAIL: self._stage(staged, thumbnail)} if thumbnail else {}
            source = content if isinstance(content, Path) else self._stage(staged, content)
            if isinstance(content, Path):
                files.sync_file(content)
            with self._lock:
                at, key = self._vacant(shelf, fixed(captured_at.astimezone(self.zone)), suffix, chosen)
                if noted:
                    beside[FACTS] = self._stage(staged, new_record(at, job, dict(details or {})))
                item = Item(kind, key, self.root / key, at, source.stat().st_size, job)
                with self._ledger.changing(item, 1):
                    self._put(beside, source, item)
                self._note(shelf, item)
        return item

    def _stage(self, staged: ExitStack, data: bytes) -> Path:
        path = self._parts.file()
        files.write_part(path, data)
        staged.callback(path.unlink, missing_ok=True)
        return path

    def _vacant(self, shelf: Shelf, at: datetime, suffix: str, chosen: PurePosixPath | None) -> tuple[datetime, str]:
        """Return the time and the key to publish under."""
        if not chosen:
            while os.path.lexists(self.root / (key := f"{shelf.folder}/{at.date()}/{file_name(at, suffix)}")):
                at += MILLISECOND
            return at, key
        name, moment = chosen, at
        while os.path.lexists(self.root / (key := f"{shelf.folder}/{at.date()}/{name}")):
            name = chosen.with_stem(f"{chosen.stem}_{file_name(moment, '')}")
            moment += MILLISECOND
        return at, key

    def _put(self, beside: Mapping[str, Path], source: Path, item: Item) -> None:
        """Put the facts where they belong, and the item last: what is seen is whole."""
        for suffix, part in beside.items():
            path = self._shelves.beside(item.key, suffix)
            files.make_folder(self.root, path.parent)
            part.replace(path)
            files.sync_folder(path.parent)
        try:
            files.make_folder(self.root, item.path.parent)
            files.move(source, item.path)
            files.sync_folder(item.path.parent)
        except BaseException:
            if not item.path.exists():
                self._forget(item)
            raise

    def _forget(self, item: Item) -> None:
        """Remove what lies beside an item that is gone, and the folders that are empty now."""
        for suffix in (FACTS, THUMBNAIL):
            self._shelves.beside(item.key, suffix).unlink(missing_ok=True)
        folder = Shelf.of(item.kind, item.job).folder
        files.remove_empty(self._shelves.beside(item.key, FACTS).parent, self.root / DETAILS / folder)
        if item.kind is Kind.CHUNK:  # its folder is where the next one is written
            files.remove_companions(item.path)
        else:
            files.remove_empty(item.path.parent, self.root / folder)

    def _note(self, shelf: Shelf, item: Item) -> None:
        newest = self._newest.get(shelf)
        if newest and newest.captured_at <= item.captured_at <= self._soon():
            self._newest[shelf] = item
        if abs(self._clock() - self._saved_at) > SAVE_EVERY:
            self._saved_at = self._clock()
            with suppress(OSError):  # the item is there all the same
                self._ledger.save()

    def jobs(self) -> list[str]:
        """Return the names of the timelapses that have frames or chunks."""
        with self._disk.explained():
            return self._shelves.jobs()

    def chunk_folder(self, job: str, look: str) -> Path:
        """Return the folder of the chunks of one look, made if need be; a chunk's name begins with its day."""
        folder = self.root / Shelf.of(Kind.CHUNK, job).folder / folder_name(look)
        with self._disk.explained():
            files.make_folder(self.root, folder)
        return folder

    def latest(self, kind: Kind, job: str = "") -> Item | None:
        """Return the newest; None where there is none."""
        shelf = Shelf.of(kind, job)
        with self._disk.explained(), self._lock:
            if kind is Kind.VIDEO and job:
                return self._search(shelf, job)
            newest = self._newest.get(shelf)
            if newest and newest.captured_at <= self._soon() and self._ledger.is_fresh(newest):
                return newest
            newest = self._search(shelf)
            if newest:
                self._newest[shelf] = newest
            return newest

    def _search(self, shelf: Shelf, job: str = "") -> Item | None:
        """Return the newest of the newest two days, as their order is not that of time where the time zone changed."""
        soon, seen, ahead = self._soon(), 0, None
        newest: Item | None = None
        for folder in reversed(self._shelves.folders(shelf)):
            items = [item for item in self._shelves.items(shelf, folder) if not job or item.job == job]
            ahead = ahead or (items[-1] if items else None)
            if past := [item for item in items if item.captured_at <= soon]:
                newest = max(newest or past[-1], past[-1], key=lambda item: item.captured_at)
                seen += 1
            if seen == 2 and shelf.kind is not Kind.CHUNK:
                break
        return newest or ahead

    def _soon(self) -> datetime:
        return datetime.fromtimestamp(self._clock() + FUTURE, self.zone)

    def days(self, kind: Kind, job: str = "") -> list[Day]:
        """Return the days that have any, newest last; what others change on days long gone is seen within a minute."""
        shelf = Shelf.of(kind, job)
        with self._disk.explained(), self._lock:
            known = self._ledger.refresh(shelf)
            if kind is not Kind.CHUNK and not (kind is Kind.VIDEO and job):
                days = [(shelf.day(folder), entry) for folder, entry in known.items()]
                return [Day(day, entry.count, entry.size) for day, entry in days if day and entry.count]
            items = [item for folder in known for item in self._shelves.items(shelf, folder) if item.job == job]
        sizes: dict[date, list[int]] = {}
        for item in items:
            sizes.setdefault(self._day(item), []).append(item.size)
        return [Day(day, len(each), sum(each)) for day, each in sorted(sizes.items())]

    def items(self, kind: Kind, day: date, job: str = "") -> list[Item]:
        """Return what one day has, oldest first."""
        shelf = Shelf.of(kind, job)
        with self._disk.explained():
            if kind is not Kind.CHUNK:
                items = self._shelves.items(shelf, day.isoformat())
                return [item for item in items if not job or item.job == job]
            looks = self._shelves.folders(shelf)
            return [item for look in looks for item in self._shelves.items(shelf, look) if self._day(item) == day]

    def _day(self, item: Item) -> date:
        return item.captured_at.date() if item.kind is Kind.CHUNK else date.fromisoformat(item.key.split("/")[1])

    def between(self, kind: Kind, start: datetime, end: datetime, job: str = "") -> Iterator[Item]:
        """Yield what was captured from `start` on and before `end`, oldest first; reads one day at a time."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        first, last = (at.astimezone(self.zone).date() for at in (start, end))
        for day in self.days(kind, job):
            if first - ZONE_CHANGE <= day.date <= last + ZONE_CHANGE:
                yield from (item for item in self.items(kind, day.date, job) if start <= item.captured_at < end)

    def find(self, key: str) -> Item:
        """Return what has this key; raises `NoSuchItem`."""
        with self._disk.explained():
            if item := self._shelves.find(key):
                return item
        raise NoSuchItem(item=key)

    def details(self, item: Item) -> dict[str, Any]:
        """Return the facts that were published with an item."""
        facts = self._shelves.record(item.key).get("facts")
        return facts if isinstance(facts, dict) else {}

    def thumbnail(self, item: Item) -> Path | None:
        """Return the picture that was published with an item; None where there is none."""
        path = self._shelves.beside(item.key, THUMBNAIL)
        return path if path.is_file() else None

    def remove(self, item: Item) -> None:
        """Remove an item, even one that is pinned; raises `NoSuchItem`."""
        with self._disk.explained(), self._lock:
            found = self.find(item.key)
            with self._ledger.changing(found, -1):
                found.path.unlink()
                self._forget(found)
            with suppress(OSError):  # a pin of what is gone is forgotten at the next start
                self._pins.discard(found.key)
            if self._newest.get(shelf := Shelf.of(found.kind, found.job)) == found:
                del self._newest[shelf]

    def release(self, item: Item) -> bool:
        """Remove an item unless it is pinned, held or gone; return whether it was."""
        with self._lock:
            if item.key in self._pins.keys or item.key in self._held:
                return False
            try:
                self.remove(item)
            except NoSuchItem:
                return False
            return True

    def pin(self, key: str) -> None:
        """Keep what has this key until it is unpinned; raises `NoSuchItem`."""
        with self._disk.explained(), self._lock:
            self._pins.add(self.find(key).key)

    def unpin(self, key: str) -> None:
        """Let what has this key go when its time comes; raises `NoSuchItem`."""
        with self._disk.explained(), self._lock:
            if key not in self._pins.keys:
                self.find(key)
            self._pins.discard(key)

    def pinned(self, key: str) -> bool:
        """Return whether what has this key stays."""
        return key in self._pins.keys

    def pins(self) -> list[Item]:
        """Return what is pinned."""
        return [item for key in sorted(self._pins.keys) if (item := self._shelves.find(key))]

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
        """Return what each kind takes, and each job; reads nothing, so what others did is seen after `days`."""
        with self._lock:
            return self._ledger.usage()
