"""One camera with all that it keeps, its pipeline, archive, recordings and timelapses, and its publications.

The camera streams whatever becomes of the disk. The archive is opened as soon as its disk is there, what an earlier run
left is finished then, and from time to time it is looked whether more can be written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
import logging
import time
from typing import Any

from .archive import Archive, Item, Kind, Retention, Usage
from .errors import ArchiveMissing, LowSpace, NoSuchRender, TripodError
from .events import Event, Failed, RecordingReady, SnapshotKept, Tell, TimelapseReady
from .feed import Frame
from .keeper import Keeper
from .listeners import Listeners
from .pipeline import Pipeline
from .publisher import Publications
from .recorder import Recorder, Recording, recorder
from .timelapse import Job, Render, RenderQueue, RenderRequest, Timelapses

_LOGGER = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds until it is looked again whether a disk that is missing, full or read-only is well."""

CHECK = 60.0
"""Seconds until it is looked again whether a disk that is well still is."""

PAUSE = 1.0
"""Seconds between two looks at least: ten timelapses must not have the disk counted ten times a second."""


_READY: Mapping[Kind, type[RecordingReady | TimelapseReady]] = {
    Kind.RECORDING: RecordingReady,
    Kind.VIDEO: TimelapseReady,
}
"""What is told of a finished file."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a camera keeps, as it was when it was looked at last."""

    usage: Mapping[tuple[Kind, str], Usage] = field(default_factory=dict)
    """By kind and job."""
    free: int | None = None
    """Bytes on the disk; None where it is not there."""
    forecast: float | None = None
    """Days until the disk is full, as things went of late; None: it will not be, or nobody knows."""
    newest: Mapping[Kind, Item] = field(default_factory=dict)
    """The last snapshot and the last frame of any timelapse, where there are any."""

    @property
    def size(self) -> int:
        """Bytes of all together."""
        return sum(usage.size for usage in self.usage.values())


