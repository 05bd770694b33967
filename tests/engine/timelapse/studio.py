"""A camera and a clock that tests turn, around the real pipeline, archive and files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from custom_components.tripod.engine.archive import Archive, Item
from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.events import Event
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Found, Medium, Source, Tools
from custom_components.tripod.engine.sources.base import Sink
from custom_components.tripod.engine.timelapse import Job, JobStatus, RenderQueue, RenderRequest, Timelapses
from custom_components.tripod.engine.timelapse.queue import Renderer
from custom_components.tripod.engine.timelapse.run import Pace

from ..media import ffmpeg

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 21, 11, 59, 58, tzinfo=BERLIN)

SETTLE = 20
"""Turns of the event loop in which what was begun, such as the camera, takes its first steps."""


@cache
def picture(luma: int) -> bytes:
    """Return a small grey JPEG."""
    return ffmpeg(
        *("-f", "lavfi", "-i", f"color=c=0x{luma:02x}{luma:02x}{luma:02x}:s=64x64"),
        *("-frames:v", "1", "-c:v", "mjpeg", "-f", "image2pipe"),
    )


class Time:
    """A clock that goes when the test says so."""

    def __init__(self, now: float, *, settle: int = SETTLE) -> None:
        self.now = now
        self._settle = settle
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._slept = asyncio.Event()
        self._ticked = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeper = (self.now + seconds, woken)
        self._sleepers.append(sleeper)
        self._slept.set()
        try:
            await woken
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def tick(self) -> None:
        """Wait until the clock goes on."""
        await self._ticked.wait()

    async def asleep(self, count: int) -> None:
        """Wait until as many sleep: nothing is to be done before the clock goes on."""
        for _ in range(self._settle):
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            while len([woken for _, woken in self._sleepers if not woken.done()]) < count:
                self._slept.clear()
                await self._slept.wait()

    async def run(self, seconds: float, *, sleepers: int = 2) -> None:
        """Let time pass, so that each of the sleepers does what is to be done at its moment.

        One is the calendar, which every camera has, and each job with an interval is another.
        """
        end = self.now + seconds
        while True:
            await self.asleep(sleepers)
            due = min((until for until, _ in self._sleepers), default=end)
            if due > end:
                self._set(end)
                return
            self._set(due)
            for until, woken in self._sleepers:
                if until <= due and not woken.done():
                    woken.set_result(None)
            self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]

    def jump(self, seconds: float) -> None:
        """Set the clock, or let the machine sleep: whoever waits goes on waiting for as long as before."""
        self._sleepers = [(until + seconds, woken) for until, woken in self._sleepers]
        self._set(self.now + seconds)

    def _set(self, now: float) -> None:
        self.now = now
        self._ticked.set()
        self._ticked = asyncio.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera(Source):
    """Shows what the test says, whenever the clock goes on."""

    time: Time
    shows: Callable[[], bytes] = lambda: picture(120)
    """May raise what keeps the camera away."""
    runs: list[float] = field(default_factory=list)
    """When it was switched on."""
    ended: list[float] = field(default_factory=list)

    @property
    def native(self) -> Medium:
        return Medium.FRAMES

    @property
    def address(self) -> str:
        return "here"

    async def probe(self, tools: Tools) -> Found:  # noqa: ARG002
        raise AssertionError

    async def capture(self, tools: Tools, sink: Sink) -> NoReturn:  # noqa: ARG002
        self.runs.append(self.time.now)
        try:
            while True:
                sink.frame(self.shows(), self.time.now)
                await self.time.tick()
        finally:
            self.ended.append(self.time.now)

    def as_dict(self) -> dict[str, Any]:
        return {}


class Soon(Backoff):
    """Tries again at once."""

    def next(self) -> float:
        return 0.01


@dataclass(kw_only=True)
class Stage:
    """All there is around one camera's timelapses."""

    time: Time
    camera: Camera
    pipeline: Pipeline
    archive: Archive
    queue: RenderQueue
    timelapses: Timelapses
    events: list[Event]

    def status(self, name: str = "garden") -> JobStatus:
        return next(status for status in self.timelapses.jobs if status.job.name == name)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that changes with the jobs or the queue."""
        changed = asyncio.Event()
        unlisten = [self.timelapses.listen(changed.set), self.queue.listen(changed.set)]
        try:
            async with asyncio.timeout(20):
                while not condition():
                    changed.clear()
                    await changed.wait()
        finally:
            for end in unlisten:
                end()


async def no_render(
    request: RenderRequest, archive: Archive, ffmpeg: Ffmpeg, progress: Callable[[float], None]
) -> Item:
    """Render for ever: for tests that look at the queue only."""
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    time: Time | None = None,
    shows: Callable[[], bytes] = lambda: picture(120),
    allowed: Callable[[Job], bool] = lambda _: True,
    linger: float = 0.01,
    render: Renderer = no_render,
    patience: float = 20.0,
    recovered: bool = True,
) -> AsyncIterator[Stage]:
    """Set the stage in `folder`, which may hold what an earlier one left."""
    time = time or Time(START.timestamp())
    camera = Camera(time=time, shows=shows)
    program = Ffmpeg()
    pipeline = Pipeline(camera, Tools(ffmpeg=program), Options(linger=linger), backoff=Soon(), clock=time)
    archive = Archive(folder / "garden", "garden", zone=BERLIN, floor=0, clock=time)
    events: list[Event] = []
    queue = RenderQueue(folder / "renders.json", program, render, clock=time)
    timelapses = Timelapses(
        pipeline,
        archive,
        events.append,
        program,
        queue=queue,
        allowed=allowed,
        clock=time,
        pace=Pace(sleep=time.sleep, patience=patience),
    )
    await asyncio.to_thread(archive.open)
    pipeline.open()
    await queue.open()
    await queue.attach(archive, events.append)
    if recovered:
        await timelapses.recover()
    try:
        yield Stage(
            time=time,
            camera=camera,
            pipeline=pipeline,
            archive=archive,
            queue=queue,
            timelapses=timelapses,
            events=events,
        )
    finally:
        await timelapses.close()
        await queue.close()
        await pipeline.close()
        await asyncio.to_thread(archive.close)
