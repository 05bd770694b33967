"""What can be asked of a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
import json
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urlencode

from ...controls import Control
from ...errors import InvalidSource, NotANode, Stalled, StreamEnded, Unreachable
from ...jpeg import MAX_BYTES, dimensions
from ..address import Resolve, resolve
from .access import NodeAccess
from .connection import ANSWER_TIMEOUT, Body, NodeConnection
from .facts import (
    CameraFacts,
    NodeEvent,
    NodeFacts,
    NodeItem,
    camera_facts,
    controls as read_controls,
    node_event,
    node_facts,
    node_item,
)

EVENTS_SILENT = 20.0
"""Seconds without an event or a comment after which the connection is dead: a node sends one each 5 s."""

MAX_EVENT = 64 * 1024
"""Bytes of one event."""

STILL_TIMEOUT = 30.0
"""Seconds for a still: the stream may pause for it, and the camera start."""

PIECE = 256 * 1024
"""Bytes of a file that are written at once."""

SLOWEST = 60.0
"""Seconds that a piece may take; a slower download is none."""


class NodeClient:
    """A session with one node; entering the context opens it, and it connects when asked for something.

    All methods raise a `TripodError` that says why they failed: `HostNotFound`, `Unreachable`, `Refused`, `TlsFailed`,
    `ClientCertificate`, `AddressNotAllowed`, `NotANode`, `NodeVersion`, `Unpaired`, `NoSuchCamera`, or what the node
    gives as the cause.
    """

    def __init__(self, access: NodeAccess, *, resolve: Resolve = resolve) -> None:
        """Prepare for the node that `access` leads to."""
        self._connection = NodeConnection(access, resolve)

    @property
    def access(self) -> NodeAccess:
        """How the node is reached."""
        return self._connection.access

    @property
    def host(self) -> str:
        """The node's host, for people."""
        return self._connection.host

    async def __aenter__(self) -> Self:
        """Open the session."""
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._connection.__aexit__()

    # --- who it is ---------------------------------------------------------------------------------------------------

    async def facts(self) -> NodeFacts:
        """Return what the node says about itself, and its cameras where it knows us.

        Raises `NotANode` also where it is another node than `access` names.
        """
        found = node_facts(await self._connection.ask("GET", "/node"))
        if self.access.node not in ("", found.id):
            raise NotANode("another node answers under this address")
        return found

    async def identity(self) -> NodeFacts:
        """Return what the node says about itself to anybody; the token is not sent, and any node will do."""
        return node_facts(await self._connection.ask("GET", "/node", known=False))

    async def prove(self) -> None:
        """Let the host prove that it is the node of `access`, without sending it the token.

        Raises `NotANode` where it cannot, `Unpaired` where it does not know the token any more.
        """
        await self._connection.prove()

    async def pair(self, code: str, name: str) -> tuple[str, NodeFacts]:
        """Exchange the pairing code that the node shows for a token; `name` is what the node calls us.

        Raises `WrongCode` and `PairingPaused`.
        """
        answer = await self._connection.ask("POST", "/pair", {"code": code, "name": name}, known=False)
        if not isinstance(answer, dict) or not isinstance(answer.get("token"), str) or not answer["token"]:
            raise NotANode("pairing brought no token")
        return answer["token"], node_facts(answer.get("node"))

    async def leave(self) -> None:
        """Let the node forget our token: nothing can be asked with it any more."""
        await self._connection.ask("DELETE", f"/clients/{self.access.client}")

    async def events(self) -> AsyncIterator[NodeEvent]:
        """Yield what happens on the node, from the status of each camera on; it knows us present meanwhile.

        Never ends by itself: raises `StreamEnded`, or `Stalled` where the node is silent for too long.
        """
        async with self._connection.open("GET", "/events", headers={"Accept": "text/event-stream"}) as answer:
            if answer.content_type != "text/event-stream":
                raise NotANode("it sends no events")
            async for name, data in _server_sent(answer):
                yield node_event(name, data)
        raise StreamEnded(self._connection.host)

    # --- a camera ----------------------------------------------------------------------------------------------------

    async def camera(self, camera: str) -> CameraFacts:
        """Return how one camera is."""
        return camera_facts(await self._connection.ask("GET", f"{_path(camera)}/status"))

    async def start(self, camera: str) -> bool:
        """Start a stopped camera; return whether it was stopped."""
        return await self._switch(camera, "start")

    async def stop(self, camera: str) -> bool:
        """Stop a camera until it is started; return whether it was running."""
        return await self._switch(camera, "stop")

    async def controls(self, camera: str) -> tuple[list[Control], dict[str, float]]:
        """Return a camera's controls, and which of them the user set."""
        return read_controls(await self._connection.ask("GET", f"{_path(camera)}/controls"))

    async def set_controls(self, camera: str, values: Mapping[str, float]) -> None:
        """Set controls, which the node remembers; raises what keeps it from that."""
        await self._connection.ask("PATCH", f"{_path(camera)}/controls", dict(values))

    async def reset_controls(self, camera: str) -> None:
        """Put all controls back to their defaults."""
        await self._connection.ask("DELETE", f"{_path(camera)}/controls")

    async def still(self, camera: str) -> bytes:
        """Return one JPEG of the sensor's full size."""
        return await self._picture("POST", f"{_path(camera)}/still", STILL_TIMEOUT)

    def stream(self, camera: str, name: str) -> AbstractAsyncContextManager[Body]:
        """Open an endless answer, `stream.mjpg` or `stream.ts`."""
        return self._connection.open("GET", f"{_path(camera)}/{name}")

    # --- what it keeps -----------------------------------------------------------------------------------------------

    async def items(self, camera: str, kind: str, *, after: str = "", limit: int = 100) -> tuple[list[NodeItem], bool]:
        """Return the files of a kind after the one with the key `after`, oldest first, and whether there are more."""
        query = urlencode({"kind": kind, "limit": limit} | ({"after": after} if after else {}))
        answer = await self._connection.ask("GET", f"{_path(camera)}/items?{query}")
        if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
            raise NotANode("its answer holds no items")
        return [node_item(each) for each in answer["items"][:limit]], answer.get("more") is True

    async def download(self, camera: str, item: NodeItem, target: Path) -> None:
        """Write a file to `target`, which is what came of it before, where it is there already.

        Raises `StreamEnded` or `Stalled` where the node goes away meanwhile: the next call goes on from there. Raises
        OSError where the disk does not take it.
        """
        with await asyncio.to_thread(target.open, "ab") as file:
            begin = file.tell()
            if begin > item.size:
                begin = await asyncio.to_thread(file.truncate, 0)
            if begin < item.size:
                await self._fetch(f"{_path(camera)}/items/{quote(item.key)}", file, begin, item.size)
            await asyncio.to_thread(file.flush)

    async def thumbnail(self, camera: str, key: str) -> bytes:
        """Return an item's small picture."""
        return await self._picture("GET", f"{_path(camera)}/thumbnails/{quote(key)}", ANSWER_TIMEOUT)

    async def delete(self, camera: str, key: str) -> None:
        """Delete an item on the node."""
        await self._connection.ask("DELETE", f"{_path(camera)}/items/{quote(key)}")

    async def pin(self, camera: str, key: str, *, pinned: bool = True) -> None:
        """Keep an item from being pruned, or let it be."""
        await self._connection.ask("POST" if pinned else "DELETE", f"{_path(camera)}/pins/{quote(key)}")

    # -----------------------------------------------------------------------------------------------------------------

    async def _switch(self, camera: str, action: str) -> bool:
        answer = await self._connection.ask("POST", f"{_path(camera)}/{action}")
        return isinstance(answer, dict) and answer.get("changed") is True

    async def _picture(self, method: str, path: str, timeout: float) -> bytes:
        try:
            async with asyncio.timeout(timeout), self._connection.open(method, path) as answer:
                picture = await answer.all(MAX_BYTES)
        except TimeoutError as error:
            raise Unreachable(self._connection.host) from error
        dimensions(picture)
        return picture

    async def _fetch(self, path: str, file: BinaryIO, begin: int, size: int) -> None:
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        async with self._connection.open("GET", path, headers=headers) as answer:
            if begin and answer.status != 206:
                await asyncio.to_thread(file.truncate, 0)
                begin = 0
            while piece := await _piece(answer):
                begin += len(piece)
                if begin > size:
                    raise NotANode(f"a file is longer than the {size} bytes announced")
                await asyncio.to_thread(file.write, piece)
        if begin < size:
            raise StreamEnded(self._connection.host)


def _path(camera: str) -> str:
    if not camera or "/" in camera or camera.startswith("."):
        raise InvalidSource(f"camera {camera[:40]!r}")
    return f"/cameras/{quote(camera)}"


async def _piece(answer: Body) -> bytes:
    """Return the next bytes of a file, many at once; none at its end."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(SLOWEST):
            while size < PIECE and (data := await answer.read(SLOWEST)):
                parts.append(data)
                size += len(data)
    except TimeoutError as error:
        raise Stalled(seconds=f"{SLOWEST:g}") from error
    return b"".join(parts)


async def _server_sent(answer: Body) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield name and data of each event (HTML, 9.2)."""
    rest, name, said = b"", "", b""
    while data := await answer.read(EVENTS_SILENT):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            field, _, value = line.rstrip(b"\r").partition(b":")
            value = value.removeprefix(b" ")
            if field == b"event":
                name = value.decode(errors="replace")
            elif field == b"data":
                said += value
            elif not line.strip() and (name or said):
                yield name, _object(said)
                name, said = "", b""
        if len(rest) + len(said) > MAX_EVENT:
            raise NotANode("an event is too long")


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotANode("an event is no JSON") from error
    if not isinstance(found, dict):
        raise NotANode("an event is no object")
    return found
