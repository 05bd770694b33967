"""A node: the engine without Home Assistant, which serves its cameras over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
import logging
import time
from typing import Any

from ..engine.errors import TripodError
from ..engine.keeper import Keeper
from ..engine.sources import Medium
from ..engine.timelapse import RenderQueue
from .access import Access
from .away import Rhythm
from .cameras import NodeCamera, Shared
from .companions import Companion, companions
from .config import NodeConfig
from .credentials import Credentials
from .events import Events
from .facts import Facts
from .guard import Guard
from .identity import PROTOCOL
from .memory import Memory, own_id
from .pairing import Pairing
from .presence import Presence
from .routes import ROUTES, Route
from .server import Server
from .tls import Tls
from .tools import tools
from .version import version
from .zone import local_zone

_LOGGER = logging.getLogger(__name__)


class Node:
    """All cameras of a configuration, and what the outside can ask of them.

    node = Node(config, version="1.0")
    await node.open()       # the cameras run, whoever is there
    await node.listen()     # and are served, on node.port
    ...
    await node.close()
    """

    def __init__(
        self,
        config: NodeConfig,
        *,
        clock: Callable[[], float] = time.time,
        rhythm: Rhythm | None = None,
    ) -> None:
        """Prepare what `config` describes; nothing runs before `open`."""
        self.config = config
        self.version = ""
        """Of Tripod; known from `open` on."""
        self.routes: tuple[Route, ...] = ROUTES
        self.id = ""
        """32 hexadecimal digits, made once; known from `open` on."""
        self.cameras: dict[str, NodeCamera] = {}
        """By id, in the order of the configuration; filled by `open`."""
        self.tools = tools(config.tools)
        self.memory = Memory(config.state)
        self.credentials = Credentials(config.state, clock=clock)
        self.pairing = Pairing(config.state, self.credentials, clock=clock)
        self.pairing_turn = asyncio.Lock()
        self.presence = Presence()
        self.events = Events(self.cameras, self.presence)
        self.access = Access(self.credentials, trust_loopback=config.trust_loopback, origins=config.cors)
        self._rhythm = rhythm or Rhythm()
        self._keeper = Keeper(lambda: config.max_size)
        self._renders = RenderQueue(config.state / "renders.json", self.tools.ffmpeg)
        self._companions: list[Companion] = []
        self._guard: Guard | None = None
        self._server: Server | None = None
        self._live: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def facts(self) -> Facts:
        """Which node this is, as anybody may know."""
        return {"protocol": PROTOCOL, "id": self.id, "name": self.config.name, "version": self.version}

    @property
    def facts_with_cameras(self) -> Facts:
        """Which node this is, and what its cameras are doing, for those that may all."""
        return {**self.facts, "cameras": [camera.facts for camera in self.cameras.values()]}

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._server.port if self._server else 0

    async def open(self) -> None:
        """Let the cameras run, and serve them.

        Raises `InvalidConfiguration`, also where the address cannot be had, or what keeps the state folder from being
        written; `close` ends what has begun by then.
        """
        tls = await asyncio.to_thread(Tls.of, self.config)
        self.version = await asyncio.to_thread(version)
        self.id = await asyncio.to_thread(own_id, self.config.state)
        await self.memory.load()
        await self.credentials.open()
        self._live = self.credentials.live
        self.credentials.listen(self._cut)
        await self._recall_encoders()
        await self._renders.open()
        await self._open_cameras()
        self.events.open()
        await self._listen(tls)
        self._companions += companions(self, tls=tls is not None)
        for companion in self._companions:
            companion.open()
        await self.show_code_if_unpaired()

    async def _listen(self, tls: Tls | None) -> None:
        self._guard = guard = Guard(self)
        self._server = server = Server(guard.application(), self.config.host, self.config.port, tls)
        guard.heard = server.heard
        await server.open()
        scheme = "https" if tls else "http"
        _LOGGER.info("%s listens on %s://%s:%d", self.config.name, scheme, self.config.host, server.port)

    async def close(self) -> None:
        """End everything: who watches is sent away, and recordings are finished as far as that is quick."""
        if self._server and self._guard:
            self._guard.closed = True
            self._server.refuse()
        await asyncio.gather(*(companion.close() for companion in self._companions))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.events.close()
        await asyncio.gather(*(camera.close() for camera in self.cameras.values()))
        if self._server:
            await self._server.close()
        await self._renders.close()
        await self.credentials.close()
        await self.memory.close()

    async def show_code_if_unpaired(self) -> None:
        """Say in the log how to pair, while nobody is."""
        if self.credentials.tokens:
            return
        code = await asyncio.to_thread(self.pairing.show)
        until = time.strftime("%H:%M:%S", time.localtime(code.expires_at))
        _LOGGER.info("Nobody is paired with this node. Its pairing code is %s, until %s", code.text, until)

    async def _open_cameras(self) -> None:
        shared = Shared(
            tools=self.tools,
            memory=self.memory,
            keeper=self._keeper,
            renders=self._renders,
            presence=self.presence,
            archive=self.config.archive,
            zone=await asyncio.to_thread(local_zone),
            floor=self.config.floor,
            rhythm=self._rhythm,
        )
        self.cameras.update({config.id: NodeCamera(config, shared) for config in self.config.cameras})
        for camera in self.cameras.values():
            await camera.open()

    async def _recall_encoders(self) -> None:
        """Take what was found before, and look for an encoder beside everything else where one will be needed."""
        encoders = self.tools.encoders
        try:
            await encoders.recall(self.memory.encoders)
        except TripodError as error:  # without ffmpeg, the cameras say so
            _LOGGER.warning("%s", error)
            return
        encoders.listen(lambda: self.memory.set_encoders(encoders.remember()))
        if any(Medium.PACKETS not in camera.source.delivers for camera in self.config.cameras):
            self._begin(self._choose_encoder())

    async def _choose_encoder(self) -> None:
        try:
            await self.tools.encoders.choose()
        except TripodError as error:
            _LOGGER.debug("No video encoder was found: %s", error)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cut(self) -> None:
        """Send away those whose credential lets nobody in any more."""
        for gone in self._live - self.credentials.live:
            self.events.disconnect(gone)
            for camera in self.cameras.values():
                camera.endpoints.disconnect(gone)
        self._live = self.credentials.live
