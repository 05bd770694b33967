"""What may listen where a node should: each a way of answering a request, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Behaviour = Callable[["Writer"], Awaitable[None]]


@dataclass
class BadServer:
    """One that listens."""

    port: int
    requests: int = 0
    written: int = 0
    """Bytes that it got rid of."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def bad_server(behave: Behaviour) -> AsyncIterator[BadServer]:
    """Answer every request by `behave`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            server.requests += 1
            behaving = asyncio.ensure_future(behave(Writer(writer, server)))
            leaving = asyncio.ensure_future(reader.read())
            await asyncio.wait([behaving, leaving], return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            behaving.cancel()
            with suppress(asyncio.CancelledError):
                await behaving
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server = BadServer(listener.sockets[0].getsockname()[1])
    async with listener:
        yield server


class Writer:
    """Where a server writes, counted."""

    def __init__(self, writer: asyncio.StreamWriter, server: BadServer) -> None:
        self._writer = writer
        self._server = server

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        self._server.written += len(data)


def says(data: bytes) -> Behaviour:
    """Say this, and no more."""

    async def behave(writer: Writer) -> None:
        await writer.send(data)

    return behave


def answers(body: bytes, head: bytes = HEAD) -> Behaviour:
    """Answer with a whole body."""
    return says(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def for_ever(begin: bytes, again: bytes) -> Behaviour:
    """Begin like this, and go on like that until nobody listens."""

    async def behave(writer: Writer) -> None:
        await writer.send(begin)
        while True:
            await writer.send(again)

    return behave


async def silence(_: Writer) -> None:
    """Say nothing."""
    await asyncio.sleep(60)


def slowly(begin: bytes) -> Behaviour:
    """Begin like this, and then say hardly anything."""

    async def behave(writer: Writer) -> None:
        await writer.send(begin)
        while True:
            await asyncio.sleep(0.05)
            await writer.send(b" ")

    return behave
