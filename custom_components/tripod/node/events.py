"""What happens, told as it happens: server-sent events, as the HTML standard has them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext, suppress
from functools import partial
import json
from typing import Any

from aiohttp import web

from ..engine.archive import Item
from ..engine.errors import TooManyViewers
from ..engine.events import Event, Failed, RecordingReady, SnapshotKept, TimelapseReady
from ..engine.viewers import Client
from ..engine.web import Timing
from ..engine.web.connections import Connection, Connections
from .cameras import NodeCamera
from .facts import error_facts, item_facts
from .presence import Presence

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

KEEP_ALIVE = 5.0
"""Seconds of silence after which a comment is sent."""

PATIENCE = 8.0
"""Seconds after which a listener that confirms nothing is gone: a cable that is pulled says no goodbye, and what the
listener would have recorded is to be recorded here."""

LOOK = 1.0
"""Seconds between two looks at what nobody tells, such as the size of the picture."""

PAUSE = 0.1
"""Seconds between two looks at least: what changes at once is told at once."""

BACKLOG = 1000
"""Messages that wait for one listener at most; one that is slower is sent away, and lists what there is when it is
back."""

LISTENERS = 32
"""At once: a Home Assistant needs one for all cameras."""

PASSING = ("frames_per_second",)
"""Facts that change all the time and are no news."""


class _Ear:
    """One listener."""

    def __init__(self) -> None:
        self.messages: deque[bytes] = deque()
        self.wake = asyncio.Event()
        self.deaf = False
        self._told: dict[str, Any] = {}

    def say(self, message: bytes) -> None:
        """Let a message wait for its turn."""
        self.deaf = self.deaf or len(self.messages) >= BACKLOG
        self.messages.append(message)
        self.wake.set()

    def look(self, cameras: Mapping[str, NodeCamera]) -> None:
        """Let the facts wait that have changed since they were told."""
        for name, camera in cameras.items():
            facts = camera.facts
            lasting = {key: value for key, value in facts.items() if key not in PASSING}
            if self._told.get(name) != lasting:
                self._told[name] = lasting
                self.say(message("status", {"camera": name, **facts}))

    def take(self) -> bytes:
        """Return what waits."""
        data = b"".join(self.messages)
        self.messages.clear()
        return data


class Events:
    """All that happens on a node, for all who listen."""

    def __init__(self, cameras: Mapping[str, NodeCamera], presence: Presence, timing: Timing | None = None) -> None:
        """Tell of `cameras`, and note in `presence` who listens with a token."""
        self._cameras = cameras
        self._presence = presence
        self._connections = Connections(timing or Timing(stalled=PATIENCE))
        self._ears: set[_Ear] = set()
        self._endings: list[Callable[[], None]] = []
        self._telling: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begin to hear what happens."""
        for name, camera in self._cameras.items():
            self._endings.append(camera.listen(self._wake))
            self._endings.append(camera.camera.hear(partial(self._hear, name)))

    async def close(self) -> None:
        """Send all listeners away."""
        for end in self._endings:
            end()
        if self._telling:
            await asyncio.wait(self._telling)
        await self._connections.close()

    def disconnect(self, client_id: str) -> None:
        """Send away one client, whose token was revoked."""
        self._connections.end(client_id)

    async def stream(self, request: web.Request, client: Client, *, paired: bool) -> web.StreamResponse:
        """Answer with all that happens, until the listener leaves; a `paired` one is present as long.

        Raises `TooManyViewers`.
        """
        if len(self._ears) >= LISTENERS:
            raise TooManyViewers(limit=str(LISTENERS))
        connection = self._connections.accept(request, client, HEADERS)
        ear = _Ear()
        with ExitStack() as stack:
            self._ears.add(ear)
            stack.callback(self._ears.discard, ear)
            stack.enter_context(self._presence.enter(client.id) if paired else nullcontext())
            async with connection:
                await self._pump(ear, connection)
        return connection.response

    async def _pump(self, ear: _Ear, connection: Connection) -> None:
        clock = asyncio.get_running_loop().time
        sent_at = clock()
        while not ear.deaf:
            ear.wake.clear()
            ear.look(self._cameras)
            if data := ear.take() or (b":\n\n" if clock() - sent_at >= KEEP_ALIVE else b""):
                await connection.write(data)
                sent_at = clock()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await ear.wake.wait()

    def _wake(self) -> None:
        for ear in self._ears:
            ear.wake.set()

    def _hear(self, name: str, event: Event) -> None:
        if not self._ears:
            return
        if isinstance(event, RecordingReady | SnapshotKept | TimelapseReady):
            self._begin_to_tell(name, event.item)
        elif isinstance(event, Failed):
            self._say("failed", {"camera": name, "what": event.what, "name": event.name, **error_facts(event.error)})

    def _begin_to_tell(self, camera: str, item: Item) -> None:
        task = asyncio.create_task(self._tell_item(camera, item))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_item(self, camera: str, item: Item) -> None:
        facts = await asyncio.to_thread(item_facts, self._cameras[camera].archive, item)
        self._say("item", {"camera": camera, "item": facts})

    def _say(self, event: str, data: Mapping[str, Any]) -> None:
        for ear in self._ears:
            ear.say(message(event, data))


def message(event: str, data: Mapping[str, Any]) -> bytes:
    """Return one event as it goes over the wire."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
