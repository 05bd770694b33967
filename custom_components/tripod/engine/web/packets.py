"""MPEG-TS over HTTP: the packet feed as it comes, from a key frame on."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..errors import NoFreshPicture
from ..feed import PacketReader
from ..pipeline import Pipeline
from ..sources.base import Medium
from ..status import State
from ..viewers import Client, Viewer
from .connections import Connection, Connections, LiveResponse
from .query import number
from .timing import Timing

HEADERS = {"Content-Type": "video/mp2t", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

MAX_PRE_ROLL = 3600.0


class Packets:
    """The endpoint, for all its viewers."""

    def __init__(self, pipeline: Pipeline, connections: Connections, timing: Timing) -> None:
        """Serve the packets of `pipeline`."""
        self._pipeline = pipeline
        self._connections = connections
        self._timing = timing

    async def stream(self, request: web.Request, client: Client) -> web.StreamResponse:
        """Answer with the stream, through restarts of the camera, until the viewer leaves or the camera is stopped.

        Raises what keeps the camera away, `NoFreshPicture` or `TooManyViewers`.
        """
        pre_roll = number(request, "pre_roll", 0, MAX_PRE_ROLL) or 0.0
        if request.method == "HEAD":
            return LiveResponse(HEADERS)
        connection = self._connections.accept(request, client, HEADERS)
        with self._pipeline.viewers.admit(client, "ts", request.remote or "") as viewer:
            async with self._pipeline.packets(pre_roll=pre_roll) as reader:
                data = await self._first(reader)
                async with connection:
                    await self._pump(data, reader, connection, viewer)
        return connection.response

    async def _first(self, reader: PacketReader) -> bytes:
        """Wait for the first packets, so that a camera that is away is an answer of its own and not an empty stream."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._timing.first_packets
        while True:
            if failure := self._pipeline.failure(Medium.PACKETS):
                raise failure
            if (left := deadline - clock()) <= 0:
                raise NoFreshPicture(f"waited {self._timing.first_packets:g} s")
            if (data := await reader.next(left)) is not None:
                return data

    async def _pump(self, first: bytes, reader: PacketReader, connection: Connection, viewer: Viewer) -> None:
        data: bytes | None = first
        while self._pipeline.state is not State.STOPPED and not self._pipeline.packet_feed.closed:
            if data is not None:
                frames = reader.frames - viewer.pictures
                await connection.write(data)
                viewer.dropped = reader.dropped
                viewer.sent(len(data), frames)
            data = await reader.next()
