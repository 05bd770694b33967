"""A camera of a node while it is captured: each medium on a connection of its own, for as long as it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
import time
from typing import Any, NoReturn, Protocol

from ...errors import NoFreshPicture, NotANode, Stopped, StreamEnded, TripodError
from ...mpegts_retimer import Retimer
from ..base import Medium, Sink
from .client import NodeClient
from .controls import NodeControls
from .multipart import Part, PartSplitter
from .remote_errors import failure, remote_error

SILENCE = 30.0
"""Seconds without a byte after which a connection is dead, though the other medium may go on."""

IDLE_LOOK = 10.0
"""Seconds between two looks at a node of whose camera nothing is wanted."""

WATCH = 1.0
"""Seconds between two signs of life for the supervision, which knows only of pictures."""

MAX_AGE = 86400.0
"""Seconds; a picture that claims to be older is taken for new, which its viewers would not be shown otherwise."""


class Camera(Protocol):
    """What of the source matters here."""

    @property
    def camera(self) -> str:
        """The camera's id on its node."""

    @property
    def delivers(self) -> frozenset[Medium]:
        """What is asked of the node."""

    @property
    def interval(self) -> float:
        """Seconds between pictures."""

    @property
    def has_still(self) -> bool:
        """Whether it takes pictures of the sensor's full size."""


class NodeCapture:
    """One run."""

    def __init__(self, source: Camera, client: NodeClient, sink: Sink) -> None:
        """Prepare to fill `sink`."""
        self._source = source
        self._client = client
        self._sink = sink
        began = time.monotonic()
        self._retimer = Retimer(lambda: sink.timestamp_offset + time.monotonic() - began)
        self._work = {Medium.FRAMES: self._take_frames, Medium.PACKETS: self._take_packets}
        self._running: dict[Medium | None, asyncio.Task[NoReturn]] = {}

    async def run(self) -> NoReturn:
        """Take what is wanted until cancelled; raises what ends it."""
        aside = asyncio.create_task(self._read_controls())
        if self._source.has_still:
            self._sink.still = partial(self._client.still, self._source.camera)
        try:
            while True:
                try:
                    await self._explained()
                except Stopped:
                    if not self._sink.wanted.ordered:
                        raise
                self._sink.wanted.ordered = False
                await self._client.start(self._source.camera)
        finally:
            self._sink.still = None
            await _end(aside)

    async def _explained(self) -> NoReturn:
        """Take what is wanted; where the node ends that, ask it why."""
        try:
            await self._follow()
        except StreamEnded as ended:
            raise failure(await self._client.camera(self._source.camera)) or ended from None

    async def _follow(self) -> NoReturn:
        """Take what is wanted, as that changes."""
        try:
            while True:
                change = asyncio.ensure_future(self._sink.wanted.changed())
                try:
                    await self._obey()
                    await asyncio.wait([change, *self._running.values()], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    change.cancel()
                for task in self._running.values():
                    if task.done():
                        task.result()
        finally:
            await _end(*self._running.values())
            self._running.clear()

    async def _obey(self) -> None:
        delivers = self._source.delivers
        alone = len(delivers) == 1  # and so what the whole capture is for
        wanted: set[Medium | None] = {medium for medium in delivers if alone or medium in self._sink.wanted}
        wanted = wanted or {None}
        await _end(*(self._running.pop(medium) for medium in self._running.keys() - wanted))
        for medium in wanted - self._running.keys():
            work: Coroutine[Any, Any, NoReturn] = self._work[medium]() if medium else self._idle()
            self._running[medium] = asyncio.create_task(work)

    async def _idle(self) -> NoReturn:
        """Ask for no picture; only see that the node is still there, because nothing else would show it."""
        while True:
            if error := failure(await self._client.camera(self._source.camera)):
                raise error
            for _ in range(round(IDLE_LOOK / WATCH)):
                self._sink.alive()
                await asyncio.sleep(WATCH)

    async def _take_packets(self) -> NoReturn:
        self._retimer.restart()
        async with self._client.stream(self._source.camera, "stream.ts") as answer:
            if answer.content_type != "video/mp2t":
                raise NotANode(f"it sends {answer.content_type[:80]} where video should come")
            while data := await answer.read(self._patience):
                self._sink.packets(self._retimer.feed(data))
        raise StreamEnded(self._client.host)

    async def _take_frames(self) -> NoReturn:
        splitter, shown = PartSplitter(), ""
        async with self._client.stream(self._source.camera, "stream.mjpg") as answer:
            if not answer.content_type.startswith("multipart/"):
                raise NotANode(f"it sends {answer.content_type[:80]} where pictures should come")
            while data := await answer.read(self._patience):
                for part in splitter.feed(data):
                    if cause := part.headers.get("x-tripod-no-signal"):
                        await self._no_signal(cause)
                        continue
                    number = part.headers.get("x-sequence", "")
                    if number and number == shown:
                        continue  # sent twice, for browsers
                    shown = number
                    self._sink.frame(part.jpeg, time.time() - _age(part))
                    await asyncio.sleep(0)  # every reader sees each picture, though two came at once
        raise StreamEnded(self._client.host)

    async def _no_signal(self, cause: str) -> None:
        """Raise what the node says in place of a picture, unless it only waits for one."""
        if cause == NoFreshPicture.cause:
            return
        error = failure(await self._client.camera(self._source.camera))
        # it may have come back since
        raise error if error and error.cause == cause else remote_error(cause)

    async def _read_controls(self) -> None:
        if isinstance(self._sink.controls, NodeControls):
            with suppress(TripodError):
                await self._sink.controls.refresh()

    @property
    def _patience(self) -> float:
        return SILENCE + self._source.interval


def _age(part: Part) -> float:
    """Return how many seconds ago a picture was taken: the node's clock need not be right for that."""
    try:
        age = float(part.headers.get("x-age", ""))
    except ValueError:
        return 0.0
    return age if 0 <= age <= MAX_AGE else 0.0


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # so that nobody is told of it a second time
