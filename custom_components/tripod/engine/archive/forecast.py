"""When a disk will be full, if all goes on as it did of late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import inf

from .item import Kind
from .stock import EVICTABLE, Stock

WINDOW = timedelta(days=7)
"""How far back "of late" goes: a week has its working days and its Sunday."""

MIN_SPAN = 1 / 24
"""Days that something must have gone on before it says how it goes on."""

HORIZON = 3650.0
"""Days after which nobody cares any more."""

STEPS = 40
"""Halvings of the horizon: to a thousandth of a second."""

SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How one kind of one camera grows."""

    rate: float
    """Bytes a day."""
    room: float
    """Bytes until its limits remove as much as comes."""

    def after(self, days: float) -> float:
        """Return the bytes that are there more."""
        return min(self.rate * days, self.room)


def days_until_full(stocks: Sequence[Stock], max_bytes: int, now: float) -> float | None:
    """Return the days until the floor of the disk that all `stocks` are on is reached; None: not to be foreseen.

    `max_bytes` (0: no limit) is for what may be removed of all of them.
    """
    room = stocks[0].free - max(stock.archive.floor for stock in stocks)
    lasting = [growth_of(stock, kind, now) for stock in stocks for kind in Kind if kind not in EVICTABLE]
    cameras = [(_room(stock.evictable(), stock.retention.max_bytes), _passing(stock, now)) for stock in stocks]
    whole = _room(sum(stock.evictable() for stock in stocks), max_bytes)

    def grown(days: float) -> float:
        passing = sum(min(most, _sum(growths, days)) for most, growths in cameras)
        return _sum(lasting, days) + min(whole, passing)

    if room <= 0:
        return 0.0
    if grown(HORIZON) < room:
        return None
    early, late = 0.0, HORIZON
    for _ in range(STEPS):
        middle = (early + late) / 2
        early, late = (early, middle) if grown(middle) >= room else (middle, late)
    return late


def growth_of(stock: Stock, kind: Kind, now: float) -> Growth:
    """Return how `kind` grew of late, and how far its limits let it."""
    limits, count, size = stock.retention.of(kind), stock.count(kind), stock.size(kind)
    local = datetime.fromtimestamp(now, stock.archive.zone)
    days = [day for (each, _), days in stock.days.items() if each is kind for day in days if day.count]
    recent = [day for day in days if local.date() - WINDOW < day.date <= local.date()]
    if not recent:
        return Growth(0, 0)
    begun = datetime.combine(min(day.date for day in recent), time(), stock.archive.zone)
    rate = sum(day.size for day in recent) / max((now - begun.timestamp()) / SECONDS, MIN_SPAN)
    room = _room(size, limits.max_bytes)
    if limits.max_count:
        room = min(room, max(0, limits.max_count - count) * size / max(count, 1))
    if limits.max_age_days:
        age = (local.date() - min(day.date for day in days)).days
        room = min(room, rate * max(0.0, limits.max_age_days - age))
    return Growth(rate, room)


def _passing(stock: Stock, now: float) -> list[Growth]:
    return [growth_of(stock, kind, now) for kind in EVICTABLE]


def _room(size: int, max_bytes: int) -> float:
    return max(0, max_bytes - size) if max_bytes else inf


def _sum(growths: Iterable[Growth], days: float) -> float:
    return sum(growth.after(days) for growth in growths)
