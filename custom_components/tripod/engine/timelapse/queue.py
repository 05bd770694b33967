"""What is to be rendered: one after the other over all cameras, remembered across restarts.

The days that are encoded in the background take their turns here, too, so that a machine never encodes twice at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
import json
import logging
from pathlib import Path
import secrets
import time
from typing import Any, Protocol, Self

from ..archive import Archive, Item, Kind, files
from ..errors import Cancelled, NoSuchRender, TooManyJobs, TripodError, WorkerFailed
from ..events import Failed, Tell, TimelapseReady
from ..ffmpeg import Ffmpeg
from ..listeners import Listeners
from .render import render as to_video
from .request import RenderRequest
from .unbroken import unbroken

_LOGGER = logging.getLogger(__name__)

LIMIT = 100
"""Renders that may wait: more are a script gone wild, and would keep the machine busy for days."""

VERSION = 1


class RenderState(StrEnum):
    """How far a render is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Render:
    """One video that was asked for."""

    def __init__(self, id: str, camera: str, request: RenderRequest, asked_at: float) -> None:  # noqa: A002
        """Begin as waiting; `camera` is the id of the archive, `asked_at` Unix time."""
        self.id = id
        self.camera = camera
        self.request = replace(request, id=id)
        self.asked_at = asked_at
        self.state = RenderState.WAITING
        self.progress = 0.0
        """Of 1."""
        self.item: Item | None = None
        """The video, once it is done."""
        self.error: TripodError | None = None
        """Why there is none."""
        self._ended = asyncio.Event()

    async def ended(self) -> None:
        """Wait until it is done, failed or cancelled."""
        await self._ended.wait()

    async def done(self) -> Item:
        """Wait for the video; raises what it failed with, or `Cancelled`."""
        await self.ended()
        if self.item is None:
            raise (self.error or Cancelled()).with_traceback(None)
        return self.item

    def end(self, state: RenderState, *, item: Item | None = None, error: TripodError | None = None) -> None:
        """Note the outcome, and wake those who wait for it."""
        self.state, self.item, self.error = state, item, error
        self._ended.set()

    def as_dict(self) -> dict[str, Any]:
        """Return what is remembered, as JSON-able data."""
        return {"id": self.id, "camera": self.camera, "asked_at": self.asked_at, "request": self.request.as_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the render that `as_dict` described, waiting."""
        return cls(data["id"], data["camera"], RenderRequest.from_dict(data["request"]), data["asked_at"])


class Renderer(Protocol):
    """How a request becomes a video: `render.render`."""

    async def __call__(
        self, request: RenderRequest, archive: Archive, ffmpeg: Ffmpeg, progress: Callable[[float], None]
    ) -> Item:
        """Render; cancelled, leave nothing behind."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A camera whose renders may run."""

    archive: Archive
    tell: Tell


class RenderQueue:
    """All cameras' renders."""

    def __init__(
        self,
        path: Path,
        ffmpeg: Ffmpeg,
        render: Renderer = to_video,
        *,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember in the file `path` what at most `limit` renders are about; nothing runs before `open`.

        `render` makes the video; it raises a `TripodError` for what the user can act on.
        """
        self._path = path
        self._ffmpeg = ffmpeg
        self._render = render
        self._limit = limit
        self._clock = clock
        self._renders: list[Render] = []
        self._places: dict[str, _Place] = {}
        self._listeners = Listeners()
        self._turn = asyncio.Condition()
        self._busy = False
        self._saving = asyncio.Lock()
        self._running: tuple[Render, asyncio.Task[Item]] | None = None
        self._cancelled: set[Render] = set()
        self._left: set[str] = set()
        """Ids of those that were asked for before the last restart."""
        self._worker: asyncio.Task[None] | None = None

    @property
    def renders(self) -> tuple[Render, ...]:
        """What runs and waits, in the order in which it was asked for."""
        return tuple(self._renders)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change, of the progress by a hundredth, too; return a function that ends this."""
        return self._listeners.add(callback)

    async def open(self) -> None:
        """Take up what was left; each camera's once it is attached."""
        left = await asyncio.to_thread(self._load)
        self._left = {render.id for render in left}
        self._renders = [*left, *self._renders]
        self._worker = asyncio.create_task(self._work())
        self._listeners.tell()

    async def close(self) -> None:
        """End; what runs begins anew after the next `open`."""
        if self._worker:
            self._worker.cancel()
            await asyncio.wait([self._worker])
            self._worker = None
        self._listeners.clear()

    async def attach(self, archive: Archive, tell: Tell) -> None:
        """Let the renders of a camera run, into its archive; `tell` hears how they end."""
        self._places[archive.camera] = _Place(archive, tell)
        await self._wake()

    async def detach(self, camera: str) -> None:
        """Let the renders of a camera wait until it is attached again; what runs begins anew then."""
        self._places.pop(camera, None)
        if self._running and self._running[0].camera == camera:
            await self._break_off(self._running[1])
            async with self._turn:
                await self._turn.wait_for(lambda: self._running is None or self._running[0].camera != camera)

    async def forget(self, camera: str) -> None:
        """Cancel all renders of a camera that is gone for good."""
        await self.detach(camera)
        for render in [render for render in self._renders if render.camera == camera]:
            await self._end(render, RenderState.CANCELLED)

    def check(self) -> None:
        """Raise `TooManyJobs` where no more may wait."""
        if len(self._renders) >= self._limit:
            raise TooManyJobs(limit=str(self._limit))

    async def add(self, camera: str, request: RenderRequest) -> Render:
        """Let a request wait for its turn, on the disk before this returns.

        Raises `TooManyJobs`, or what keeps the file from being written.
        """
        self.check()
        render = Render(secrets.token_hex(4), camera, request, self._clock())
        self._renders.append(render)
        try:
            await self._save()
        except BaseException:
            self._renders.remove(render)
            raise
        self._listeners.tell()
        await self._wake()
        return render

    async def cancel(self, render_id: str) -> Render:
        """End a render that waits or runs; nothing of it is left when this returns. Raises `NoSuchRender`."""
        render = next((render for render in self._renders if render.id == render_id), None)
        if render is None:
            raise NoSuchRender
        if self._running and self._running[0] is render:
            self._cancelled.add(render)
            await self._break_off(self._running[1])
            await render.ended()
        else:
            await self._end(render, RenderState.CANCELLED)
        return render

    @asynccontextmanager
    async def spare_turn(self) -> AsyncIterator[None]:
        """Encode something, while no render runs or could; the renders wait for the end of the context."""
        async with self._taking_turn(lambda: self._next() is None):
            yield

    @asynccontextmanager
    async def _taking_turn(self, may: Callable[[], bool]) -> AsyncIterator[None]:
        async with self._turn:
            await self._turn.wait_for(lambda: not self._busy and may())
            self._busy = True
        try:
            yield
        finally:
            self._busy = False
            await asyncio.shield(self._wake())

    async def _wake(self) -> None:
        async with self._turn:
            self._turn.notify_all()

    def _next(self) -> Render | None:
        """Return the render whose turn it is; those of cameras that are away wait."""
        return next((render for render in self._renders if render.camera in self._places), None)

    async def _work(self) -> None:
        while True:
            async with self._taking_turn(lambda: self._next() is not None):
                if render := self._next():
                    await self._run(render)

    async def _run(self, render: Render) -> None:
        place = self._places[render.camera]
        render.state = RenderState.RUNNING
        self._listeners.tell()

        def progress(share: float) -> None:
            told, render.progress = int(render.progress * 100), share
            if int(share * 100) != told:
                self._listeners.tell()

        task = asyncio.create_task(self._video(render, place.archive, progress))
        self._running = render, task
        try:
            try:
                await asyncio.wait([task])
            finally:
                await self._break_off(task)
            await unbroken(self._note(render, task, place))
        finally:
            self._running = None

    async def _video(self, render: Render, archive: Archive, progress: Callable[[float], None]) -> Item:
        """Return the video, which may be there: killed at the wrong moment, nobody could note that it was done."""
        if render.id in self._left and (found := await asyncio.to_thread(_find, archive, render)):
            return found
        return await self._render(render.request, archive, self._ffmpeg, progress)

    @staticmethod
    async def _break_off(task: asyncio.Task[Item]) -> None:
        task.cancel()
        await asyncio.wait([task])

    async def _note(self, render: Render, task: asyncio.Task[Item], place: _Place) -> None:
        if task.cancelled() and render not in self._cancelled:  # its camera goes, and may come back
            render.state, render.progress = RenderState.WAITING, 0.0
            self._listeners.tell()
            return
        self._cancelled.discard(render)
        if task.cancelled():
            await self._end(render, RenderState.CANCELLED)
        elif error := task.exception():
            if not isinstance(error, TripodError):
                _LOGGER.error("A render failed in a way that was not foreseen", exc_info=error)
                error = WorkerFailed(type(error).__name__)
            await self._end(render, RenderState.FAILED, error=error)
            place.tell(Failed("timelapse", render.request.job, error))
        else:
            item = task.result()
            details = await asyncio.to_thread(place.archive.details, item)
            await self._end(render, RenderState.DONE, item=item)
            place.tell(TimelapseReady(item, details))

    async def _end(self, render: Render, state: RenderState, **outcome: Any) -> None:
        """Forget a render, on the disk before anybody is told."""
        self._renders.remove(render)
        await self._remember()
        render.end(state, **outcome)
        self._listeners.tell()

    async def _remember(self) -> None:
        """Save, where failing to is no reason to stop: what was done is done again after a restart."""
        try:
            await self._save()
        except TripodError as error:
            _LOGGER.warning("The queue of renders cannot be saved: %s", error)

    async def _save(self) -> None:
        async with self._saving:
            renders = [render.as_dict() for render in self._renders]
            await asyncio.to_thread(self._write, json.dumps({"version": VERSION, "renders": renders}).encode())

    def _write(self, data: bytes) -> None:
        with files.explained(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            files.write(self._path, data)

    def _load(self) -> list[Render]:
        try:
            return [Render.from_dict(data) for data in json.loads(self._path.read_bytes())["renders"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, LookupError, TypeError, TripodError) as error:
            _LOGGER.warning("The queue of renders at %s cannot be read, so it begins empty: %s", self._path, error)
            return []


def _find(archive: Archive, render: Render) -> Item | None:
    """Return the video that an earlier run of this program made of a request; blocks."""
    asked_on = datetime.fromtimestamp(render.asked_at, archive.zone).date()
    for day in archive.days(Kind.VIDEO):
        if day.date >= asked_on:
            for item in archive.items(Kind.VIDEO, day.date):
                if item.path.stem.endswith(f"_{render.id}"):
                    return item
    return None
