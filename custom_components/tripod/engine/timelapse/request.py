"""What is asked for when a timelapse is to become a video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
import math
from typing import Any, Self

from ..errors import InvalidRange, InvalidRequest
from .look import Look

DEFAULT_FPS = 25.0
"""Frames per second where neither a rate nor a length is asked for."""

SLOWEST_FPS, FASTEST_FPS = 0.1, 60.0
"""What players show as it is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """A range of one job's frames, both ends included.

    A date stands for the whole local day; a time without a zone is in that of the archive. Raises `InvalidRange` for
    an end before the start, and `InvalidRequest` for a rate or a length that cannot be.
    """

    job: str
    start: date | datetime
    end: date | datetime
    fps: float | None = None
    """Frames per second; None where `length` is given, or for the usual."""
    length: float | None = None
    """Seconds that the video is to last, by another rate, and by fewer frames where that would be too fast."""
    look: Look = field(default_factory=Look)
    camera: str = ""
    """The camera's name, for the overlay."""
    id: str = ""
    """What the name of its video ends with, so that it can be found again; something of its own where it is empty."""

    def __post_init__(self) -> None:
        """Refuse what can be refused before any file is looked at."""
        if self.fps is not None and self.length is not None:
            raise InvalidRequest("a rate and a length: one of them follows from the other")
        if self.fps is not None and not SLOWEST_FPS <= self.fps <= FASTEST_FPS:
            raise InvalidRequest(f"{self.fps:g} frames per second: {SLOWEST_FPS:g} to {FASTEST_FPS:g} are possible")
        if self.length is not None and not (math.isfinite(self.length) and self.length > 0):
            raise InvalidRequest(f"a length of {self.length:g} seconds")
        if (
            type(self.start) is type(self.end)
            and _aware(self.start) == _aware(self.end)
            and _before(self.end, self.start)
        ):
            raise InvalidRange(f"{self.start} to {self.end}")

    def as_dict(self) -> dict[str, Any]:
        """Return the request as JSON-able data."""
        return {
            "job": self.job,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "fps": self.fps,
            "length": self.length,
            "look": self.look.as_dict(),
            "camera": self.camera,
            "id": self.id,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the request that `as_dict` described."""
        return cls(
            **{
                **data,
                "start": _moment(data["start"]),
                "end": _moment(data["end"]),
                "look": Look.from_dict(data["look"]),
            }
        )


def _before(one: date | datetime, other: date | datetime) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime) and one.tzinfo:
        return one.timestamp() < other.timestamp()  # of one zone, Python compares what the clock on the wall says
    return one < other


def _aware(moment: date | datetime) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _moment(text: str) -> date | datetime:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
