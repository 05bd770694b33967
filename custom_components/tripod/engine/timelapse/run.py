"""One job while it runs: wait for the next frame, take it, keep it or leave it out, and count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, timezone
from functools import partial
import hashlib
import logging
from typing import Any, Self

from ..archive import Archive, Item, Kind
from ..errors import TripodError
from ..events import Failed, Tell
from ..sources.base import Medium
from .capture import Holds, Shot, Shutter
from .difference import Eye, Grey
from .job import Job
from .schedule import local, next_due
from .unbroken import unbroken

_LOGGER = logging.getLogger(__name__)

LOOK = 30.0
"""Seconds between two looks at the clock while a frame is waited for: it may be set, and the machine may sleep."""

NOTHING: frozenset[Medium] = frozenset()

MOMENT = 0.001
"""Seconds that are worth sleeping: less cannot be told from none in Unix time as a float."""

AT_HAND = 300.0
"""Seconds that the camera stays on for the next request: the layers of a print come within, and a camera that has to
start first would show the next layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How time passes."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits for so many seconds of the clock."""
    patience: float = 20.0
    """Seconds after the due instant in which a frame still counts, where the interval leaves room for that: a camera
    that comes back from a failure, or from a reboot of its network, is worth waiting for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What all jobs of a camera work with."""

    archive: Archive
    shutter: Shutter
    eye: Eye
    tell: Tell
    allowed: Callable[[Job], bool]
    """Whether the sun and the condition let a frame be taken now."""
    clock: Callable[[], float]
    pace: Pace
    changed: Callable[[], None]

    def now(self) -> datetime:
        """Return the local time, in whole milliseconds as capture times have them."""
        at = local(self.clock(), self.archive.zone)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has become of a run so far."""

    started_at: datetime
    frames: int = 0
    missed: int = 0
    skipped: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    """Capture times; where the clock was set back, not those of the first and the last frame taken."""

    def count(self, captured_at: datetime) -> None:
        """Count a frame that was kept."""
        self.frames += 1
        # with its offset alone, for Python compares times of one zone by what the clock on the wall says
        captured_at = captured_at.replace(tzinfo=timezone(captured_at.utcoffset() or timedelta()))
        self.first_at = min(captured_at, self.first_at or captured_at)
        self.last_at = max(captured_at, self.last_at or captured_at)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as JSON-able data."""
        facts = asdict(self).items()
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the counts that `as_dict` described; raises `ValueError`, `LookupError` or `TypeError`."""
        moments = {name: data[name] and datetime.fromisoformat(data[name]) for name in ("first_at", "last_at")}
        started_at = datetime.fromisoformat(data["started_at"])
        return cls(**{**data, **moments, "started_at": started_at})


class Diary:
    """What a job has of today, whichever of its runs it is from."""

    def __init__(self, job: str, archive: Archive) -> None:
        """Begin with nothing; `look_back` reads what there is."""
        self.last_frame_at: datetime | None = None
        self._job = job
        self._archive = archive
        self._day, self._count = date.min, 0

    async def look_back(self) -> None:
        """Learn what earlier runs left; raises `TripodError`."""
        days = await asyncio.to_thread(self._archive.days, Kind.FRAME, self._job)
        latest = await asyncio.to_thread(self._archive.latest, Kind.FRAME, self._job) if days else None
        if latest and self.last_frame_at is None:
            self._day, self._count = days[-1].date, days[-1].count
            self.last_frame_at = latest.captured_at

    def count(self, captured_at: datetime) -> None:
        """Count a frame that was kept."""
        if captured_at.date() != self._day:
            self._day, self._count = captured_at.date(), 0
        self._count += 1
        self.last_frame_at = captured_at

    def frames(self, day: date) -> int:
        """Return how many frames `day` has, where it is the day of the newest frame."""
        return self._count if day == self._day else 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a picture, to compare it with the next one."""

    day: date
    digest: bytes
    grey: Grey | None