class Camera:
    """A pipeline and what is kept of it."""

    def __init__(
        self,
        pipeline: Pipeline,
        archive: Archive,
        *,
        keeper: Keeper,
        renders: RenderQueue,
        retention: Retention | None = None,
        allowed: Callable[[Job], bool] = lambda _: True,
        permit: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep what `pipeline` delivers in `archive`, within `retention`.

        `keeper` and `renders` are those of all cameras. `allowed` says whether a timelapse may take a frame now.
        `permit` raises what forbids the archive's folder; it may block. `clock` tells Unix time.
        """
        self.pipeline = pipeline
        self.archive = archive
        self.keeper = keeper
        self.recorder = Recorder(pipeline, archive, self.tell)
        self.timelapses = Timelapses(
            pipeline, archive, self.tell, pipeline.tools.ffmpeg, queue=renders, allowed=allowed, clock=clock
        )
        self.publications = Publications(pipeline)
        self.error: TripodError | None = None
        """What keeps anything from being written."""
        self.present = False
        """Whether the archive is open."""
        self.kept = Kept()
        self._queue = renders
        self._retention = retention or Retention()
        self._permit = permit
        self._listeners = Listeners()
        self._tells: list[Tell] = []
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()
        self._recovered = False
        """Whether it is known which timelapses ran before."""
        self._standing: Mapping[str, Job] = {}
        self._settling = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._endings: list[Callable[[], None]] = []

    def open(self) -> None:
        """Begin to look after the archive; the pipeline is opened by itself."""
        for listen in (self.recorder.listen, self.timelapses.listen):
            self._endings.append(listen(self._changed))
        self._endings.append(self._queue.listen(self._listeners.tell))
        self._begin("look after the archive", self._keep_looking())

    async def close(self) -> None:
        """End everything that is kept, and publish what can be at once; the rest is finished at the next start."""
        await self.publications.close()
        for end in self._endings:
            end()
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())
        await asyncio.gather(self.recorder.close(), self.timelapses.close())
        await self._lose()
        with suppress(TripodError):  # a disk that is away has nothing to be told
            await asyncio.to_thread(self.archive.close)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of what is kept or keeps from it; return a function that ends this."""
        return self._listeners.add(callback)

    def hear(self, tell: Tell) -> Callable[[], None]:
        """Let `tell` hear of each event; return a function that ends this."""
        self._tells.append(tell)

        def end() -> None:
            with suppress(ValueError):
                self._tells.remove(tell)

        return end

    def tell(self, event: Event) -> None:
        """Note what became of files, and pass it on."""
        if isinstance(event, Failed):
            _LOGGER.warning("%s: the %s %s failed: %s", self.pipeline.name, event.what, event.name, event.error)
        for tell in tuple(self._tells):
            tell(event)
        self._wake.set()

    def limit(self, retention: Retention, floor: int) -> None:
        """Keep within `retention` from now on, and leave `floor` bytes of the disk free."""
        self._retention = retention
        self.archive.floor = floor
        if self.present:
            self.keeper.add(self.archive, retention, self.tell)
        self._wake.set()

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The recordings that still take what comes."""
        return tuple(recording for recording in self.recorder.recordings if recording.under_way)

    @property
    def renders(self) -> tuple[Render, ...]:
        """The timelapses of this camera that wait to become videos, and the one that does."""
        return tuple(render for render in self._queue.renders if render.camera == self.archive.camera)

    async def render(self, request: RenderRequest) -> Render:
        """Let a timelapse become a video when its turn comes; raises `TooManyJobs`."""
        return await self._queue.add(self.archive.camera, request)

    async def cancel_render(self, render_id: str) -> Render:
        """End a render of this camera that waits or runs; raises `NoSuchRender`."""
        if render_id not in {render.id for render in self.renders}:
            raise NoSuchRender
        return await self._queue.cancel(render_id)

    async def ready(self) -> None:
        """Raise what keeps anything from being written to the archive now."""
        await self._examine()
        if self.error:
            raise self.error.with_traceback(None)

    async def readable(self) -> None:
        """Raise what keeps the archive from being read; a disk that is full can be."""
        if not self.present:
            await self._examine()
        if not self.present and self.error:
            raise self.error.with_traceback(None)

    async def begin_anew(self) -> None:
        """Make an empty archive where the known one is missing, on the user's word; raises `TripodError`."""
        await asyncio.to_thread(self.archive.begin_anew)
        await self.look()

    async def snapshot(self, frame: Frame, picture: bytes, *, name: str | None = None) -> Item:
        """Keep a picture of `frame`, under `name` where it has one; raises what keeps it from that."""
        await self.ready()
        captured_at = datetime.fromtimestamp(frame.captured_at, self.archive.zone)
        publish = partial(self.archive.publish, Kind.SNAPSHOT, captured_at, picture, suffix=".jpg", name=name)
        item = await asyncio.to_thread(publish)
        self.tell(SnapshotKept(item))
        return item

    async def adopt(self, publish: Callable[[Archive], Item]) -> Item:
        """Keep what was captured elsewhere, which `publish` puts into the archive; raises what keeps it from that."""
        await self.ready()
        item = await asyncio.to_thread(publish, self.archive)
        if ready := _READY.get(item.kind):
            self.tell(ready(item, await asyncio.to_thread(self.archive.details, item)))
        self._wake.set()
        return item

    def _changed(self) -> None:
        self._listeners.tell()
        self._wake.set()

    async def stand(self, jobs: Iterable[Job]) -> None:
        """Have these standing timelapses and no others, as soon as it is known which of them ran before."""
        self._standing = {job.name: job for job in jobs}
        if self._recovered:
            await self._stand()

    async def _stand(self) -> None:
        async with self._settling:
            known = {status.job.name: status.job for status in self.timelapses.jobs if status.standing}
            for name in known.keys() - self._standing.keys():
                await self.timelapses.remove(name)
            for name, job in self._standing.items():
                if known.get(name) != job:
                    await self.timelapses.add(job)

    def _begin(self, what: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[what] = asyncio.create_task(work, name=f"{self.pipeline.name}: {what}")

    async def _keep_looking(self) -> None:
        while True:
            self._wake.clear()
            await self.look()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY if self.error else CHECK):
                    await self._wake.wait()

    async def look(self) -> None:
        """Look now whether the disk is well, and what is on it."""
        await self._examine()
        await self._count()
        self._listeners.tell()

    async def _examine(self) -> None:
        """Look whether the disk is well."""
        async with self._looking:
            before = self.error
            try:
                await self._open()
                await self._check()
                self.error = None
            except TripodError as error:
                self.error = error
                if isinstance(error, ArchiveMissing):
                    await self._lose()
            if before and not self.error:
                self._recover()
        if type(before) is not type(self.error):
            self._say(before)

    def _say(self, before: TripodError | None) -> None:
        """Tell what keeps anything from being written since just now, or that nothing does any more."""
        if self.error:
            self.tell(Failed("archive", str(self.archive.root), self.error))
        elif before:
            _LOGGER.info("%s: files are kept again in %s", self.pipeline.name, self.archive.root)
        self._changed()

    async def _open(self) -> None:
        if self.present:
            return
        await asyncio.to_thread(self._permit)
        await asyncio.to_thread(self.archive.open)
        self.present = True
        self.keeper.add(self.archive, self._retention, self.tell)
        await self._queue.attach(self.archive, self.tell)
        self._recover()

    async def _lose(self) -> None:
        self.present = False
        self.keeper.remove(self.archive)
        await self._queue.detach(self.archive.camera)

    async def _check(self) -> None:
        """Raise what keeps anything from being written, if it still does when all has gone that may go."""
        try:
            await asyncio.to_thread(self.archive.check)
            await self.keeper.tend()
        except LowSpace:
            await self.keeper.prune(self.archive)
            await asyncio.to_thread(self.archive.check)

    def _recover(self) -> None:
        """Finish what was left; what takes long must keep nobody from recording."""
        running = self._tasks.get("recover")
        if running is None or running.done():
            self._begin("recover", self._finish_what_was_left())

    async def _finish_what_was_left(self) -> None:
        try:
            if not self._recovered:
                await self.timelapses.recover()
                self._recovered = True
                await self._stand()
            await self.recorder.recover()
            # what could not be finished yet, as the disk was full, stays until it can
            await asyncio.to_thread(self.archive.clear_parts, (recorder.OWNER,))
        except TripodError as error:
            self.tell(Failed("archive", str(self.archive.root), error))
        self._listeners.tell()

    async def _count(self) -> None:
        if not self.present:
            self.kept = Kept()
            return
        with suppress(TripodError):  # which the next look tells
            counted = await asyncio.to_thread(self._counted)
            self.kept = replace(counted, forecast=await self.keeper.forecast())

    def _counted(self) -> Kept:
        usage = self.archive.usage()
        newest = {
            Kind.SNAPSHOT: self.archive.latest(Kind.SNAPSHOT),
            Kind.FRAME: max(
                filter(None, (self.archive.latest(kind, job) for kind, job in usage if kind is Kind.FRAME)),
                key=lambda item: item.captured_at,
                default=None,
            ),
        }
        return Kept(
            usage=usage,
            free=self.archive.free(),
            newest={kind: item for kind, item in newest.items() if item},
        )
