"""A node in this process, and what a client sees of it over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession
from multidict import CIMultiDictProxy

from custom_components.tripod.engine.controls import Controls
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.sources import TestPattern
from custom_components.tripod.node.away import Rhythm
from custom_components.tripod.node.config import CameraConfig, NodeConfig
from custom_components.tripod.node.node import Node
from tests.engine.memory_controls import WEBCAM, MemoryControls

NO_LINGER = Options(linger=0.0, stall_limit=2.0)

DOOR = CameraConfig(id="door", title="Front <door>", source=TestPattern(width=320, height=240, rate=10))
YARD = CameraConfig(id="yard", source=TestPattern(width=320, height=240, rate=10, format="mjpeg"))


class Turnable(TestPattern):
    """A test pattern with a webcam's controls."""

    def controls(self, wanted: Mapping[str, float]) -> Controls:
        return MemoryControls(WEBCAM, wanted)


@dataclass
class Site:
    """A node that serves."""

    node: Node
    session: ClientSession
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.node.port}"

    async def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Answer:
        """Ask for something that has an end."""
        async with self.open(method, path, body, token=token, **headers) as response:
            return Answer(response.status, response.headers, await response.read())

    @asynccontextmanager
    async def open(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> AsyncIterator[ClientResponse]:
        """Ask for something that need not have an end; headers are written with `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            given["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        request = self.session.request(method, f"{self.url}{path}", data=data, headers=given, allow_redirects=False)
        async with request as response:
            yield response

    def token(self, name: str = "Test") -> str:
        """Return the token of a paired client."""
        return self.node.credentials.add_token(name)

    def link(self, camera: str = "door", **more: Any) -> str:
        """Return the key of a link."""
        return self.node.credentials.add_link(camera, "Test link", **more)[1]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that is not always announced."""
        async with asyncio.timeout(20):
            while not holds():  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.02)


async def ended(answer: ClientResponse) -> None:
    """Read until the answer ends, or is broken off."""
    with suppress(ClientError):
        while await answer.content.readany():
            pass


@dataclass
class Answer:
    """A whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def cause(self) -> str:
        """Why not."""
        return str(self.data["cause"])


Serve = Callable[..., Awaitable[Site]]

QUICK = Rhythm(grace=0.0, piece=2.0, overlap=1.0, retry=0.2)


def configuration(folder: Path, **given: Any) -> NodeConfig:
    """Return a configuration of one camera, where nothing else is said."""
    usual: dict[str, Any] = {
        "name": "Test node",
        "port": 0,
        "state": folder / "state",
        "archive": folder / "archive",
        "zeroconf": False,
        "cors": (),
        "floor": 0,
        "cameras": (DOOR,),
    }
    return NodeConfig(**(usual | given))
