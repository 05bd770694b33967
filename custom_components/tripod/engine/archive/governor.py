"""The storage governor: what goes, when and why, so that everything stays within what the user set.

It removes the oldest first, and never what is pinned, being read or written, or the newest of its kind and job. What
it does takes as long as what is removed, however much is there: days are counted in the ledger, and only the files of
the oldest are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import islice
import time

from ..errors import TripodError
from .archive import Archive
from .forecast import days_until_full
from .item import Item, Kind
from .retention import Retention
from .stock import Stock

HEADROOM = 1.25
"""Floors that are free once the governor has made room: less than that, and it had to begin again at once."""

MAX_REMOVALS = 5000
"""What one run removes at most, to end in seconds and to need little memory: the next one goes on."""

EVICTION = (
    (Kind.FRAME, True),  # whose day is in a chunk: a video of it can still be made
    (Kind.RECORDING, None),
    (Kind.SNAPSHOT, None),
    (Kind.FRAME, False),
)
"""What makes room, first to last. Videos and chunks never do: they are what was made to stay."""

CLOCK_JUMP = 300.0
"""Seconds by which the clock may gain on time that passes; if it gains more, somebody set it."""

CLOCK_TRIAL = 86400.0
"""Seconds for which nothing is too old once the clock was set forward: time to mend one that was set wrong."""


class Reason(StrEnum):
    """Why something is removed."""

    AGE = "age"
    COUNT = "count"
    BYTES = "bytes"
    CAMERA_BYTES = "camera_bytes"
    TOTAL_BYTES = "total_bytes"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Removal:
    """One item that goes, or went."""

    item: Item
    archive: Archive
    reason: Reason


class Governor:
    """Keeps all archives within what the user set. Its methods block; one thread at a time calls them."""

    def __init__(
        self,
        retentions: Mapping[Archive, Retention],
        *,
        max_bytes: int = 0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over the archives in `retentions`, which may change; each has its own floor.

        `max_bytes` (0: no limit) is for the snapshots, recordings and frames of all of them together.
        """
        self.max_bytes = max_bytes
        self.errors: dict[Archive, TripodError] = {}
        """What kept archives from being looked at in the last run."""
        self._retentions = retentions
        self._clock = clock
        self._monotonic = monotonic
        self._seen = (clock(), monotonic())
        self._age_counts_from = monotonic()

    def plan(self) -> list[Removal]:
        """Return what `prune` would remove now."""
        self.errors = {}
        plan = _Plan()
        stocks = self._stocks()
        now = self._now()
        for stock in stocks:
            self._keep_limits(plan, stock, now)
        if self.max_bytes:
            excess = sum(stock.evictable() for stock in stocks) - self.max_bytes
            plan.take(_evicted(stocks), Reason.TOTAL_BYTES, size=excess)
        for disk in _by_disk(stocks).values():
            target = max(stock.archive.floor for stock in disk) * HEADROOM
            archives = {stock.archive for stock in disk}
            freed = sum(removal.item.size for removal in plan.removals if removal.archive in archives)
            plan.take(_evicted(disk), Reason.FLOOR, size=target - disk[0].free - freed)
        return plan.removals

    def prune(self) -> list[Removal]:
        """Remove what has to go, and return what went."""
        return [removal for removal in self.plan() if self._remove(removal)]

    def forecast(self) -> float | None:
        """Return the days until a disk is down to its floor, if all goes on as of late; None: nobody can say, or never.

        What the limits remove by then is taken into account.
        """
        self.errors = {}
        stocks = self._stocks()
        now = self._clock()
        ends = [days_until_full(disk, self.max_bytes, now) for disk in _by_disk(stocks).values()]
        return min((end for end in ends if end is not None), default=None)

    def _remove(self, removal: Removal) -> bool:
        if removal.archive in self.errors:
            return False
        try:
            return removal.archive.release(removal.item)
        except TripodError as error:
            self.errors[removal.archive] = error
            return False

    def _stocks(self) -> list[Stock]:
        stocks = []
        for archive, retention in list(self._retentions.items()):
            try:
                stocks.append(Stock.of(archive, retention))
            except TripodError as error:  # a disk that is away does not keep the others from being looked after
                self.errors[archive] = error
        return stocks

    def _keep_limits(self, plan: _Plan, stock: Stock, now: float | None) -> None:
        for kind in Kind:
            limits = stock.retention.of(kind)
            if limits.max_age_days and now is not None:
                before = datetime.fromtimestamp(now, stock.archive.zone) - timedelta(days=limits.max_age_days)
                plan.take(stock.oldest(kind, before=before), Reason.AGE, count=MAX_REMOVALS)
            if limits.max_count:
                plan.take(stock.oldest(kind), Reason.COUNT, count=stock.count(kind) - limits.max_count)
            if limits.max_bytes:
                plan.take(stock.oldest(kind), Reason.BYTES, size=stock.size(kind) - limits.max_bytes)
        if stock.retention.max_bytes:
            excess = stock.evictable() - stock.retention.max_bytes
            plan.take(_evicted([stock]), Reason.CAMERA_BYTES, size=excess)

    def _now(self) -> float | None:
        """Return the time, or None while the clock cannot be trusted to say what is old."""
        wall, passed = self._clock(), self._monotonic()
        if (wall - self._seen[0]) - (passed - self._seen[1]) > CLOCK_JUMP:
            self._age_counts_from = passed + CLOCK_TRIAL
        self._seen = (wall, passed)
        return wall if passed >= self._age_counts_from else None


@dataclass(slots=True)
class _Plan:
    """What is to be removed so far."""

    removals: list[Removal] = field(default_factory=list)

    def take(
        self, candidates: Iterable[tuple[Stock, Item]], reason: Reason, *, count: float = 0, size: float = 0
    ) -> None:
        """Take the first of `candidates` until so many, and so many bytes, are taken."""
        if count <= 0 and size <= 0:
            return
        for stock, item in islice(candidates, MAX_REMOVALS - len(self.removals)):
            self.removals.append(Removal(item, stock.archive, reason))
            stock.take(item)
            count, size = count - 1, size - item.size
            if count <= 0 and size <= 0:
                return


def _evicted(stocks: list[Stock]) -> Iterator[tuple[Stock, Item]]:
    for kind, chunked in EVICTION:
        yield from merge(*(stock.oldest(kind, chunked=chunked) for stock in stocks), key=_age)


def _age(candidate: tuple[Stock, Item]) -> datetime:
    return candidate[1].captured_at


def _by_disk(stocks: list[Stock]) -> dict[int, list[Stock]]:
    disks: dict[int, list[Stock]] = {}
    for stock in stocks:
        disks.setdefault(stock.device, []).append(stock)
    return disks
