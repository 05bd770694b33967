"""A camera on a real server, and what a client sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
import socket

from aiohttp import ClientSession, web

from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.viewers import Client
from custom_components.tripod.engine.web import CameraEndpoints, Scope

SUB_PATH = "/behind/a/proxy/"


@dataclass
class Site:
    """One camera, served."""

    pipeline: Pipeline
    endpoints: CameraEndpoints
    session: ClientSession
    port: int
    client: Client = field(default_factory=lambda: Client("id", "Test"))
    scope: frozenset[Scope] = frozenset(Scope)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{SUB_PATH}{path}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await self.endpoints.handle(request, request.match_info["path"], self.client, self.scope)

    @asynccontextmanager
    async def multipart(
        self, path: str = "stream.mjpg", *, receive_buffer: int | None = None
    ) -> AsyncIterator[Multipart]:
        """Read an MJPEG stream from a socket."""
        reader, writer = await self.request(path, receive_buffer=receive_buffer)
        try:
            yield await Multipart.begin(reader)
        finally:
            writer.close()

    async def request(
        self, path: str, *, receive_buffer: int | None = None, method: str = "GET"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request and leave the answer to be read."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 2**16)
        writer.write(f"{method} {SUB_PATH}{path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return reader, writer

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking after each change of the camera and each turn of a viewer."""
        async with asyncio.timeout(20):
            while not holds():  # noqa: ASYNC110 - what is waited for is not always announced
                await asyncio.sleep(0.01)


@dataclass
class Part:
    headers: dict[str, str]
    body: bytes

    @property
    def sequence(self) -> int:
        return int(self.headers["X-Sequence"])

    @property
    def no_signal(self) -> str | None:
        return self.headers.get("X-Tripod-No-Signal")


@dataclass
class Multipart:
    """A multipart stream, read strictly."""

    reader: asyncio.StreamReader
    status: str
    headers: dict[str, str]
    seen: int = 0

    @classmethod
    async def begin(cls, reader: asyncio.StreamReader) -> Multipart:
        async with asyncio.timeout(20):
            status = (await reader.readuntil(b"\r\n")).decode().strip()
            stream = cls(reader, status, await _headers(reader))
            if "200" in status:
                assert await reader.readexactly(9) == b"--frame\r\n"
        return stream

    async def part(self, timeout: float = 20) -> Part:
        """Return the next part, which the boundary after it closes."""
        async with asyncio.timeout(timeout):
            headers = await _headers(self.reader)
            body = await self.reader.readexactly(int(headers["Content-Length"]))
            assert await self.reader.readexactly(11) == b"\r\n--frame\r\n"
        return Part(headers, body)

    async def picture(self) -> Part:
        """Return the next picture of the camera; one that is sent again does not count."""
        while (part := await self.part()).no_signal is not None or part.sequence == self.seen:
            pass
        self.seen = part.sequence
        return part

    async def absence(self) -> Part:
        """Return the next part that says that there is no signal."""
        while (part := await self.part()).no_signal is None:
            pass
        return part


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers = {}
    while line := (await reader.readuntil(b"\r\n")).decode().strip():
        name, _, value = line.partition(": ")
        headers[name] = value
    return headers


def workers() -> dict[int, str]:
    """Return the command lines of this process's children by process id."""
    found = {}
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(FileNotFoundError):
            if command := Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):  # a dead one has none
                found[int(pid)] = command
    return found


async def assert_nothing_left(tasks: set[asyncio.Task[object]], processes: dict[int, str]) -> None:
    """Fail where a task, a timer or a process outlived what it belonged to."""
    for _ in range(3):  # what was cancelled ends in the next turns
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - tasks - {asyncio.current_task()} if not task.done()]
    assert not left, left
    timers = [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert not timers, timers
    alive = [command for pid, command in workers().items() if pid not in processes]
    assert not alive, alive
