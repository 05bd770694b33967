"""A camera that motion-in-ocean serves: its stream, and what it says of itself, so that no drawn picture passes.

Without a camera some of its versions send a drawn picture and call themselves ready.
Facts: tests/recorded/motion_in_ocean.json.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import json
from typing import Any, ClassVar, NoReturn

from ..errors import InvalidSource, MockPicture, SourceFailed, TooManyViewers, Unauthorized
from .address import split
from .base import Found, Medium, Sink, Source, Tools
from .http import HttpClient
from .http_pictures import FrameSink, capture_stream
from .look import look

WATCH = 15.0
"""Seconds between two looks at `/ready`: it refuses more than a hundred requests a minute of one address."""

ALIKE = 25
"""Pictures equal to the last byte, from the first on, that are no camera's: a sensor always has noise."""

_REFUSED = frozenset({401, 403})
_TOO_MANY = 429
_MISSING = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionInOcean(Source):
    """One node of motion-in-ocean."""

    kind: ClassVar[str] = "motion_in_ocean"

    url: str
    """Its base address, such as `http://pi:8000`."""
    token: str = field(default="", repr=False)
    """The bearer token that guards what it says of itself; its stream is open."""
    verify_tls: bool = True

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for what is no base address, or what no header can hold."""
        parts = split(self.url)
        if parts.scheme not in ("http", "https") or parts.username is not None or parts.query:
            raise InvalidSource("the address of a node is like http://pi:8000")
        object.__setattr__(self, "url", parts._replace(fragment="").geturl().rstrip("/"))
        if not (self.token.isascii() and self.token.isprintable()):
            raise InvalidSource("a token with characters that cannot be sent")

    @property
    def native(self) -> Medium:
        """Always JPEG."""
        return Medium.FRAMES

    @property
    def warms_up(self) -> bool:
        """Its sensor runs all the time."""
        return False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.token,) if self.token else ()

    @property
    def address(self) -> str:
        """The base address."""
        return self.url

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}

    async def probe(self, tools: Tools) -> Found:
        """Ask the node what it has, and look at it."""
        return await look(self, tools)

    async def capture(self, tools: Tools, sink: Sink) -> NoReturn:
        """Pass on the stream for as long as the node has a camera."""
        await self._inspect(tools)
        stream = asyncio.create_task(self._stream(tools, sink))
        watch = asyncio.create_task(self._watch(tools))
        try:
            done, _ = await asyncio.wait([stream, watch], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            raise AssertionError("neither ends without an error")
        finally:
            for task in (stream, watch):
                task.cancel()
            await asyncio.gather(stream, watch, return_exceptions=True)

    async def status(self, tools: Tools) -> Mapping[str, Any]:
        """Return what the node says of itself; raises `Unauthorized`, and `SourceFailed` for what is no such node."""
        status, said = await self._ask(tools, "/api/status")
        if status in _REFUSED:
            raise Unauthorized(f"{self.url}: HTTP {status}")
        if status == _TOO_MANY:
            return {}
        if status != 200 or "app_mode" not in said:
            raise SourceFailed(f"{self.url} does not answer as motion-in-ocean does: HTTP {status}")
        return said

    async def _inspect(self, tools: Tools) -> None:
        """Raise what keeps the node from sending its camera's pictures."""
        said = await self.status(tools)
        if said.get("app_mode") == "management":
            raise SourceFailed(f"{self.url} is the hub, which has no camera: bring its list of nodes over")
        if failure := _failure(said):
            raise MockPicture(failure) if said.get("stream_available") else SourceFailed(f"{self.url}: {failure}")
        limits = said.get("connections")
        if isinstance(limits, Mapping) and 0 < _count(limits.get("max")) <= _count(limits.get("current")):
            raise TooManyViewers(limit=str(limits["max"]))
        _, config = await self._ask(tools, "/api/config")
        runtime = config.get("runtime")
        if isinstance(runtime, Mapping) and runtime.get("mock_camera"):
            raise MockPicture("its mock camera is switched on")

    async def _stream(self, tools: Tools, sink: Sink) -> NoReturn:
        async with self._client(tools, "/stream.mjpg") as client:
            await capture_stream(client, _Moving(sink))

    async def _watch(self, tools: Tools) -> NoReturn:
        """Raise when the node says that it is not ready."""
        while True:
            status, said = await self._ask(tools, "/ready")
            if status in _REFUSED:
                raise Unauthorized(f"{self.url}: HTTP {status}")
            if status not in (200, _TOO_MANY, _MISSING):
                await self._inspect(tools)
                raise SourceFailed(f"{self.url} is not ready: {said.get('reason') or f'HTTP {status}'}")
            await asyncio.sleep(WATCH)

    async def _ask(self, tools: Tools, path: str) -> tuple[int, Mapping[str, Any]]:
        """Return the status of an answer, and what it says where that is a JSON object."""
        async with self._client(tools, path) as client:
            status, body = await client.ask()
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        return status, said if isinstance(said, dict) else {}

    def _client(self, tools: Tools, path: str) -> HttpClient:
        return HttpClient(f"{self.url}{path}", token=self.token, verify_tls=self.verify_tls, resolve=tools.resolve)


class _Moving:
    """Passes on pictures that differ from the one before.

    The first waits for a second: a drawn picture never changes, and the last one of a camera that hangs is sent again
    and again.
    """

    def __init__(self, sink: FrameSink) -> None:
        self._sink = sink
        self._last = b""
        self._moved = False
        self._alike = 0

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        if jpeg == self._last:
            self._alike += 1
            if not self._moved and self._alike >= ALIKE:
                raise MockPicture("its pictures are all the same to the last byte")
            return
        if self._last:
            self._moved = True
            self._sink.frame(jpeg, captured_at)
        self._last = jpeg


def _failure(said: Mapping[str, Any]) -> str:
    """Return why the node has no camera; empty where it says nothing of the kind."""
    error = said.get("camera_error")
    if not error:
        return ""
    message = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    return str(message or "its camera is missing")[:200]


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
