"""Push a camera's packets to one server for as long as it is switched on, and come back after every failure.

One worker a connection: it is fed as any other consumer of the pipeline is, so a server that is too slow makes the
video jump to the newest key frame, and nobody else. Restarts of the camera pass through the connection; only when the
camera stays away, or its video becomes another one, it is ended, and begun anew with the next picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
import logging
import time
from typing import NamedTuple, NoReturn

from ..backoff import Backoff
from ..errors import CannotPublish, Stopped, TripodError, Unauthorized
from ..feed import PacketReader
from ..ffmpeg import explain
from ..listeners import Listeners
from ..pipeline import Pipeline
from ..process import Process
from ..sources.base import Medium
from ..sources.network_streams import check
from .output import command
from .progress import WATCH, Progress
from .publication import Publication
from .status import PublisherState, PublisherStatus

_LOGGER = logging.getLogger(__name__)

AWAY = 15.0
"""Seconds without a picture after which the connection is ended: a camera that restarts is back sooner, and servers let
go of who sends nothing for 10 to 60 seconds."""

GOOD = 60.0
"""Seconds of publishing after which a failure counts as the first again."""

FAREWELL = 3.0
"""Seconds for the worker to take leave of the server when the video has ended."""

LIFETIME = 20 * 86400.0
"""Seconds after which a connection is begun anew: RTMP's time stamps end after 24 days."""