class Run:
    """One run of a job; `run` is the work."""

    def __init__(self, job: Job, studio: Studio, counts: Counts, diary: Diary) -> None:
        """Go on counting in `counts` and `diary`."""
        self.job = job
        self.counts = counts
        self._diary = diary
        self.error: TripodError | None = None
        """Why the last frame that was due is missing."""
        self.next_at: float | None = None
        """Unix time."""
        self._studio = studio
        self._kept: _Seen | None = None
        """The last picture that was kept."""
        self._handled = studio.clock()
        """The instant up to which nothing is due any more."""
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Take frames until cancelled; a frame that is being kept then is kept."""
        holds = Holds(self._studio.shutter)
        try:
            if self.job.interval is None:
                await self._stand_by(holds)
            else:
                await self._take_turns(holds, self.job.interval)
        finally:
            holds.want(NOTHING)

    async def frame(self) -> Item:
        """Take a frame now, whatever the schedule says; raises what keeps it from being taken."""
        self._asked.set()
        try:
            shot = await self._shoot(self._studio.clock(), self._studio.pace.patience)
            item = await self._keep(shot, await self._see(shot))
        except TripodError:
            self.counts.missed += 1
            raise
        else:
            self._recovered()
            return item
        finally:
            self._studio.changed()

    async def _stand_by(self, holds: Holds) -> None:
        """Have the camera at hand while requests come."""
        while True:
            holds.want({Medium.FRAMES})
            self._asked.clear()
            try:
                async with asyncio.timeout(AT_HAND):
                    await self._asked.wait()
            except TimeoutError:
                holds.want(NOTHING)
                await self._asked.wait()

    async def _take_turns(self, holds: Holds, interval: float) -> None:
        """Take each frame when it is due."""
        studio = self._studio
        while True:
            now = studio.clock()
            due = self._due(now, interval)
            if due != self.next_at:
                self.next_at = due
                studio.changed()  # of the frame before, too
            holds.want(studio.shutter.wanted(due - now, interval) if studio.allowed(self.job) else NOTHING)
            if due <= now:
                self._handled = due
                await self._fire(due, interval)
            else:
                await studio.pace.sleep(min(max(studio.shutter.next_look(due - now), MOMENT), LOOK))

    def _due(self, now: float, interval: float) -> float:
        """Return when the next frame is due, which may be a moment ago.

        What was due while the clock was set forward or the machine slept is left out. Where it was set back, a frame
        that was taken is not taken again, unless the clock would have to run for more than an interval to get there.
        """
        if self._handled - now > interval:
            self._handled = now
        due = next_due(self.job, self._handled, self._studio.archive.zone)
        patience = min(interval, self._studio.pace.patience)
        if due is not None and now - due > patience:
            self._handled = now - patience
            due = next_due(self.job, self._handled, self._studio.archive.zone)
        assert due is not None  # the job has an interval
        return due

    async def _fire(self, due: float, interval: float) -> None:
        if not self._studio.allowed(self.job):
            return
        try:
            shot = await self._shoot(due, min(interval, self._studio.pace.patience))
            seen = await self._see(shot)
            if self._worth(seen):
                await self._keep(shot, seen)
            else:
                self.counts.skipped += 1
        except TripodError as error:
            self.counts.missed += 1
            self._note(error)
        else:
            self._recovered()

    async def _shoot(self, after: float, patience: float) -> Shot:
        """Return a picture, if there is a place for it."""
        await asyncio.to_thread(self._studio.archive.check)
        return await self._studio.shutter.take(after, patience)

    async def _see(self, shot: Shot) -> _Seen:
        """Return what the job needs to know of a picture."""
        job, last = self.job, self._kept
        day = local(shot.captured_at, self._studio.archive.zone).date()
        digest = hashlib.blake2b(shot.data, digest_size=16).digest()
        if last and last.digest == digest:
            return replace(last, day=day)
        grey = None
        if job.skip_dark or (job.skip_unchanged and job.difference):
            with suppress(TripodError):  # what nobody can look at is better kept
                grey = await self._studio.eye.see(shot.data)
        return _Seen(day, digest, grey)

    def _worth(self, seen: _Seen) -> bool:
        """Whether the job wants a picture: neither dark nor like the last one of its day."""
        job, last = self.job, self._kept
        if job.skip_dark and seen.grey and seen.grey.dark:
            return False
        if not job.skip_unchanged or last is None or last.day != seen.day:
            return True
        if seen.digest == last.digest:
            return False
        if not (job.difference and seen.grey and last.grey):
            return True
        return seen.grey.difference(last.grey) >= job.difference

    async def _keep(self, shot: Shot, seen: _Seen) -> Item:
        """Put a picture in the archive, to the end: what is written cannot be broken off, and is counted."""
        return await unbroken(self._publish(shot, seen))

    async def _publish(self, shot: Shot, seen: _Seen) -> Item:
        captured_at = local(shot.captured_at, self._studio.archive.zone)
        publish = partial(self._studio.archive.publish, Kind.FRAME, captured_at, shot.data, suffix=".jpg")
        item = await asyncio.to_thread(publish, job=self.job.name)
        self._kept = seen
        self.counts.count(item.captured_at)
        self._diary.count(item.captured_at)
        return item

    def _note(self, error: TripodError) -> None:
        """Say what keeps frames from being taken, once for as long as it lasts."""
        if self.error is None or self.error.cause != error.cause:
            self._studio.tell(Failed("frame", self.job.name, error))
        self.error = error

    def _recovered(self) -> None:
        if self.error:
            _LOGGER.info("%s: the timelapse %s has frames again", self._studio.shutter.pipeline.name, self.job.name)
            self.error = None
