"""A small node: the engine behind a real server that speaks the part of the protocol that a source needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
import hmac
import json
from pathlib import Path
import ssl
import time
from typing import Any, TypeAlias

from aiohttp import web

from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import NodeSource, Source, TestPattern, Tools
from custom_components.tripod.engine.viewers import Client
from custom_components.tripod.engine.web import CameraEndpoints
from tests.engine.media import jpegs
from tests.engine.memory_controls import WEBCAM, MemoryControls
from tests.servers.certificate import Pair

ID = "0123456789abcdef" * 2
TOKEN = "a-token-that-nobody-must-see"
PATTERN = TestPattern(width=320, height=240, rate=15)
STILL = jpegs(frames=1, size="640x480")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SmallNode:
    """One camera, served as a node does."""

    pipeline: Pipeline
    endpoints: CameraEndpoints
    token: str = TOKEN
    id: str = ID
    facts: dict[str, Any] = field(default_factory=dict)
    """What it says of the camera in place of the truth."""
    asked: list[str] = field(default_factory=list)
    """Methods and paths of all requests."""
    credentials: list[str] = field(default_factory=list)
    """What came in `Authorization`."""
    controls: MemoryControls = field(default_factory=lambda: MemoryControls(WEBCAM))
    files: dict[str, bytes] = field(default_factory=dict)
    changes: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    """What goes to those who listen to its events."""
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def source(self, **more: Any) -> NodeSource:
        return NodeSource(**{"url": self.url, "camera": "bench", "token": self.token, "node": self.id} | more)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/node", self._node),
                web.post("/proof", self._proof),
                web.post("/pair", self._pair),
                web.get("/events", self._events),
                web.get("/cameras/bench/status", self._status),
                web.post("/cameras/bench/still", self._still),
                web.get("/cameras/bench/controls", self._controls),
                web.patch("/cameras/bench/controls", self._set),
                web.delete("/cameras/bench/controls", self._reset),
                web.get("/cameras/bench/items", self._items),
                web.get("/cameras/bench/items/{key:.+}", self._item),
                web.get("/cameras/bench/{path:.*}", self._view),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        if given := request.headers.get("Authorization"):
            self.credentials.append(given)
        if request.path not in ("/node", "/proof", "/pair") and given != f"Bearer {self.token}":
            return web.json_response({"cause": "unpaired", "message": "Who are you?"}, status=401)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.json_response({"cause": "no_such_camera", "message": ""}, status=404)

    def camera(self) -> dict[str, Any]:
        status = self.pipeline.status
        error = status.error
        return {
            "id": "bench",
            "title": "Bench <1>",
            "kind": self.pipeline.source.kind,
            "native": self.pipeline.source.native,
            "delivers": list(self.pipeline.source.delivers),
            "state": status.state,
            "cause": error.cause if error else None,
            "message": str(error) if error else None,
            "placeholders": error.placeholders if error else {},
            "codec": status.codec,
            "controls": True,
            "warms_up": False,
            "interval": 0.0,
            "still": True,
        } | self.facts

    def _knows(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.token}"

    async def _node(self, request: web.Request) -> web.Response:
        cameras = {"cameras": [self.camera()]} if self._knows(request) else {}
        return web.json_response({"protocol": 1, "id": self.id, "name": "Shed", "version": "1.0", **cameras})

    async def _proof(self, request: web.Request) -> web.Response:
        asked = await request.json()
        key = sha256(self.token.encode())
        if asked["client"] != key.hexdigest()[:16]:
            return web.json_response({"cause": "unpaired", "message": ""}, status=401)
        message = f"tripod-node {self.id} {asked['nonce']}".encode("ascii")
        return web.json_response({"id": self.id, "proof": hmac.new(key.digest(), message, sha256).hexdigest()})

    async def _pair(self, request: web.Request) -> web.Response:
        code = (await request.json())["code"]
        if code == "PAUSE":
            body = {"cause": "pairing_paused", "message": ""}
            return web.json_response(body, status=429, headers={"Retry-After": "30"})
        if code != "ABCD-EFGH":
            return web.json_response({"cause": "wrong_code", "message": "No"}, status=403)
        node = {"protocol": 1, "id": self.id, "name": "Shed", "version": "1.0", "cameras": [self.camera()]}
        return web.json_response({"token": self.token, "node": node})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        first = json.dumps({"camera": "bench", **self.camera()})
        await response.write(f"event: status\ndata: {first}\n\n".encode())
        while change := await self.changes.get():
            await response.write(change)
        return response

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self.camera())

    async def _still(self, _: web.Request) -> web.Response:
        return web.Response(body=STILL, content_type="image/jpeg")

    async def _controls(self, _: web.Request) -> web.Response:
        await self.controls.refresh()
        controls = [asdict(control) for control in self.controls.current.values()]
        return web.json_response({"controls": controls, "wanted": self.controls.wanted})

    async def _set(self, request: web.Request) -> web.Response:
        try:
            await self.controls.set(await request.json())
        except TripodError as error:
            body = {"cause": error.cause, "message": str(error), "placeholders": error.placeholders}
            return web.json_response(body, status=400)
        return await self._controls(request)

    async def _reset(self, request: web.Request) -> web.Response:
        await self.controls.reset()
        return await self._controls(request)

    async def _items(self, request: web.Request) -> web.Response:
        keys = [key for key in sorted(self.files) if key > request.query.get("after", "")]
        items = [
            {
                "kind": request.query["kind"],
                "key": key,
                "captured_at": "2026-11-21T14:05:09.123+01:00",
                "size": len(self.files[key]),
                "suffix": ".mp4",
                "job": "",
                "details": {"reason": "away"},
                "thumbnail": True,
            }
            for key in keys
        ]
        limit = int(request.query["limit"])
        return web.json_response({"items": items[:limit], "more": len(items) > limit})

    async def _item(self, request: web.Request) -> web.Response:
        data, part = self.files[request.match_info["key"]], request.http_range
        if part.start:
            return web.Response(status=206, body=data[part.start :])
        return web.Response(body=data)

    async def _view(self, request: web.Request) -> web.StreamResponse:
        return await self.endpoints.handle(request, request.match_info["path"], Client("id", "Home Assistant"))


@asynccontextmanager
async def small_node(
    source: Source = PATTERN,
    *,
    port: int = 0,
    clock: Callable[[], float] = time.time,
    stopped: bool = False,
    tls: ssl.SSLContext | None = None,
    **fields: Any,
) -> AsyncIterator[SmallNode]:
    """Run a node as long as the context is open."""
    pipeline = Pipeline(source, Tools(ffmpeg=Ffmpeg()), Options(linger=0.5), stopped=stopped, clock=clock)
    node = SmallNode(pipeline, CameraEndpoints(pipeline, title="Bench"), **fields)
    node.scheme = "https" if tls else "http"
    async with AsyncExitStack() as stack:
        pipeline.open()
        stack.push_async_callback(pipeline.close)
        runner = web.AppRunner(node.app())
        await runner.setup()
        assert runner.server
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(runner.server.shutdown, 0.1)
        stack.push_async_callback(node.endpoints.close)
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls, reuse_address=True).start()
        node.port = runner.addresses[0][1]
        yield node


def server_context(pair: Pair, client_authority: Path | None = None) -> ssl.SSLContext:
    """Return what a node with this certificate listens with, which may want one of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    return context
