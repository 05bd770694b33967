"""Record while nobody is there who would: in pieces, so that what is finished can be handed over and pruned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
import logging

from ..engine.camera import Camera
from ..engine.errors import TripodError
from ..engine.recorder import Recording
from ..engine.status import State
from .presence import Presence

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """All in seconds."""

    grace: float = 5.0
    """Of absence before it begins: a connection that was cut is soon back."""
    piece: float = 600.0
    """Of one recording."""
    overlap: float = 2.0
    """By which a piece begins before the one before it ended: better twice than a gap; the ring holds as much."""
    retry: float = 10.0
    """Between two tries, while the disk refuses or the camera brings nothing."""


class RecordWhileAway:
    """What records one camera."""

    def __init__(self, camera: Camera, presence: Presence, rhythm: Rhythm | None = None) -> None:
        """Record `camera` while `presence` is empty."""
        self._camera = camera
        self._presence = presence
        self._rhythm = rhythm or Rhythm()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._endings: list[Callable[[], None]] = []

    def open(self) -> None:
        """Begin to watch."""
        for listen in (self._presence.listen, self._camera.recorder.listen, self._camera.pipeline.listen):
            self._endings.append(listen(self._wake.set))
        self._task = asyncio.create_task(self._run(), name=f"{self._camera.pipeline.name}: record while away")

    async def close(self) -> None:
        """End; what is being recorded is finished by the recorder."""
        for end in self._endings:
            end()
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await self._until(lambda: not self._presence)
            if await self._came_back(self._rhythm.grace):
                continue
            _LOGGER.info("%s: nobody is connected, so it is recorded here", self._camera.pipeline.name)
            await self._record()

    async def _record(self) -> None:
        overlap = 0.0
        while not self._presence:
            if self._camera.pipeline.state is State.STOPPED:
                overlap = 0.0
                await self._until(lambda: bool(self._presence) or self._camera.pipeline.state is not State.STOPPED)
                continue
            try:
                await self._camera.ready()
                recording = await self._camera.recorder.start(duration=self._rhythm.piece, pre_roll=overlap)
            except TripodError as error:  # a disk that refuses was told of by the camera
                _LOGGER.debug("%s: cannot record: %s", self._camera.pipeline.name, error)
                overlap = 0.0
                await self._came_back(self._rhythm.retry)
            else:
                overlap = await self._follow(recording)

    async def _follow(self, recording: Recording) -> float:
        """Wait for the end of a piece, or end it when somebody comes; return the overlap for the next."""
        await self._until(lambda: bool(self._presence) or not recording.under_way)
        if recording.under_way:
            recording.stop()
            return 0.0
        if recording.duration < self._rhythm.piece / 2:  # it was ended by hand, or brought nothing
            await self._came_back(self._rhythm.retry)
            return 0.0
        return self._rhythm.overlap

    async def _came_back(self, seconds: float) -> bool:
        """Wait, and return whether somebody came meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: bool(self._presence))
        return bool(self._presence)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._wake.clear()
            await self._wake.wait()
