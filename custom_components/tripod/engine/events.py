"""What becomes of a camera's files, for whoever wants to be told: entities, logs, the node's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .archive import Item, Kind
from .errors import TripodError


@dataclass(frozen=True, slots=True)
class RecordingReady:
    """A recording is in the archive."""

    item: Item
    details: Mapping[str, Any]
    """What the archive keeps of it: duration, size of the picture, gaps."""


@dataclass(frozen=True, slots=True)
class TimelapseReady:
    """A finished timelapse is in the archive."""

    item: Item
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SnapshotKept:
    """A picture is in the archive, whoever asked for it."""

    item: Item


@dataclass(frozen=True, slots=True)
class Pruned:
    """The storage governor removed something."""

    count: int
    size: int
    """Bytes."""
    kinds: Mapping[Kind, int]
    """How many of each kind."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something was lost, or could not be finished."""

    what: str
    """`recording`, `timelapse`, `frame`, `archive`."""
    name: str
    """Which one: an id, or a job's name."""
    error: TripodError


Event: TypeAlias = RecordingReady | TimelapseReady | SnapshotKept | Pruned | Failed

Tell = Callable[[Event], None]
"""Takes an event, in the event loop, and does not wait."""
