"""A web server that answers as recorded, for programs that are not installed here; its pictures are made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from typing import Any

from aiohttp import web

from tests.servers.application import serve

BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"


class RecordedNode:
    """Answers by path and query; `pictures` go round on the paths in `streams`."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]], pictures: list[bytes], *streams: str) -> None:
        self.answers = dict(answers)
        self.pictures = pictures
        self.streams = streams
        self.asked: list[tuple[str, str]] = []
        """Path, and what came as authorization."""
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, request.headers.get("Authorization", "")))
        said = self.answers.get(request.path_qs)
        if request.path_qs in self.streams and (said is None or said["status"] == 200):
            return await self._stream(request)
        if said is None:
            raise web.HTTPNotFound
        body = said.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=said["status"], text=text, content_type=said["type"].partition(";")[0])

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "multipart/x-mixed-replace; boundary=frame"
        await response.prepare(request)
        number = 0
        while True:
            await response.write(BOUNDARY + self.pictures[number % len(self.pictures)] + b"\r\n")
            number += 1
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(node: RecordedNode) -> AsyncIterator[RecordedNode]:
    """Serve on the loopback."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", node.answer)
    runner = await serve(app, "127.0.0.1", 0)
    node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield node
    finally:
        await runner.cleanup()
