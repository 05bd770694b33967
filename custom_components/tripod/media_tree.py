"""A camera's archive as folders for people: kinds, timelapses, days, and the hours and minutes of a crowded day.

A folder's path is the beginning of the keys in it, as far as the archive has such a folder. Days come from the
archive's ledger, and only a day that is opened is read: nothing is proportional to all files. All functions block.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
import re
from typing import Final

from .engine.archive import Archive, Item, Kind
from .engine.errors import NoSuchItem

CROWD = 300
"""Items that one folder shows; more are grouped by hour, then by minute. A picture each 5 minutes makes 288 a day."""

PARTS: Final = ("%H%z", "%M")
"""What a crowded folder is grouped by, one after the other; with the offset, as one hour in autumn comes twice."""

KINDS: Final = (Kind.RECORDING, Kind.SNAPSHOT, Kind.VIDEO, Kind.FRAME)
"""What is shown of a camera, in this order."""

_JOBS = "timelapse"

_PATH = re.compile(
    rf"{_JOBS}|(?:(?P<kind>{Kind.SNAPSHOT}|{Kind.RECORDING}|{Kind.VIDEO})|{_JOBS}/(?P<job>[^/.][^/]*)/{Kind.FRAME})"
    r"(?:/(?P<day>\d{4}-\d\d-\d\d)(?P<parts>(?:/\d\d[+-]\d{4}(?:/\d\d)?)?))?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder: all of a camera; a kind or, of frames, a timelapse; a day; a part of a day."""

    kind: Kind | None = None
    job: str = ""
    day: date | None = None
    parts: tuple[str, ...] = ()
    """The hour and the minute, as `PARTS` writes them."""

    @classmethod
    def parse(cls, path: str) -> Place | None:
        """Return the folder of this path; None where it is none, such as an item's."""
        if not path:
            return cls()
        if not (found := _PATH.fullmatch(path)):
            return None
        try:
            day = date.fromisoformat(found["day"]) if found["day"] else None
        except ValueError:
            return None
        parts = tuple(found["parts"].split("/")[1:]) if found["parts"] else ()
        return cls(Kind(found["kind"]) if found["kind"] else Kind.FRAME, found["job"] or "", day, parts)

    @property
    def path(self) -> str:
        """The path, which `parse` takes."""
        if self.kind is None:
            return ""
        frames = f"{_JOBS}/{self.job}/{self.kind}" if self.job else _JOBS
        root = frames if self.kind is Kind.FRAME else self.kind.value
        return "/".join([root, *([self.day.isoformat()] if self.day else []), *self.parts])


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder within another, and how many items are below it."""

    place: Place
    count: int


def children(archive: Archive, place: Place) -> list[Folder] | list[Item]:
    """Return what is in a folder, of days and what is in them the newest first."""
    if place.kind is None:
        counts = _counts(archive)
        return [
            Folder(Place(kind), count)
            for kind in KINDS
            if (count := sum(number for (of, _), number in counts.items() if of is kind))
        ]
    if place == Place(Kind.FRAME):
        return [
            Folder(Place(kind, job), count) for (kind, job), count in _counts(archive).items() if kind is place.kind
        ]
    if place.day is None:
        days = archive.days(place.kind, place.job)
        return [Folder(replace(place, day=day.date), day.count) for day in reversed(days)]
    return _grouped(place, _items(archive, place))


def newest(archive: Archive, place: Place) -> Item:
    """Return the newest item in a folder; raises `NoSuchItem` where there is none."""
    if place.day is not None:
        found = _items(archive, place)[:1]
    else:
        shelves = [
            (kind, job) for kind, job in _counts(archive) if place.kind in (None, kind) and place.job in ("", job)
        ]
        found = [item for kind, job in shelves if (item := archive.latest(kind, job))]
    if not found:
        raise NoSuchItem(item=place.path)
    return max(found, key=lambda item: item.captured_at)


def _counts(archive: Archive) -> dict[tuple[Kind, str], int]:
    """Return how many there are of each kind that is shown, and of each timelapse's frames."""
    return {
        (kind, job): usage.count
        for (kind, job), usage in sorted(archive.usage().items())
        if kind in KINDS and usage.count
    }


def _items(archive: Archive, place: Place) -> list[Item]:
    assert place.kind is not None
    assert place.day is not None
    items = archive.items(place.kind, place.day, place.job)
    return [item for item in reversed(items) if _parts(item, len(place.parts)) == place.parts]


def _grouped(place: Place, items: list[Item]) -> list[Folder] | list[Item]:
    depth = len(place.parts) + 1
    if len(items) <= CROWD or depth > len(PARTS):
        return items
    counts = Counter(_parts(item, depth) for item in items)
    return [Folder(replace(place, parts=parts), count) for parts, count in counts.items()]


def _parts(item: Item, depth: int) -> tuple[str, ...]:
    return tuple(item.captured_at.strftime(part) for part in PARTS[:depth])
