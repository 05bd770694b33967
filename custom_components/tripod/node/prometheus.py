"""All cameras of a node in Prometheus' text exposition format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.web.metrics import Reported, exposition

if TYPE_CHECKING:
    from .node import Node


async def metrics(node: Node) -> str:
    """Return what is counted of all cameras, and of the node itself."""
    cameras = node.cameras.values()
    return await exposition(
        [Reported(camera.title, camera.pipeline, camera.camera, camera.mqtt) for camera in cameras], process=True
    )
