"""What one archive has at a moment, as the governor sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from heapq import merge
from typing import Self

from .archive import ZONE_CHANGE, Archive
from .item import Day, Item, Kind
from .retention import Retention

EVICTABLE = (Kind.SNAPSHOT, Kind.RECORDING, Kind.FRAME)
"""What may be removed to make room."""


@dataclass(slots=True)
class Stock:
    """An archive's days. What is pinned is neither counted nor removed."""

    archive: Archive
    retention: Retention
    free: int
    """Bytes on its disk."""
    device: int
    """Which disk that is."""
    days: dict[tuple[Kind, str], list[Day]]
    kept: set[str]
    """Keys of what is pinned, or the newest of its kind and job."""
    gone: set[str] = field(default_factory=set)
    """Keys of what is to go."""
    uncounted: dict[Kind, list[int]] = field(default_factory=dict)
    """Sizes of what is pinned or to go."""

    @classmethod
    def of(cls, archive: Archive, retention: Retention) -> Self:
        """Look at an archive; raises `TripodError`."""
        shelves = [(kind, "") for kind in (Kind.SNAPSHOT, Kind.RECORDING, Kind.VIDEO)]
        shelves += [(kind, job) for job in archive.jobs() for kind in (Kind.FRAME, Kind.CHUNK)]
        days = {shelf: archive.days(*shelf) for shelf in shelves}
        newest = (archive.latest(*shelf) for shelf in shelves if days[shelf])
        pinned = archive.pins()
        stock = cls(archive, retention, archive.free(), archive.device(), days, {item.key for item in newest if item})
        for item in pinned:
            stock.kept.add(item.key)
            stock.uncounted.setdefault(item.kind, []).append(item.size)
        return stock

    def take(self, item: Item) -> None:
        """Count an item as gone."""
        self.gone.add(item.key)
        self.uncounted.setdefault(item.kind, []).append(item.size)

    def count(self, kind: Kind) -> int:
        """Return how many of `kind` are counted."""
        return sum(day.count for day in self._of(kind)) - len(self.uncounted.get(kind, ()))

    def size(self, kind: Kind) -> int:
        """Return the bytes of `kind` that are counted."""
        return sum(day.size for day in self._of(kind)) - sum(self.uncounted.get(kind, ()))

    def evictable(self) -> int:
        """Return the bytes of all that may make room."""
        return sum(self.size(kind) for kind in EVICTABLE)

    def oldest(
        self, kind: Kind, *, before: datetime | None = None, chunked: bool | None = None
    ) -> Iterator[tuple[Self, Item]]:
        """Yield what of `kind` may go, oldest first; reads a day at a time.

        Only what was captured `before`, and is of days that have a chunk, or have none, where that is said.
        """
        last = before.date() + ZONE_CHANGE if before else date.max
        jobs = [job for each, job in self.days if each is kind]
        for item in merge(*(self._items(kind, job, last, chunked) for job in jobs), key=lambda item: item.captured_at):
            free = item.key not in self.kept and item.key not in self.gone and not self.archive.held(item.key)
            if free and (before is None or item.captured_at < before):
                yield self, item

    def _items(self, kind: Kind, job: str, last: date, chunked: bool | None) -> Iterator[Item]:  # noqa: FBT001
        chunks = {day.date for day in self.days.get((Kind.CHUNK, job), ())} if chunked is not None else set()
        for day in self.days[kind, job]:
            if day.date <= last and (chunked is None or chunked == (day.date in chunks)):
                yield from self.archive.items(kind, day.date, job)

    def _of(self, kind: Kind) -> Iterator[Day]:
        return (day for (each, _), days in self.days.items() if each is kind for day in days)
