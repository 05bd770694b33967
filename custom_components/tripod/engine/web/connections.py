"""Answers without an end: one slot of output each, and an eye on who is still there.

The response is not chunked: it lasts until the connection closes, which is what multipart players of all ages read.
Nothing is queued here. A write waits until the operating system has taken it, so a slow peer costs the one picture that
is on its way to it; one that takes nothing, or is gone, is let go by a look every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Context
import socket
from types import TracebackType
from typing import Self

from aiohttp import web

from ..viewers import Client
from .timing import Timing

UNSENT = 128 * 1024
"""Bytes that the kernel may hold unsent (TCP_NOTSENT_LOWAT), or it hides seconds of old pictures from us."""


class LiveResponse(web.StreamResponse):
    """A response that ends with its connection."""

    _length_check = False  # aiohttp would choose chunked transfer coding

    def __init__(self, headers: Mapping[str, str]) -> None:
        """Begin with `headers`."""
        super().__init__(headers=headers)
        self.force_close()


class Connection:
    """One viewer's connection, from the headers on; entering the context sends them.

    A peer that goes away, or is sent away by `Connections`, ends the context quietly.
    """

    def __init__(
        self, connections: Connections, request: web.Request, client: Client, headers: Mapping[str, str]
    ) -> None:
        """Prepare to answer `request`."""
        self.response = LiveResponse(headers)
        self.client = client
        self._connections = connections
        self._request = request
        self._ended = False
        self._unsent = 0
        self._moved_at = 0.0

    async def __aenter__(self) -> Self:
        """Send the headers; raises ConnectionError where nobody is there to take them."""
        task, transport = asyncio.current_task(), self._request.transport
        assert task is not None
        if transport is None:
            raise ConnectionResetError
        self._task, self._transport = task, transport
        writer = await self.response.prepare(self._request)
        assert writer is not None
        self._writer = writer
        transport.set_write_buffer_limits(high=0)
        _tune(transport, self._connections.patience)
        self._connections.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Let go of the peer."""
        self._connections.remove(self)
        if self._ended:
            self._transport.abort()  # what is unsent will never be taken
            if isinstance(error, asyncio.CancelledError):
                self._task.uncancel()
                return True
        return isinstance(error, ConnectionError)

    async def write(self, data: bytes) -> None:
        """Send `data` and wait until it is on its way; raises ConnectionError."""
        try:
            await self._writer.write(data)
            if self._transport.get_write_buffer_size():
                await self._writer.drain()
        except ConnectionError:
            raise
        except OSError as error:  # the whole network is gone, or the peer's answer is overdue
            raise ConnectionAbortedError from error

    def end(self) -> None:
        """Break the connection off."""
        if not self._ended:
            self._ended = True
            self._task.cancel()

    def look(self, now: float, patience: float) -> None:
        """End the connection where the peer is gone, or has taken nothing for `patience` seconds."""
        unsent = self._transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._moved_at = unsent, now
        if self._transport.is_closing() or now - self._moved_at >= patience:
            self.end()


class Connections:
    """All open-ended answers of one camera."""

    def __init__(self, timing: Timing) -> None:
        """Look after connections as often and as patiently as `timing` says."""
        self._timing = timing
        self._open: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    @property
    def patience(self) -> float:
        """Seconds for which a viewer may take nothing."""
        return self._timing.stalled

    def accept(self, request: web.Request, client: Client, headers: Mapping[str, str]) -> Connection:
        """Return a context that answers `request` until its peer leaves."""
        return Connection(self, request, client, headers)

    def add(self, connection: Connection) -> None:
        """Look after `connection`."""
        self._open.add(connection)
        self._empty.clear()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._timing.look, self._look, context=Context())

    def remove(self, connection: Connection) -> None:
        """Forget `connection`."""
        self._open.discard(connection)
        if self._open:
            return
        self._empty.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self, client_id: str | None = None) -> None:
        """Break off the connections of one client, or all."""
        for connection in list(self._open):
            if client_id is None or connection.client.id == client_id:
                connection.end()

    async def close(self) -> None:
        """Break all off, and wait until nothing of them is left."""
        self.end()
        await self._empty.wait()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._timing.look, self._look)
        for connection in list(self._open):
            connection.look(loop.time(), self.patience)


def _tune(transport: asyncio.Transport, patience: float) -> None:
    """Let the kernel hold little, and give up a peer that confirms nothing for `patience` seconds (tcp(7))."""
    sock = transport.get_extra_info("socket")
    for name, value in (("TCP_NOTSENT_LOWAT", UNSENT), ("TCP_USER_TIMEOUT", round(patience * 1000))):
        if sock is not None and hasattr(socket, name):
            with suppress(OSError):  # not TCP
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
