"""What the user wants to see grow: when frames are taken, which of them are kept, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, time
from enum import StrEnum
import math
from typing import Any, Self

from ..archive import folder_name
from ..errors import InvalidJob, InvalidName, InvalidRequest, TripodError
from .look import Look
from .request import RenderRequest

SHORTEST, LONGEST = 1.0, 86400.0
"""Seconds between two frames: below, a recording does it better; above, the clock's alignment means nothing."""

LONGEST_NAME = 100
"""Bytes of a name, which is a folder's and a part of the videos' names."""

EVERY_DAY = frozenset(range(7))
"""All days of the week, Monday being 0."""


class Sun(StrEnum):
    """Where the sun has to be."""

    ANY = "any"
    UP = "up"
    TWILIGHT = "twilight"
    """Up, or so little below the horizon that one sees without a lamp: civil twilight."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One named timelapse of one camera. Raises `InvalidJob` for what cannot be."""

    name: str
    interval: float | None = None
    """Seconds between two frames, counted from the beginning of the window; None for frames on request only."""
    start_time: time | None = None
    """Local time at which the day's window begins; None for midnight."""
    end_time: time | None = None
    """Local time at which it ends, itself included; before `start_time` that is on the next day."""
    weekdays: frozenset[int] = EVERY_DAY
    """Days on which a window begins, Monday being 0."""
    sun: Sun = Sun.ANY
    """Judged by whoever knows where the sun is."""
    sun_margin: float = 0.0
    """Seconds before sunrise and after sunset that count as day; negative, that count as night."""
    condition: str = ""
    """What has to be on, in the words of whoever judges it: in Home Assistant an entity."""
    skip_unchanged: bool = False
    """Leave out pictures that look like the last one that was kept."""
    difference: float = 3.0
    """Percent of full brightness by which a spot of the picture has to change to count as changed; with 0, that any
    byte changed is enough."""
    skip_dark: bool = False
    """Leave out pictures that are black, as those of a night without light."""
    look: Look = field(default_factory=Look)
    """How its days are encoded, and its videos unless another look is asked for."""
    fps: float | None = None
    """Frames per second of its videos; None where `length` is given, or for the usual."""
    length: float | None = None
    """Seconds that its videos are to last."""
    render: bool = True
    """Whether a run that is stopped becomes a video, where the one who stops it does not say."""

    def __post_init__(self) -> None:
        """Refuse what would never take a frame, or fail at each."""
        try:
            folder_name(self.name)
        except InvalidName as error:
            raise InvalidJob(error.placeholders["detail"]) from error
        if len(self.name.encode()) > LONGEST_NAME:
            raise InvalidJob(f"its name is longer than {LONGEST_NAME} bytes")
        if self.interval is not None and not SHORTEST <= self.interval <= LONGEST:
            raise InvalidJob(f"an interval of {self.interval:g} seconds: {SHORTEST:g} to {LONGEST:g} are possible")
        if not self.weekdays or not self.weekdays <= EVERY_DAY:
            raise InvalidJob("it needs at least one day of the week")
        if not 0 <= self.difference <= 100:
            raise InvalidJob(f"a difference of {self.difference:g} percent")
        if not math.isfinite(self.sun_margin):
            raise InvalidJob("a margin around the sun without end")
        try:
            self.request(date.min, date.max)
        except InvalidRequest as error:
            raise InvalidJob(error.placeholders["detail"]) from error

    def request(self, start: date | datetime, end: date | datetime, camera: str = "") -> RenderRequest:
        """Return the request for a video of these days or moments, as this job wants it."""
        return RenderRequest(
            job=self.name, start=start, end=end, fps=self.fps, length=self.length, look=self.look, camera=camera
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the job as JSON-able data."""
        return {
            **asdict(self),
            "start_time": self.start_time and self.start_time.isoformat(),
            "end_time": self.end_time and self.end_time.isoformat(),
            "weekdays": sorted(self.weekdays),
            "look": self.look.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the job that `as_dict` described; what this version does not know is left out."""
        known = {item.name: data[item.name] for item in fields(cls) if item.name in data}
        return cls(**{name: _FROM_JSON[name](value) if name in _FROM_JSON else value for name, value in known.items()})


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "start_time": _time,
    "end_time": _time,
    "weekdays": frozenset,
    "sun": Sun,
    "look": Look.from_dict,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One moment of a job, for all who report."""

    job: Job
    standing: bool
    """Whether it comes from the configuration, so that it stays when it is stopped."""
    running: bool
    started_at: datetime | None = None
    """When this run began."""
    frames: int = 0
    """Frames of this run."""
    frames_today: int = 0
    """Frames of this local day, of earlier runs too."""
    last_frame_at: datetime | None = None
    missed: int = 0
    """Frames of this run that were due, while the camera or the disk was away."""
    skipped: int = 0
    """Pictures of this run that were left out, being unchanged or dark."""
    next_at: datetime | None = None
    """When the next frame is due, if the sun and the condition allow; None where only a request brings one."""
    error: TripodError | None = None
    """What keeps frames from being taken now."""
