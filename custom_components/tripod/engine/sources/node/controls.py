"""The controls of a camera on a node: read and set there, and remembered there, too."""

from __future__ import annotations

from collections.abc import Mapping

from ...controls import Control, Controls
from ..address import Resolve, resolve
from .access import NodeAccess
from .client import NodeClient


class NodeControls(Controls):
    """What can be turned on one camera of a node. The node puts the user's settings back at each start, not we."""

    def __init__(self, access: NodeAccess, camera: str, resolve: Resolve = resolve) -> None:
        """Know nothing until the node is asked."""
        super().__init__()
        self._access = access
        self._camera = camera
        self._resolve = resolve

    def _client(self) -> NodeClient:
        return NodeClient(self._access, resolve=self._resolve)

    async def apply(self) -> None:
        """Do nothing: the settings are the node's."""

    async def reset(self) -> None:
        """Let the node forget what the user set, and put every control back to its default."""
        async with self._lock, self._client() as client:
            await client.reset_controls(self._camera)
            await self._refresh()

    async def _read(self) -> list[Control]:
        async with self._client() as client:
            found, self.wanted = await client.controls(self._camera)
        return found

    async def _write(self, values: Mapping[str, float]) -> None:
        async with self._client() as client:
            await client.set_controls(self._camera, values)
