"""MJPEG over HTTP: one part a frame, and a drawn picture that says why while there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from ..errors import NoFreshPicture, NotAPicture, TripodError
from ..feed import Frame, FrameReader
from ..jpeg import dimensions
from ..no_signal import NoSignal
from ..pipeline import Pipeline
from ..sources.base import Medium
from ..viewers import Client, Viewer
from .connections import Connection, Connections, LiveResponse
from .query import number
from .timing import Timing

BOUNDARY = "frame"
OPENING = b"--frame\r\n"
HEADERS = {
    "Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect frames
}

USUAL_SIZE = (1280, 720)
"""Of the picture that says why there is none, before the camera showed its own size."""

AGE_HOLDS = 0.05
"""Seconds for which a part's age is true enough to be sent to one more viewer."""

SLOW = 0.2
"""Seconds between two pictures from which on each is sent twice: Chrome shows one when it sees the next's headers."""

MAX_RATE = 120.0
MIN_RATE = 0.01


def part(jpeg: bytes, headers: str) -> bytes:
    """Return one part of the stream, closed by the next boundary, so that it is whole before another one comes."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n{headers}\r\n".encode("ascii", "replace")
    return b"".join((head, jpeg, b"\r\n", OPENING))


class Parts:
    """Frames as parts, made once for all viewers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Tell ages by `clock`, in Unix time."""
        self._clock = clock
        self._frame: Frame | None = None
        self._made_at = 0.0
        self._part = b""

    def of(self, frame: Frame) -> bytes:
        """Return `frame` with its capture time (Unix, seconds), sequence and age (seconds)."""
        now = self._clock()
        if frame is not self._frame or not 0 <= now - self._made_at < AGE_HOLDS:
            self._frame, self._made_at = frame, now
            self._part = part(frame.data, image_headers(frame, now))
        return self._part


def image_headers(frame: Frame, now: float) -> str:
    """Return what every part says about its picture."""
    return (
        f"X-Timestamp: {frame.captured_at:.3f}\r\nX-Sequence: {frame.sequence}\r\n"
        f"X-Age: {max(0.0, now - frame.captured_at):.3f}\r\n"
    )


class Mjpeg:
    """The endpoint, for all its viewers."""

    def __init__(
        self,
        pipeline: Pipeline,
        connections: Connections,
        no_signal: NoSignal,
        describe: Callable[[TripodError], str],
        timing: Timing,
    ) -> None:
        """Serve the frames of `pipeline`; `describe` turns an error into the sentence to draw."""
        self._pipeline = pipeline
        self._connections = connections
        self._no_signal = no_signal
        self._describe = describe
        self._timing = timing
        self._parts = Parts(pipeline.clock)
        self._size = USUAL_SIZE

    async def stream(self, request: web.Request, client: Client) -> web.StreamResponse:
        """Answer with frames until the viewer leaves; raises `TooManyViewers`."""
        rate = number(request, "fps", MIN_RATE, MAX_RATE)
        if request.method == "HEAD":
            return LiveResponse(HEADERS)
        connection = self._connections.accept(request, client, HEADERS)
        with self._pipeline.viewers.admit(client, "mjpeg", request.remote or "") as viewer:
            async with self._pipeline.frames(max_rate=rate) as reader, connection:
                await self._pump(reader, connection, viewer)
        return connection.response

    async def _pump(self, reader: FrameReader, connection: Connection, viewer: Viewer) -> None:
        absence = _Absence(self._pipeline, self._timing)
        output = _Output(connection)
        await connection.write(OPENING)
        first = True
        while not self._pipeline.frame_feed.closed:
            frame = await reader.next(absence.patience)
            if frame is not None:
                absence.ended()
                data = self._parts.of(frame)
                await output.send(data, alone=first)
                if first:
                    self._learn_size(frame)
                    first = False
                viewer.dropped = reader.dropped
                viewer.sent(len(data))
            elif reason := absence.news():
                await output.send(await self._no_signal_part(reason), alone=True)
                first = True

    async def _no_signal_part(self, reason: TripodError) -> bytes:
        picture = await self._no_signal.picture(self._describe(reason), self._size)
        return part(picture, f"X-Timestamp: {self._pipeline.clock():.3f}\r\nX-Tripod-No-Signal: {reason.cause}\r\n")

    def _learn_size(self, frame: Frame) -> None:
        try:
            self._size = dimensions(frame.data)
        except NotAPicture:
            self._size = USUAL_SIZE


class _Output:
    """A viewer's connection, on which no picture waits for the next one to be seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clock = asyncio.get_running_loop().time
        self._sent_at = 0.0

    async def send(self, data: bytes, *, alone: bool) -> None:
        """Send a part, and once more where it stands alone, because the next may be long in coming."""
        now = self._clock()
        await self._connection.write(data)
        if alone or now - self._sent_at > SLOW:
            await self._connection.write(data)
        self._sent_at = now


class _Absence:
    """When to tell a viewer that the camera is away, and why."""

    def __init__(self, pipeline: Pipeline, timing: Timing) -> None:
        self._pipeline = pipeline
        self._timing = timing
        self._clock = asyncio.get_running_loop().time
        self._reason: TripodError | None = None
        self._due: float | None = self._clock() + timing.no_signal_after
        self.patience: float | None = 0.0
        """Seconds until `news` is to be asked without a frame having come; None while frames come."""

    def ended(self) -> None:
        """Take note of a frame."""
        self._reason = self._due = self.patience = None

    def news(self) -> TripodError | None:
        """Return why no frame comes, where this is to be told now."""
        now = self._clock()
        failure = self._pipeline.failure(Medium.FRAMES)
        if self._due is None:
            self._due = now + self._timing.no_signal_after
        changed = failure is not None and (self._reason is None or failure.cause != self._reason.cause)
        if not changed and now < self._due:
            self.patience = self._due - now
            return None
        self._reason = failure or self._reason or NoFreshPicture(f"waited {self._timing.no_signal_after:g} s")
        self._due = now + self._timing.no_signal_every
        self.patience = self._timing.no_signal_every
        return self._reason
