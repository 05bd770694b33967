"""How long things stay: what the user set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .item import Kind


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one kind stays; 0 is no limit."""

    max_age_days: float = 0
    max_count: int = 0
    max_bytes: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of one camera stays.

    `max_bytes` (0: no limit) is for snapshots, recordings and frames together. Videos and chunks are neither counted
    with them nor removed for them: they go by their own limits alone.
    """

    limits: Mapping[Kind, Limits] = field(default_factory=dict)
    max_bytes: int = 0

    def of(self, kind: Kind) -> Limits:
        """Return the limits of `kind`."""
        return self.limits.get(kind, NO_LIMITS)
