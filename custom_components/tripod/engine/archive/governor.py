"""The storage governor: what goes when, so that the disk never fills up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import time

from .archive import Archive
from .item import Item
from .retention import Retention


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
    """Keeps all archives within what the user set."""

    def __init__(
        self,
        retentions: Mapping[Archive, Retention],
        *,
        max_bytes: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Watch over the archives in `retentions`, which may change; each has its own floor.

        `max_bytes` (0: no limit) is for the snapshots, recordings and frames of all of them together.
        """
        self._retentions = retentions
        self.max_bytes = max_bytes
        self._clock = clock

    def plan(self) -> list[Removal]:
        """Return what `prune` would remove now."""
        removals = []
        for archive, retention in list(self._retentions.items()):
            for (kind, job), usage in archive.usage().items():
                limit = retention.of(kind).max_count
                excess = usage.count - limit if limit else 0
                for day in archive.days(kind, job):
                    for item in archive.items(kind, day.date, job):
                        if excess > 0 and not archive.pinned(item.key) and not archive.held(item.key):
                            removals.append(Removal(item, archive, Reason.COUNT))
                            excess -= 1
        return removals

    def prune(self) -> list[Removal]:
        """Remove what has to go, and return what went."""
        removals = self.plan()
        for removal in removals:
            removal.archive.remove(removal.item)
        return removals

    def forecast(self) -> float | None:
        """Return the days until the disk is full, as things went of late; None: it will not be, or nobody knows."""
        return None
