"""How many files each folder has and how much they take, so that nobody looks at all files to know.

Each folder is remembered with the time at which names in it last changed. One whose time is another now is looked at
again; the others are not, however many files they have. Nor are their times, more than once a minute: there are
hundreds, and on a network share each takes a message. What is saved spares only work: without it everything is looked
at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import json
import os
from typing import Any

from . import files
from .item import Item, Kind, Usage
from .shelf import DETAILS, Shelf, Shelves, folders_in

NAME = ".ledger.json"

VERSION = 1

GRAIN = 3_000_000_000
"""Nanoseconds within which two changes of a folder may leave the same time: FAT keeps it in steps of two seconds."""

CHECK_EVERY = 60.0
"""Seconds for which nobody looks whether others changed anything on days long gone."""

RECENT = 2
"""Newest days of which that is always looked at: users delete what they have just seen."""

NOT_THERE = 0


@dataclass(slots=True)
class Entry:
    """One folder of a shelf."""

    count: int
    size: int
    stamps: dict[str, list[int]]
    """Of it and of each folder within, by path in the archive: when names in it changed, and when in its details."""


class Ledger:
    """What is known of the folders of one archive; not thread-safe."""

    def __init__(self, shelves: Shelves, clock: Callable[[], float]) -> None:
        """Know nothing yet."""
        self._shelves = shelves
        self._clock = clock
        self._checked: dict[Shelf, float] = {}
        self._root = shelves.root
        self._entries: dict[Shelf, dict[str, Entry]] = {}

    def load(self) -> None:
        """Take up what was saved, but for what may have changed unseen right before; raises `OSError`."""
        path = self._root / NAME
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            saved = json.loads(path.read_bytes())
            if saved["version"] == VERSION:
                self._entries = _entries(saved["shelves"], path.stat().st_mtime_ns - GRAIN)

    def save(self) -> None:
        """Write down what is known; raises `OSError`."""
        shelves = [
            [
                shelf.kind,
                shelf.job,
                {folder: [entry.count, entry.size, entry.stamps] for folder, entry in known.items()},
            ]
            for shelf, known in self._entries.items()
        ]
        saved = {"version": VERSION, "shelves": shelves}
        files.write(self._root / NAME, json.dumps(saved, separators=(",", ":")).encode())

    def refresh(self, shelf: Shelf, *, mend: bool = False) -> Mapping[str, Entry]:
        """Look again at the folders that changed, and return all by their names, oldest day first.

        What others changed on older days may be seen a minute later. What belongs to files that are gone is removed.
        With `mend`, which nobody may write at the same time as, so are files that were being written when everything
        stopped.
        """
        known = self._entries.get(shelf, {})
        folders = self._shelves.folders(shelf)
        checked = folders if mend or self._is_due(shelf) else folders[-RECENT:]
        stale = {folder for folder in checked if folder in known and not self._is_fresh(known[folder], wholly=mend)}
        current = {
            folder: known[folder]
            if folder in known and folder not in stale
            else self._look_at(shelf, folder, mend=mend)
            for folder in folders
        }
        if mend:
            self._forget_details(shelf, current)
        self._entries[shelf] = current
        if shelf.job and not current:
            del self._entries[shelf]
        return current

    def _is_due(self, shelf: Shelf) -> bool:
        """Whether all of a shelf's folders are to be checked; the looks' folders always are."""
        now = self._clock()
        if shelf.kind is not Kind.CHUNK and abs(now - self._checked.get(shelf, 0)) < CHECK_EVERY:
            return False
        self._checked[shelf] = now
        return True

    def refresh_all(self, *, mend: bool = False) -> None:
        """Look again at all folders that changed."""
        shelves = list(self._shelves.all())
        self._checked.clear()
        self._entries = {shelf: self._entries.get(shelf, {}) for shelf in shelves}
        for shelf in shelves:
            self.refresh(shelf, mend=mend)

    def is_fresh(self, item: Item) -> bool:
        """Return whether nobody else changed the folder of an item since it was looked at."""
        shelf, folder = _place(item)
        entry = self._entries.get(shelf, {}).get(folder)
        return entry is not None and self._is_fresh(entry)

    def usage(self) -> dict[tuple[Kind, str], Usage]:
        """Return what each shelf has, as far as is known."""
        return {
            (shelf.kind, shelf.job): Usage(sum(e.count for e in known.values()), sum(e.size for e in known.values()))
            for shelf, known in self._entries.items()
        }

    @contextmanager
    def changing(self, item: Item, count: int) -> Iterator[None]:
        """Note that within the context so many files like `item` come; fewer than 0: go."""
        shelf, folder = _place(item)
        known = self._entries.setdefault(shelf, {})
        place = self._root / shelf.folder / folder
        entry = known.get(folder) if place.exists() else Entry(0, 0, {})
        trusted = entry is not None and self._is_fresh(entry)
        known.pop(folder, None)
        try:
            yield
        except BaseException:
            with suppress(OSError):  # then at the next refresh
                if place.exists():
                    known[folder] = self._look_at(shelf, folder)
            raise
        if not place.exists():
            return
        if entry is None or not trusted:
            known[folder] = self._look_at(shelf, folder)
            return
        places = {*entry.stamps, f"{shelf.folder}/{folder}", item.path.parent.relative_to(self._root).as_posix()}
        known[folder] = Entry(entry.count + count, entry.size + count * item.size, self._stamps(places))

    def _look_at(self, shelf: Shelf, folder: str, *, mend: bool = False) -> Entry:
        place = f"{shelf.folder}/{folder}"
        self._shelves.sweep(place)
        before = self._stamps([place])  # so that what comes meanwhile is noticed next time
        found = self._shelves.look_at(shelf, folder)
        if mend:
            for within in found.folders:
                files.remove_parts(self._root / within)
        return Entry(
            len(found.items), sum(item.size for item in found.items), {**self._stamps(found.folders), **before}
        )

    def _forget_details(self, shelf: Shelf, known: Mapping[str, Entry]) -> None:
        """Remove what is left beside folders that are gone."""
        details = self._root / DETAILS / shelf.folder
        for folder in folders_in(details):
            if folder not in known:
                files.remove_folder(details / folder)

    def _stamps(self, places: Iterable[str]) -> dict[str, list[int]]:
        return {
            place: [_changed(f"{self._root}/{place}"), _changed(f"{self._root}/{DETAILS}/{place}")] for place in places
        }

    def _is_fresh(self, entry: Entry, *, wholly: bool = False) -> bool:
        """Whether nothing changed; not `wholly`: details that were not there came with an item, and are known."""
        for place, (files_changed, details_changed) in entry.stamps.items():
            if files_changed != _changed(f"{self._root}/{place}"):
                return False
            if (wholly or details_changed) and details_changed != _changed(f"{self._root}/{DETAILS}/{place}"):
                return False
        return True


def _place(item: Item) -> tuple[Shelf, str]:
    shelf = Shelf.of(item.kind, item.job)
    return shelf, item.key.removeprefix(f"{shelf.folder}/").partition("/")[0]


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - hundreds of folders: a `Path` costs more than the call
    except FileNotFoundError:
        return NOT_THERE


def _entries(saved: list[Any], certain: int) -> dict[Shelf, dict[str, Entry]]:
    return {
        Shelf(Kind(kind), job): {
            folder: Entry(count, size, stamps)
            for folder, (count, size, stamps) in folders.items()
            if all(changed < certain for pair in stamps.values() for changed in pair)
        }
        for kind, job, folders in saved
    }
