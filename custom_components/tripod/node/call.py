"""One request that was let in, for whoever answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..engine.errors import NoSuchCamera
from ..engine.web.answers import NO_STORE
from .access import Caller

if TYPE_CHECKING:
    from .cameras import NodeCamera
    from .node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked, by whom, of which node."""

    node: Node
    request: web.Request
    caller: Caller | None
    """None only where anybody may ask."""
    body: dict[str, Any]
    query: dict[str, Any]

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    @property
    def who(self) -> Caller:
        """Who asks, where nobody unknown may."""
        assert self.caller is not None
        return self.caller

    @property
    def camera(self) -> NodeCamera:
        """The camera that the path names; raises `NoSuchCamera`."""
        name = self.part("camera")
        if found := self.node.cameras.get(name):
            return found
        raise NoSuchCamera(camera=name[:63])


def answer(data: Any, status: int = 200) -> web.Response:
    """Return an answer in JSON."""
    return web.json_response(data, status=status, headers=NO_STORE)
