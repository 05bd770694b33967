"""All archives together: one governor that keeps them within their limits, and tells each camera what went of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
import time

from .archive import Archive, Governor, Removal, Retention
from .events import Pruned, Tell

EVERY = 60.0
"""Seconds between two looks at what has to go: a limit of size is overrun by what comes in that time."""


class Keeper:
    """Prunes the archives that are there."""

    def __init__(
        self, max_bytes: Callable[[], int] = int, *, every: float = EVERY, clock: Callable[[], float] = time.time
    ) -> None:
        """Let all archives together take `max_bytes` (0: no limit); look `every` so many seconds at most."""
        self._max_bytes = max_bytes
        self._every = every
        self._retentions: dict[Archive, Retention] = {}
        self._tells: dict[Archive, Tell] = {}
        self._governor = Governor(self._retentions, clock=clock)
        self._lock = asyncio.Lock()
        self._due = self._forecast_due = 0.0
        self._forecast: float | None = None

    def add(self, archive: Archive, retention: Retention, tell: Tell) -> None:
        """Keep `archive`, which is open, within `retention` from now on; `tell` hears what went."""
        self._retentions[archive] = retention
        self._tells[archive] = tell

    def remove(self, archive: Archive) -> None:
        """Leave `archive` alone."""
        self._retentions.pop(archive, None)
        self._tells.pop(archive, None)

    async def plan(self, archive: Archive) -> list[Removal]:
        """Return what would go of `archive` now."""
        async with self._lock:
            self._governor.max_bytes = self._max_bytes()
            return _of(archive, await asyncio.to_thread(self._governor.plan))

    async def prune(self, archive: Archive) -> list[Removal]:
        """Remove what has to go of all archives, and return what went of `archive`."""
        async with self._lock:
            return _of(archive, await self._prune())

    async def tend(self) -> None:
        """Remove what has to go of all archives, unless that was done just now."""
        async with self._lock:
            if asyncio.get_running_loop().time() >= self._due:
                await self._prune()

    async def _prune(self) -> Sequence[Removal]:
        self._due = asyncio.get_running_loop().time() + self._every
        self._governor.max_bytes = self._max_bytes()
        removals = await asyncio.to_thread(self._governor.prune)
        for archive, tell in list(self._tells.items()):
            if went := _of(archive, removals):
                tell(_pruned(went))
        return removals

    async def forecast(self) -> float | None:
        """Return the days until a disk is full, as of the last `every` seconds; None: none will be, or nobody knows."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._forecast_due:
                self._forecast_due = now + self._every
                self._forecast = await asyncio.to_thread(self._governor.forecast)
            return self._forecast


def _of(archive: Archive, removals: Sequence[Removal]) -> list[Removal]:
    return [removal for removal in removals if removal.archive is archive]


def _pruned(removals: Sequence[Removal]) -> Pruned:
    kinds = Counter(removal.item.kind for removal in removals)
    return Pruned(count=len(removals), size=sum(removal.item.size for removal in removals), kinds=kinds)
