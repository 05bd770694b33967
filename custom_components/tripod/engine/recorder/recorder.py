"""All recordings of one camera."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from ..archive import Archive, Kind, confined
from ..archive.item import SUFFIXES
from ..errors import (
    ArchiveMissing,
    DiskFull,
    InvalidRequest,
    NothingRecorded,
    NotRecording,
    NotWritable,
    Stopped,
    TooManyJobs,
    TripodError,
)
from ..events import Failed, RecordingReady, Tell
from ..feed import BACKLOG_LIMIT
from ..listeners import Listeners
from ..pipeline import Pipeline
from ..sources.base import Medium
from ..status import State
from .container import Container
from .finish import Finisher, Recorded
from .recording import Desk, Recording, RecordingState, Request
from .spool import File, Spool, open_file

LIMIT = 16
"""Recordings of one camera at once."""

PACKERS = 2
"""Recordings that are packed at once: one that takes long does not hold back a short one."""

RETRY_INTERVAL = 60.0
"""Seconds between two tries to finish what the disk refused."""

CLOSE_LIMIT = 15.0
"""Seconds that closing may take: Home Assistant gives its parts little more, and the next start finishes the rest."""

OWNER = "recording"
"""Whose the parts in the archive are."""

DISK_TROUBLE = (DiskFull, NotWritable, ArchiveMissing)


_ENDED = (RecordingState.DONE, RecordingState.FAILED)


class Recorder:
    """Starts, stops and finishes the recordings of one camera."""

    def __init__(
        self,
        pipeline: Pipeline,
        archive: Archive,
        tell: Tell,
        *,
        limit: int = LIMIT,
        backlog_limit: int = BACKLOG_LIMIT,
        open_file: Callable[[Path], File] = open_file,
    ) -> None:
        """Record from `pipeline` into `archive`, at most `limit` at once; `tell` hears what became of it.

        While the disk does not keep up, each keeps `backlog_limit` bytes.
        """
        self._pipeline = pipeline
        self._archive = archive
        self._tell = tell
        self._limit = limit
        self._backlog_limit = backlog_limit
        self._open_file = open_file
        self._finisher = Finisher(archive, pipeline.tools.ffmpeg)
        self._packing = asyncio.Semaphore(PACKERS)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tripod-recorder")
        self._listeners = Listeners()
        self._starting = 0
        self._closed = False
        self._recordings: list[Recording] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._unfinished: set[Path] = set()
        self._in_hand: set[Path] = set()
        self._failures: set[tuple[Path, str]] = set()
        self._retrying: asyncio.Task[None] | None = None

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Those that are under way or being finished, oldest first."""
        return tuple(one for one in self._recordings if one.state not in _ENDED)

    async def recover(self) -> list[Recorded]:
        """Finish what an earlier run of the program left; takes as long as copying it.

        What cannot be finished is told, and tried again later.
        """
        recorded: list[Recorded] = []
        for folder in await asyncio.to_thread(self._archive.parts, OWNER):
            recorded += await self._finish_later(folder)
        return recorded

    async def start(
        self,
        *,
        duration: float | None,
        pre_roll: float = 0.0,
        container: Container = Container.MP4,
        name: str | None = None,
    ) -> Recording:
        """Record `duration` seconds from now on, or until stopped, and the last `pre_roll` seconds before.

        It begins at the key frame at or before the asked second, as far as the ring reaches. `name` is a path within
        the archive's folder of the day. Raises `Stopped`, `TooManyJobs`, `InvalidRequest`, `InvalidName`, `LowSpace`,
        `NotWritable` or `ArchiveMissing`.
        """
        asked = self._pipeline.packet_feed.monotonic()
        if (duration is not None and duration <= 0) or pre_roll < 0:
            raise InvalidRequest("a recording lasts longer than nothing")
        if name is not None:
            name = name.removesuffix(container.suffix) + container.suffix
            confined(name, SUFFIXES[Kind.RECORDING])
        if self._closed or self._pipeline.state is State.STOPPED:
            raise Stopped
        if self._starting + sum(recording.under_way for recording in self._recordings) >= self._limit:
            raise TooManyJobs(limit=str(self._limit))
        request = Request(
            asked_at=datetime.fromtimestamp(self._pipeline.clock(), self._archive.zone),
            asked=asked,
            duration=duration,
            container=container,
            name=name,
        )
        with ExitStack() as stack:
            recording = await self._begin(request, stack, pre_roll)
            self._spawn(self._run(recording, stack.pop_all()))
        return recording

    async def _begin(self, request: Request, stack: ExitStack, pre_roll: float) -> Recording:
        """Take a place in the ring at once, and a folder as soon as the disk gives one."""
        stack.enter_context(self._pipeline.demand(Medium.PACKETS))
        backlog = stack.enter_context(self._pipeline.packet_feed.backlog(pre_roll, self._backlog_limit))
        self._starting += 1
        try:
            await asyncio.to_thread(self._archive.check)
            folder = await asyncio.to_thread(self._archive.new_part, OWNER)
        finally:
            self._starting -= 1
        if self._closed:
            raise Stopped
        desk = Desk(
            pipeline=self._pipeline,
            archive=self._archive,
            backlog=backlog,
            spool=Spool(folder, open_file=self._open_file),
            folder=folder,
            thread=self._thread,
        )
        recording = Recording(request, desk, self._listeners.tell, partial(self._failed, folder))
        self._recordings.append(recording)
        self._listeners.tell()
        return recording

    async def stop(self, recording: str | None = None) -> list[Recording]:
        """End the recording with this id, or all; raises `NotRecording` where there is none."""
        found = [one for one in self._recordings if one.under_way and recording in (None, one.id)]
        if not found:
            raise NotRecording
        for one in found:
            one.stop()
        return found

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of a recording's state; return a function that ends this."""
        return self._listeners.add(callback)

    async def close(self) -> None:
        """End all recordings and publish them, as far as that is quick; `recover` finishes the rest."""
        self._closed = True
        self._listeners.clear()
        for recording in self._recordings:
            recording.stop()
        if self._retrying:
            self._retrying.cancel()
        if tasks := set(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=CLOSE_LIMIT)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, recording: Recording, stack: ExitStack) -> None:
        with stack:
            await recording.run(partial(self._finish, recording, stack))
        self._recordings.remove(recording)

    async def _finish(self, recording: Recording, stack: ExitStack) -> list[Recorded]:
        stack.close()  # the camera need not run for what is left to do
        return await self._pack(recording.folder, whole=recording.whole)

    async def _finish_later(self, folder: Path) -> list[Recorded]:
        """Finish what was left behind, unless that is under way; what keeps it from that is told once."""
        if folder in self._in_hand:
            return []
        self._in_hand.add(folder)
        told = folder in self._unfinished
        try:
            recorded = await self._pack(folder, whole=False)
        except NothingRecorded:
            recorded = []
        except TripodError as error:
            if not told:
                self._failed(folder, error)
            return []
        finally:
            self._in_hand.discard(folder)
        self._unfinished.discard(folder)
        return recorded

    async def _pack(self, folder: Path, *, whole: bool) -> list[Recorded]:
        self._pipeline.crew.work("recorder")
        try:
            async with self._packing:
                recorded = await self._finisher.finish(folder, whole=whole)
        except DISK_TROUBLE:
            self._try_later(folder)
            raise
        for one in recorded:
            self._tell(RecordingReady(one.item, one.details))
        return recorded

    def _try_later(self, folder: Path) -> None:
        self._unfinished.add(folder)
        if self._retrying is None or self._retrying.done():
            self._retrying = self._spawn(self._keep_trying())

    async def _keep_trying(self) -> None:
        while self._unfinished:
            await asyncio.sleep(RETRY_INTERVAL)
            for folder in sorted(self._unfinished):
                await self._finish_later(folder)

    def _failed(self, folder: Path, error: TripodError) -> None:
        if (folder, error.cause) in self._failures:
            return  # that it was lost, and so cannot be finished, is one piece of news
        self._failures.add((folder, error.cause))
        self._tell(Failed("recording", folder.name.rpartition("-")[2], error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "recording ended", "exception": error, "task": task}
            )
