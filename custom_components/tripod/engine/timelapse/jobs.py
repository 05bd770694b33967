"""One camera's timelapses: which there are, which run, and what is remembered of them across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
import json
import logging
import time
from typing import Any

from ..archive import Archive, Item, files
from ..errors import JobExists, NoSuchJob, TripodError
from ..events import Tell
from ..ffmpeg import Ffmpeg
from ..listeners import Listeners
from ..pipeline import Pipeline
from .capture import Shutter
from .difference import Eye
from .job import Job, JobStatus
from .queue import Render, RenderQueue
from .run import Counts, Diary, Run, Studio
from .schedule import local

_LOGGER = logging.getLogger(__name__)

FILE = ".jobs.json"
"""In the archive's folder: where the frames are is where it is known what they are for."""

VERSION = 1


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
        self.task: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """End the run, with the frame that is being kept."""
        if self.task:
            self.task.cancel()
            await asyncio.wait([self.task])
        self.run = self.task = None


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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take frames of `pipeline` into `archive`; nothing runs before `recover`.

        `allowed` says whether the sun and the condition of a job let a frame be taken now. `clock` tells Unix time,
        and `sleep` waits for so many seconds of it.
        """
        self._archive = archive
        self._queue = queue
        self._pipeline = pipeline
        self._entries: dict[str, _Entry] = {}
        self._remembered: dict[str, dict[str, Any]] = {}
        """What the file says of standing jobs that the configuration has not named yet."""
        self._listeners = Listeners()
        self._saving = asyncio.Lock()
        self._studio = Studio(
            archive=archive,
            shutter=Shutter(pipeline),
            eye=Eye(ffmpeg),
            tell=tell,
            allowed=allowed,
            clock=clock,
            sleep=sleep,
            changed=self._listeners.tell,
        )

    @property
    def jobs(self) -> tuple[JobStatus, ...]:
        """Every job that runs or stands, by name."""
        entries = [self._entries[name] for name in sorted(self._entries)]
        return tuple(self._status(entry, entry.run, running=entry.run is not None) for entry in entries)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of `jobs`; return a function that ends this."""
        return self._listeners.add(callback)

    async def recover(self) -> None:
        """Go on with the jobs that ran when this ended, however it ended; standing ones once they are added."""
        for data in await asyncio.to_thread(self._load):
            if data["standing"]:
                self._remembered[data["name"]] = data
            elif (job := _job(data)) and job.name not in self._entries:
                entry = self._know(job, standing=False)
                self._begin(entry, _counts(data))
                await self._look_back(entry)

    async def close(self) -> None:
        """End; what runs goes on after the next `recover`."""
        await self._remember()
        self._listeners.clear()
        for entry in self._entries.values():
            await entry.end()
        await self._studio.shutter.close()
        await self._studio.eye.close()

    async def add(self, job: Job, *, running: bool | None = None) -> None:
        """Know a standing job, or its changed configuration.

        Without `running` it runs if it did when this was last closed, and where it is new. A run goes on counting.
        """
        entry = self._entries.get(job.name)
        remembered = self._remembered.pop(job.name, None)
        counts = entry.run.counts if entry and entry.run else None
        if entry:
            was_running = counts is not None
            await entry.end()
        else:
            was_running = remembered is None or remembered["running"]
            counts = _counts(remembered) if remembered and was_running else None
        entry = self._know(job, standing=True)
        if was_running if running is None else running:
            self._begin(entry, counts)
        await self._remember()
        await self._look_back(entry)

    async def remove(self, name: str) -> None:
        """Forget a standing job; its frames and videos stay. Raises `NoSuchJob`."""
        entry = self._known(name)
        await entry.end()
        del self._entries[name]
        await self._remember()
        self._listeners.tell()

    async def start(self, job: Job, *, standing: bool = False) -> JobStatus:
        """Run a job, on the disk before this returns.

        Raises `JobExists`, or what keeps frames from being kept: `ArchiveMissing`, `NotWritable`, `LowSpace`.
        """
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
        return await self.start(self._known(name).job, standing=True)

    async def stop(self, name: str, *, render: bool | None = None) -> Finished:
        """End a run; with `render`, or where the job says so, let its frames become a video.

        Raises `NoSuchJob`, and `TooManyJobs` where no more renders may wait: the job then goes on.
        """
        entry = self._running(name)
        if render is None:
            render = entry.job.render
        if render:
            self._queue.check()
        run = entry.run
        assert run is not None
        await entry.end()
        self._forget(entry)
        await self._remember()
        self._listeners.tell()
        status = self._status(entry, run, running=False)
        return Finished(status, await self._render(run) if render and run.counts.frames else None)

    async def frame(self, name: str) -> Item:
        """Take a frame of a running job now.

        Raises `NoSuchJob`, or what keeps the camera or the disk away.
        """
        run = self._running(name).run
        assert run is not None
        return await run.frame()

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
        if (entry := self._entries.get(name)) and entry.run:
            return entry
        running = sorted(known.job.name for known in self._entries.values() if known.run)
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
        """Forget a job that is over; a standing one stays."""
        if not entry.standing:
            self._entries.pop(entry.job.name, None)

    def _begin(self, entry: _Entry, counts: Counts | None = None) -> None:
        counts = counts or Counts(started_at=self._studio.now())
        entry.run = Run(entry.job, self._studio, counts, entry.diary)
        entry.task = asyncio.create_task(entry.run.run())
        entry.task.add_done_callback(_ended)

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
        try:
            await self._save()
        except TripodError as error:
            _LOGGER.warning("%s: the timelapses cannot be saved: %s", self._pipeline.name, error)

    async def _save(self) -> None:
        async with self._saving:
            jobs = [_as_dict(entry) for entry in self._entries.values()] + list(self._remembered.values())
            data = json.dumps({"version": VERSION, "jobs": jobs}).encode()
            await asyncio.to_thread(self._write, data)

    def _write(self, data: bytes) -> None:
        with files.explained(self._archive.root):
            files.write(self._archive.root / FILE, data)

    def _load(self) -> list[dict[str, Any]]:
        path = self._archive.root / FILE
        try:
            return [data for data in json.loads(path.read_bytes())["jobs"] if {"name", "standing"} <= data.keys()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            _LOGGER.warning("The timelapses at %s cannot be read, so none goes on: %s", path, error)
            return []


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "a timelapse ended", "exception": error, "task": task})


def _as_dict(entry: _Entry) -> dict[str, Any]:
    counts = entry.run.counts if entry.run else None
    return {
        "name": entry.job.name,
        "standing": entry.standing,
        "running": entry.run is not None,
        "job": entry.job.as_dict(),
        "counts": counts and counts.as_dict(),
    }


def _job(data: dict[str, Any]) -> Job | None:
    try:
        return Job.from_dict(data["job"])
    except (TripodError, LookupError, ValueError, TypeError) as error:
        _LOGGER.warning("The timelapse %s cannot be read, so it does not go on: %s", data["name"], error)
        return None


def _counts(data: dict[str, Any]) -> Counts | None:
    try:
        return Counts.from_dict(data["counts"])
    except (LookupError, ValueError, TypeError):
        return None
