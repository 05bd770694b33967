"""All cameras of a node in Prometheus' text exposition format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..engine.web.metrics import exposition

if TYPE_CHECKING:
    from .node import Node


async def metrics(node: Node) -> str:
    """Return what is counted of all cameras."""
    cameras = node.cameras.values()
    return "".join(exposition(camera.pipeline, camera.title, camera.pipeline.clock()) for camera in cameras)
