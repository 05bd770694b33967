"""A real node on loopback, which Home Assistant talks to as it would to one on another machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
import socket
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.sources import TestPattern
from custom_components.tripod.engine.sources.node import NodeAccess, NodeClient, NodeSource
from custom_components.tripod.node.config import CameraConfig, NodeConfig
from custom_components.tripod.node.node import Node

PATTERN = TestPattern(width=320, height=240, rate=10, format="mjpeg")


class Machine:
    """The other machine: its folders stay, while the node on it comes and goes."""

    def __init__(self, folder: Path, **config: Any) -> None:
        """Have one camera, and believe nobody without a token."""
        folder.mkdir(parents=True)
        self.config = NodeConfig(
            name="Workshop",
            port=0,
            state=folder / "state",
            archive=folder / "archive",
            trust_loopback=False,
            zeroconf=False,
            floor=0,
            cameras=(CameraConfig(id="bench", title="Bench", source=PATTERN),),
        )
        self.change(**config)
        self.node: Node

    def change(self, **config: Any) -> None:
        """Change what the node is told when it starts next."""
        self.config = replace(self.config, **config)

    async def start(self) -> None:
        """Let the node run, at the port that it had."""
        self.node = Node(self.config)
        await self.node.open()
        self.change(port=self.node.port)

    async def stop(self) -> None:
        """Let the machine go down."""
        await self.node.close()

    @property
    def url(self) -> str:
        """Where the node is."""
        return f"http://127.0.0.1:{self.config.port}"

    def free_port(self) -> int:
        """Return a port that the node will have when it starts next."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.change(port=server.getsockname()[1])
        return self.config.port

    def code(self) -> str:
        """Return the code that the node shows."""
        return self.node.pairing.show().text

    def token(self, name: str = "Home") -> str:
        """Return a token, as pairing brings one."""
        return self.node.credentials.add_token(name)

    def access(self, token: str = "") -> NodeAccess:
        """Return how the node is reached."""
        return NodeAccess(url=self.url, node=self.node.id, token=token or self.token())

    def data(self, camera: str = "bench", token: str = "") -> dict[str, Any]:
        """Return a camera as an entry stores it."""
        access = self.access(token)
        source = NodeSource(url=access.url, node=access.node, token=access.token, camera=camera, packets=False)
        return {**source.as_dict(), "codec": "mjpeg"}

    @asynccontextmanager
    async def client(self) -> AsyncIterator[NodeClient]:
        """Be another client of the node."""
        async with NodeClient(self.access()) as client:
            yield client


def cameras(*names: str) -> tuple[CameraConfig, ...]:
    """Return cameras of these ids."""
    return tuple(CameraConfig(id=name, title=name.title(), source=PATTERN) for name in names)


async def add(hass: HomeAssistant, machine: Machine, camera: str = "bench", **more: Any) -> MockConfigEntry:
    """Set up a camera of a node, as pairing leaves it."""
    data = machine.data(camera, more.pop("token", ""))
    unique_id = f"{data['node']}:{camera}"
    entry = MockConfigEntry(domain=DOMAIN, title=camera.title(), data=data, unique_id=unique_id, options=more)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry
