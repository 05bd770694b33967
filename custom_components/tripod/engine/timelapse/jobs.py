"""One camera's timelapses: which there are, which run, and what is remembered of them across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
import logging
import time

from ..archive import Archive, Item
from ..errors import JobExists, NoSuchJob, TripodError
from ..events import Tell
from ..ffmpeg import Ffmpeg
from ..listeners import Listeners
from ..pipeline import Pipeline
from .capture import Shutter
from .days import FinishedDays, Series
from .difference import Eye
from .job import Job, JobStatus
from .memory import Memory, Remembered
from .queue import Render, RenderQueue
from .run import Counts, Diary, Pace, Run, Studio
from .schedule import local

_LOGGER = logging.getLogger(__name__)

CALENDAR = 600.0
"""Seconds between two looks at the calendar: the clock may be set, and nobody waits for a chunk."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that was stopped."""

    status: JobStatus
    render: Render | None
    """The video that it becomes; None where none was asked for, or there are no frames."""


class _Entry:
    """One job that is known."""

    def __init__(self, job: Job, diary: Diary, *, standing: bool) -> None:
        self.job = job
        self.diary = diary
        self.standing = standing
        self.run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    @property
    def running(self) -> Run | None:
        """The run that takes frames."""
        return None if self._ending else self.run

    def begin(self, run: Run) -> None:
        self.run, self._ending = run, False
        self._task = asyncio.create_task(run.run())
        self._task.add_done_callback(_ended)

    def remembered(self) -> Remembered:
        return Remembered(job=self.job, standing=self.standing, counts=self.run.counts if self.run else None)

    async def end(self) -> None:
        """End the run, with the frame that is being kept; until `clear` it is remembered as one that goes on."""
        self._ending = True
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def clear(self) -> None:
        """Have no run any more."""
        self.run = self._task = None
        self._ending = False


