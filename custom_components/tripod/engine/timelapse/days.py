"""Finished days become chunks, in the background: after midnight, after a restart, and where a job looks otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from ..errors import ArchiveMissing, DiskFull, NothingFound, NotWritable, TripodError
from ..events import Failed
from ..ffmpeg import Ffmpeg
from .chunk import due_days, make_chunk
from .job import Job
from .queue import RenderQueue
from .run import Studio
from .schedule import local

AFTER_MIDNIGHT = 60.0
"""Seconds after which a day is over: its last frame may have been waited for, or still be being written."""

DISK = (ArchiveMissing, DiskFull, NotWritable)
"""What keeps every day from being encoded, and passes."""


@dataclass(frozen=True, slots=True)
class Series:
    """The days of one job that are to be encoded."""

    job: Job
    since: date
    """The first of them."""


class FinishedDays:
    """The chunks of one camera's jobs."""

    def __init__(
        self, studio: Studio, ffmpeg: Ffmpeg, queue: RenderQueue, series: Callable[[], Iterable[Series]]
    ) -> None:
        """Encode the days of `series`, whatever they are at the time, one after the other in spare turns of `queue`."""
        self._studio = studio
        self._ffmpeg = ffmpeg
        self._queue = queue
        self._series = series
        self._told: str | None = None
        self._looked_at: set[tuple[date, str, str]] = set()
        """Today, and names and looks of jobs that need no second look on this day."""

    async def look(self) -> None:
        """Encode what there is to encode, each job's once a day, unless a disk was away."""
        today = self._today()
        self._looked_at = {known for known in self._looked_at if known[0] == today}
        for series in self._series():
            key = today, series.job.name, series.job.look.key
            if key not in self._looked_at and await self._encode(series, today):
                self._looked_at.add(key)

    def _today(self) -> date:
        return local(self._studio.clock() - AFTER_MIDNIGHT, self._studio.archive.zone).date()

    async def _encode(self, series: Series, today: date) -> bool:
        """Encode what is due; return whether there is nothing left that another try on this day could do."""
        job = series.job
        try:
            for day in await asyncio.to_thread(due_days, self._studio.archive, job.name, job.look, today):
                if day >= series.since:
                    await self._encode_day(job, day)
        except DISK as error:
            self._say(job, error)
            return False
        self._told = None
        return True

    async def _encode_day(self, job: Job, day: date) -> None:
        studio = self._studio
        async with self._queue.spare_turn():
            try:
                await make_chunk(
                    studio.archive, self._ffmpeg, job.name, day, job.look, camera=studio.shutter.pipeline.name
                )
            except NothingFound:
                pass  # a day without a picture
            except DISK:
                raise
            except TripodError as error:
                self._say(job, error)

    def _say(self, job: Job, error: TripodError) -> None:
        """Say what keeps a day from being encoded, once for as long as it is the same."""
        if error.cause != self._told:
            self._told = error.cause
            self._studio.tell(Failed("timelapse", job.name, error))