class Publisher:
    """The supervision of one publication."""

    def __init__(
        self,
        pipeline: Pipeline,
        publication: Publication,
        *,
        name: str = "",
        backoff: Backoff | None = None,
        progress: Callable[[], Progress] = Progress,
        away: float = AWAY,
    ) -> None:
        """Prepare to push the video of `pipeline`; `name` is the publication's for people.

        The connection is ended when the camera has delivered nothing for `away` seconds.
        """
        self.publication = publication
        self.title = name or publication.host
        self._pipeline = pipeline
        self._name = f"{pipeline.name}: {self.title}"
        self._backoff = backoff or Backoff()
        self._progress = progress
        self._away = away
        self._listeners = Listeners()
        self._task: asyncio.Task[None] | None = None
        self._state = PublisherState.STOPPED
        self._error: TripodError | None = None
        self._logged: str | None = None
        self._since: float | None = None
        self._retry_at: float | None = None
        self._current = progress()
        """That of the connection under way, or of the last one."""
        self._frames = self._bytes = self._dropped = self._restarts = 0
        """Those of the connections before."""

    @property
    def on(self) -> bool:
        """Whether it is switched on."""
        return self._task is not None

    def start(self) -> None:
        """Publish from now on; the camera is kept awake for it."""
        if self._task is None:
            self._backoff.reset()
            # a context of its own, or the request that switched it on would live as long
            self._task = asyncio.create_task(self._run(), name=f"publish {self._name}", context=Context())

    async def stop(self) -> None:
        """End the connection, and stay so until `start`."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
            self._enter(PublisherState.STOPPED)

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of state; return a function that ends this."""
        return self._listeners.add(callback)

    @property
    def status(self) -> PublisherStatus:
        """How it is at this moment."""
        return PublisherStatus(
            state=self._state,
            error=self._error,
            since=self._since,
            retry_at=self._retry_at,
            frames=self._frames + self._current.frames,
            bytes=self._bytes + self._current.bytes,
            dropped=self._dropped,
            restarts=self._restarts,
        )

    async def _run(self) -> None:
        self._pipeline.crew.work("publisher")
        with self._pipeline.demand(Medium.PACKETS):
            behind = self._pipeline.packet_feed.reader()
            while True:
                first, reader = await self._live(behind)
                self._enter(PublisherState.CONNECTING, self._error)
                try:
                    await self._connection(first, reader)
                except TripodError as error:
                    await self._rest(error)
                behind = reader

    async def _live(self, behind: PacketReader) -> tuple[bytes, PacketReader]:
        """Wait until the camera delivers more than `behind` has read; return that, from the newest key frame on.

        While the camera is away the ring still holds what it delivered before, which is nobody's live picture.
        """
        feed = self._pipeline.packet_feed
        while True:
            self._enter(PublisherState.WAITING, self._pipeline.failure(Medium.PACKETS))
            came = await behind.next()
            if came and feed.parser.video_codec and feed.segments and not feed.segments[-1].complete:
                reader = feed.reader()
                if first := await reader.next():
                    return first, reader

    async def _rest(self, error: TripodError) -> None:
        """Wait for the next try."""
        self._restarts += 1
        if self._since is not None and self._pipeline.clock() - self._since >= GOOD:
            self._backoff.reset()
        # what another try will not mend, and a wrong password tried every second locks accounts
        hopeless = isinstance(error, (CannotPublish, Unauthorized))
        delay = self._backoff.longest() if hopeless else self._backoff.next()
        self._retry_at = self._pipeline.clock() + delay
        if error.cause != self._logged:
            self._logged = error.cause
            _LOGGER.warning("%s: %s", self._name, error)
        self._enter(PublisherState.RETRYING, error)
        await asyncio.sleep(delay)

    async def _connection(self, first: bytes, reader: PacketReader) -> None:
        """Publish until the camera stays away or its video becomes another one; raises what the server made fail."""
        ffmpeg, parser = self._pipeline.tools.ffmpeg, self._pipeline.packet_feed.parser
        hide = await ffmpeg.hides()
        worker = command(ffmpeg, self.publication, parser.video_codec, parser.audio_codec, hide=hide)
        await check(self.publication.url, verify_tls=self.publication.verify_tls, resolve=self._pipeline.tools.resolve)
        self._frames += self._current.frames
        self._bytes += self._current.bytes
        progress = self._current = self._progress()
        progress.on_begin = self._began
        async with Process(
            worker.argv,
            on_output=progress.feed,
            explain=explain,
            secrets=self.publication.secrets,
            stdin=True,
            side_input=worker.hidden,
        ) as child:
            tasks = (
                asyncio.create_task(self._feed(child, first, reader, progress)),
                asyncio.create_task(child.wait()),
            )
            try:
                await self._watch(tasks, progress)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            child.close_stdin()
            with suppress(TimeoutError, TripodError):  # it is over either way
                async with asyncio.timeout(FAREWELL):
                    await child.wait()

    @staticmethod
    async def _watch(tasks: tuple[asyncio.Task[None], asyncio.Task[NoReturn]], progress: Progress) -> None:
        """Wait for the end of the video; raises the worker's death, and what a server is that takes nothing."""
        while True:
            done, _ = await asyncio.wait(tasks, timeout=WATCH, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if done:
                return
            progress.check()

    async def _feed(self, child: Process, first: bytes, reader: PacketReader, progress: Progress) -> None:
        """Write to the worker what comes, until the camera stays away or its video becomes another one."""
        video, ends_at = self._video(), time.monotonic() + LIFETIME
        data: bytes | None = first
        dropped = 0
        while data and not self._video().differs(video) and time.monotonic() < ends_at:
            progress.feeding(reader.frames, len(data))
            await child.write(data)
            progress.fed()
            self._dropped += reader.dropped - dropped
            dropped = reader.dropped
            data = await self._next(reader)

    async def _next(self, reader: PacketReader) -> bytes | None:
        """Return the next packets; None once the camera was stopped, or has been away for long."""
        deadline = time.monotonic() + self._away
        while (left := deadline - time.monotonic()) > 0:
            if data := await reader.next(left):
                return data
            if isinstance(self._pipeline.failure(Medium.PACKETS), Stopped):
                return None
        return None

    def _video(self) -> _Video:
        feed = self._pipeline.packet_feed
        return _Video(feed.parser.video_codec, feed.picture_size)

    def _began(self) -> None:
        """Note that the server takes the video."""
        if self._logged:
            _LOGGER.info("%s: publishing again", self._name)
            self._logged = None
        self._enter(PublisherState.PUBLISHING)

    def _enter(self, state: PublisherState, error: TripodError | None = None) -> None:
        self._state, self._error = state, error and error.with_traceback(None)
        if state is not PublisherState.RETRYING:
            self._retry_at = None
        self._since = self._pipeline.clock() if state is PublisherState.PUBLISHING else None
        self._listeners.tell()


class _Video(NamedTuple):
    """What a connection was announced with."""

    codec: str | None
    size: tuple[int, int] | None

    def differs(self, other: _Video) -> bool:
        """Tell whether it is another one, as far as it is known: a camera that begins anew has not said all yet."""
        return any(own is not None and own != its for own, its in zip(self, other, strict=True))