class Timelapses:
    """All timelapses of one camera."""

    def __init__(
        self,
        pipeline: Pipeline,
        archive: Archive,
        tell: Tell,
        ffmpeg: Ffmpeg,
        *,
        queue: RenderQueue,
        allowed: Callable[[Job], bool] = lambda _: True,
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        """Take frames of `pipeline` into `archive`; nothing runs before `recover`.

        `allowed` says whether the sun and the condition of a job let a frame be taken now. `clock` tells Unix time.
        """
        self._archive = archive
        self._queue = queue
        self._pipeline = pipeline
        self._entries: dict[str, _Entry] = {}
        self._memory = Memory(archive)
        self._remembered: dict[str, Remembered] = {}
        """Standing jobs of before that the configuration has not named yet."""
        self._early: dict[str, tuple[Job, bool | None]] = {}
        """Standing jobs that the configuration named before it was known how they were left."""
        self._listeners = Listeners()
        self._recovered = False
        self._recovering = asyncio.Lock()
        self._studio = Studio(
            archive=archive,
            shutter=Shutter(pipeline),
            eye=Eye(ffmpeg),
            tell=tell,
            allowed=allowed,
            clock=clock,
            pace=pace or Pace(),
            changed=self._listeners.tell,
        )
        self._days = FinishedDays(self._studio, ffmpeg, queue, self._series)
        self._calendar: asyncio.Task[None] | None = None

    @property
    def jobs(self) -> tuple[JobStatus, ...]:
        """Every job that runs or stands, by name."""
        entries = [self._entries[name] for name in sorted(self._entries)]
        return tuple(self._status(entry, entry.run, running=entry.running is not None) for entry in entries)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of `jobs`; return a function that ends this."""
        return self._listeners.add(callback)

    async def recover(self) -> None:
        """Go on with the jobs that ran when this ended, however it ended; the archive has been opened.

        Standing ones go on once they are added. Once done, it need not be done again.
        """
        async with self._recovering:
            if self._recovered:
                return
            for known in await asyncio.to_thread(self._memory.load):
                if known.standing:
                    self._remembered[known.job.name] = known
                elif known.job.name not in self._entries:
                    entry = self._know(known.job, standing=False)
                    self._begin(entry, known.counts)
                    await self._look_back(entry)
            self._recovered = True
            while self._early:
                name, (job, running) = self._early.popitem()
                del self._entries[name]
                await self._add(job, running=running)
            self._calendar = asyncio.create_task(self._keep_looking())
            self._calendar.add_done_callback(_ended)

    async def close(self) -> None:
        """End; what runs goes on after the next `recover`."""
        if self._calendar:
            self._calendar.cancel()
            await asyncio.wait([self._calendar])
        await self._remember()
        self._listeners.clear()
        for entry in self._entries.values():
            await entry.end()
        await self._studio.shutter.close()
        await self._studio.eye.close()

    async def _keep_looking(self) -> None:
        """Encode what has become a whole day, and save what was counted."""
        while True:
            await self._remember()
            await self._days.look()
            await self._studio.pace.sleep(CALENDAR)

    async def _ready(self) -> None:
        """Let nothing be done before it is known what was; raises what keeps the disk away."""
        if not self._recovered:
            await asyncio.to_thread(self._archive.check)
            await self.recover()

    async def add(self, job: Job, *, running: bool | None = None) -> None:
        """Know a standing job, or its changed configuration.

        Without `running` it runs if it did when this was last closed, and where it is new. A run goes on counting.
        Before `recover` nothing runs.
        """
        if self._recovered:
            await self._add(job, running=running)
        else:
            self._early[job.name] = job, running
            self._know(job, standing=True)
            self._listeners.tell()

    async def _add(self, job: Job, *, running: bool | None) -> None:
        known = self._entries.get(job.name)
        remembered = self._remembered.pop(job.name, None)
        counts = remembered.counts if remembered else None
        ran = remembered is None or counts is not None
        if known:
            counts = known.running.counts if known.running else None
            ran = known.running is not None
            await known.end()
        entry = self._know(job, standing=True)
        if ran if running is None else running:
            self._begin(entry, counts)
        await self._remember()
        await self._look_back(entry)

    async def remove(self, name: str) -> None:
        """Forget a standing job; its frames and videos stay. Raises `NoSuchJob`."""
        entry = self._known(name)
        self._early.pop(name, None)
        await entry.end()
        self._entries.pop(name, None)
        await self._remember()
        self._listeners.tell()

    async def start(self, job: Job, *, standing: bool = False) -> JobStatus:
        """Run a job, on the disk before this returns.

        Raises `JobExists`, or what keeps frames from being kept: `ArchiveMissing`, `NotWritable`, `LowSpace`.
        """
        await self._ready()
        known = self._entries.get(job.name)
        if known and (known.run or not standing):
            raise JobExists(job=job.name)
        entry = self._know(job, standing=standing)
        self._begin(entry)
        try:
            await asyncio.to_thread(self._archive.check)
            await self._save()
        except BaseException:
            await entry.end()
            self._forget(entry)
            raise
        await self._look_back(entry)
        return self._status(entry, entry.run, running=True)

    async def resume(self, name: str) -> JobStatus:
        """Run a standing job as it is configured; raises as `start`, and `NoSuchJob`."""
        await self._ready()
        return await self.start(self._known(name).job, standing=True)

    async def stop(self, name: str, *, render: bool | None = None) -> Finished:
        """End a run; with `render`, or where the job says so, let its frames become a video.

        Raises `NoSuchJob`, and `TooManyJobs` where no more renders may wait: the job then goes on.
        """
        await self._ready()
        entry = self._running(name)
        run = entry.run
        assert run is not None
        wanted = entry.job.render if render is None else render
        if wanted and run.counts.frames:
            self._queue.check()
        await entry.end()
        try:
            # asked for first: whenever the machine fails, the run goes on or its video is made
            video = await self._render(run) if wanted and run.counts.frames else None
        finally:
            self._forget(entry)
            await self._remember()
            self._listeners.tell()
        return Finished(self._status(entry, run, running=False), video)

    async def frame(self, name: str) -> Item:
        """Take a frame of a running job now.

        Raises `NoSuchJob`, or what keeps the camera or the disk away.
        """
        await self._ready()
        run = self._running(name).run
        assert run is not None
        return await run.frame()

    def _series(self) -> list[Series]:
        """Return the days to encode.

        Those of a job that does not stand begin after the day of its start, which its video cuts in two.
        """
        series = []
        for entry in self._entries.values():
            if entry.standing:
                series.append(Series(entry.job, date.min))
            elif entry.run:
                series.append(Series(entry.job, entry.run.counts.started_at.date() + ONE_DAY))
        return series

    async def _render(self, run: Run) -> Render:
        """Ask for a video of exactly the frames of a run."""
        counts = run.counts
        assert counts.first_at is not None
        assert counts.last_at is not None
        request = run.job.request(counts.first_at, counts.last_at, self._pipeline.name)
        return await self._queue.add(self._archive.camera, request)

    def _known(self, name: str) -> _Entry:
        if entry := self._entries.get(name):
            return entry
        raise NoSuchJob(", ".join(sorted(self._entries)), job=name)

    def _running(self, name: str) -> _Entry:
        if (entry := self._entries.get(name)) and entry.running:
            return entry
        running = sorted(known.job.name for known in self._entries.values() if known.running)
        raise NoSuchJob(", ".join(running), job=name)

    def _know(self, job: Job, *, standing: bool) -> _Entry:
        known = self._entries.get(job.name)
        diary = known.diary if known else Diary(job.name, self._archive)
        entry = self._entries[job.name] = _Entry(job, diary, standing=standing)
        return entry

    async def _look_back(self, entry: _Entry) -> None:
        """Learn what a job has of today; where the disk is away, its next frame says so."""
        with suppress(TripodError):
            await entry.diary.look_back()
        self._listeners.tell()

    def _forget(self, entry: _Entry) -> None:
        """Forget a run that is over, and the job that does not stand."""
        entry.clear()
        if not entry.standing:
            self._entries.pop(entry.job.name, None)

    def _begin(self, entry: _Entry, counts: Counts | None = None) -> None:
        counts = counts or Counts(started_at=self._studio.now())
        entry.begin(Run(entry.job, self._studio, counts, entry.diary))

    def _status(self, entry: _Entry, run: Run | None, *, running: bool) -> JobStatus:
        frames_today = entry.diary.frames(self._studio.now().date())
        status = JobStatus(
            job=entry.job,
            standing=entry.standing,
            running=running,
            frames_today=frames_today,
            last_frame_at=entry.diary.last_frame_at,
        )
        if run is None:
            return status
        return replace(
            status,
            started_at=run.counts.started_at,
            frames=run.counts.frames,
            missed=run.counts.missed,
            skipped=run.counts.skipped,
            next_at=local(run.next_at, self._archive.zone) if running and run.next_at is not None else None,
            error=run.error,
        )

    async def _remember(self) -> None:
        """Save, where failing to is no reason to stop."""
        if not self._recovered:
            return
        try:
            await self._save()
        except TripodError as error:
            _LOGGER.warning("%s: the timelapses cannot be saved: %s", self._pipeline.name, error)

    async def _save(self) -> None:
        known = [entry.remembered() for entry in self._entries.values()]
        await self._memory.save([*known, *self._remembered.values()])


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "a timelapse ended", "exception": error, "task": task})
