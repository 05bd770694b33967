"""A viewer whose network goes away, on the aiohttp that a node has."""

from __future__ import annotations

import asyncio
import errno

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.tripod.engine.viewers import Client
from custom_components.tripod.engine.web import Timing
from custom_components.tripod.engine.web.connections import Connections


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ECONNRESET])
async def test_a_viewer_whose_network_is_gone_ends_quietly(number: int) -> None:
    connections = Connections(Timing())
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    async def stream(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        connection = connections.accept(request, Client("1", "TV"), {})
        try:
            async with connection:
                while True:
                    writing = asyncio.ensure_future(connection.write(bytes(1 << 20)))
                    await asyncio.wait([writing], timeout=0.1)
                    if not writing.done():  # the viewer takes no more
                        transport._fatal_error(OSError(number, "as the kernel says"))  # type: ignore[union-attr]
                    await writing
        except OSError as error:
            ended.set_result(error)
        else:
            ended.set_result(None)
        return connection.response

    app = web.Application()
    app.router.add_get("/", stream)
    async with TestServer(app) as server:
        _, writer = await asyncio.open_connection(server.host, server.port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(20):
            assert await ended is None
        writer.close()
    assert len(connections) == 0
