"""The listening end: connections that are bounded in number, and in how long they may say nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
import logging
import socket

from aiohttp import web

from ..engine.errors import InvalidConfiguration
from .tls import Tls

_LOGGER = logging.getLogger(__name__)

MOST = 512
"""Connections at once: below the usual limit of 1024 open files, with the cameras' own."""

FIRST_REQUEST = 20.0
"""Seconds until a connection must have sent its first request."""

HANDSHAKE = 10.0
"""Seconds that TLS may take of these."""

SILENCE = 60.0
"""Seconds until a peer that confirms nothing of what was sent is given up (tcp(7), TCP_USER_TIMEOUT)."""

CLOSE = 1.0
"""Seconds that requests may still take when the node ends: the viewers were sent away before."""

LINGER = 2.0
"""Seconds in which the rest of a body is taken that nobody wants, so that its sender hears the answer."""

RENEW = 60.0
"""Seconds between two looks for a renewed certificate."""


class _NotOfRequests(logging.Filter):
    """Keeps out what aiohttp says of requests that are no HTTP: it repeats them, and a link's key with them."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, web.HTTPException) and type(error).__module__ != "aiohttp.http_exceptions"


_HTTP_LOGGER = logging.getLogger(f"{__name__}.http")
_HTTP_LOGGER.addFilter(_NotOfRequests())


class Server:
    """One application on one address."""

    def __init__(self, app: web.Application, host: str, port: int, tls: Tls | None) -> None:
        """Serve `app`, on any free port where it is 0."""
        # no log of accesses: links have their keys in the path
        self._runner = web.AppRunner(
            app, access_log=None, logger=_HTTP_LOGGER, auto_decompress=False, lingering_time=LINGER
        )
        self._host = host
        self._tls = tls
        self._renewing: asyncio.Task[None] | None = None
        self._listening: asyncio.AbstractServer | None = None
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}
        self.port = port

    async def open(self) -> None:
        """Listen; raises `InvalidConfiguration` where the address cannot be had."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(
                self._accept,
                self._host,
                self.port,
                ssl=self._tls.context if self._tls else None,
                ssl_handshake_timeout=HANDSHAKE if self._tls else None,
            )
        except OSError as error:
            await self._runner.cleanup()
            detail = f"cannot listen on {self._host} port {self.port}: {error.strerror or error}"
            raise InvalidConfiguration(detail, where="listen") from error
        self.port = self._listening.sockets[0].getsockname()[1]
        if self._tls:
            self._renewing = asyncio.create_task(self._renew(self._tls), name="look for a renewed certificate")

    def refuse(self) -> None:
        """Take no more connections."""
        if self._renewing:
            self._renewing.cancel()
        if self._listening:
            self._listening.close()

    async def close(self) -> None:
        """End what is under way."""
        self.refuse()
        for timer in self._silent.values():
            timer.cancel()
        self._silent.clear()
        if self._runner.server:
            await self._runner.server.shutdown(CLOSE)
            await self._runner.cleanup()

    def heard(self, request: web.Request) -> None:
        """Note that a connection has sent a request."""
        if timer := self._silent.pop(request.protocol, None):
            timer.cancel()
            _tune(request.transport)

    def _accept(self) -> asyncio.BaseProtocol:
        """Return what handles a new connection, which is closed at once where there are too many."""
        server = self._runner.server
        assert server is not None
        if len({*server.connections, *self._silent}) >= MOST:
            return _Refused()
        protocol: web.RequestHandler = server()
        timer = asyncio.get_running_loop().call_later(FIRST_REQUEST, self._give_up, protocol)
        self._silent[protocol] = timer
        return protocol

    def _give_up(self, protocol: web.RequestHandler) -> None:
        self._silent.pop(protocol, None)
        if protocol.transport:
            protocol.transport.abort()

    @staticmethod
    async def _renew(tls: Tls) -> None:
        while True:
            await asyncio.sleep(RENEW)
            try:
                if await asyncio.to_thread(tls.renew):
                    _LOGGER.info("The renewed certificate is used from now on")
            except InvalidConfiguration as error:
                _LOGGER.warning("The changed certificate is not taken over: %s", error)


class _Refused(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


def _tune(transport: asyncio.Transport | None) -> None:
    """Let the kernel give up a peer that is gone."""
    sock = transport.get_extra_info("socket") if transport else None
    if sock is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        with suppress(OSError):  # not TCP
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(SILENCE * 1000))
