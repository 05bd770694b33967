"""What runs beside a node's cameras: whatever makes the node known, and its connections to a broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from ..engine.archive import Item
from ..engine.mqtt import Host
from .advertise import Advertiser
from .announce import Announcer
from .cameras import NodeCamera
from .identity import Identity

if TYPE_CHECKING:
    from .config import Broker
    from .node import Node


class Companion(Protocol):
    """Lives as long as the node does."""

    def open(self) -> None:
        """Begin."""

    async def close(self) -> None:
        """End."""


def companions(node: Node, *, tls: bool) -> Iterator[Companion]:
    """Yield all that the node's configuration asks for; the node listens."""
    config = node.config
    identity = Identity(id=node.id, name=config.name, host=config.host, port=node.port, tls=tls)
    if config.zeroconf:
        yield Advertiser(identity)
    if config.announce:
        yield Announcer(config.announce, identity)
    if config.mqtt:
        yield from _links(node, config.mqtt)


def _links(node: Node, broker: Broker) -> Iterator[Companion]:
    from .mqtt import MqttLink  # noqa: PLC0415 - its libraries take memory, and nobody else needs them

    for each in node.config.cameras:
        camera = node.cameras[each.id]
        link = MqttLink(
            broker,
            camera.camera,
            prefix=node.config.mqtt_prefix(each),
            title=camera.title,
            client_id=f"tripod-{node.id[:12]}-{camera.id}",
            host=_host(camera),
        )
        camera.broker = link
        yield link


def _host(camera: NodeCamera) -> Host:
    def facts(item: Item) -> dict[str, Any]:
        return {"path": str(item.path), "url": f"/cameras/{camera.id}/items/{quote(item.key)}"}

    async def reset(_: object) -> None:
        await camera.reset_controls()

    return Host(start=camera.start, stop=camera.stop, reset=reset, facts=facts)
