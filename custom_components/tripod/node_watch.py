"""A connection to one node that stays: by it the node knows us present, and we know its cameras."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import logging

from homeassistant.core import HomeAssistant

from .const import DOMAIN
from .engine.backoff import Backoff
from .engine.errors import TripodError, Unpaired
from .engine.listeners import Listeners
from .engine.sources.node import CameraFacts, NodeAccess, NodeClient, NodeEvent, NodeFacts

_LOGGER = logging.getLogger(__name__)


class NodeWatch:
    """Holds a node's `/events` open, again and again."""

    def __init__(
        self,
        hass: HomeAssistant,
        access: NodeAccess,
        *,
        met: Callable[[NodeFacts], None],
        missed: Callable[[], None],
        news: Callable[[str], None],
        unpaired: Callable[[], None],
    ) -> None:
        """Begin.

        Tells that the node was `met`, and with which cameras; that it was `missed` where it should be; `news` of a
        camera's files; and that the node does not know our token any more.
        """
        self.access = access
        self.name = access.url
        """What the node is called."""
        self.version = ""
        self.cameras: dict[str, CameraFacts] = {}
        """As they were when they changed last."""
        self.connected = False
        self.error: TripodError | None = None
        """Why it is not."""
        self._met = met
        self._missed = missed
        self._news = news
        self._unpaired = unpaired
        self._listeners = Listeners()
        self._again = asyncio.Event()
        self._task = hass.async_create_background_task(self._keep(), f"{DOMAIN}: node {access.node}")

    async def close(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when the node comes, goes, or speaks of a camera; return a function that ends this."""
        return self._listeners.add(callback)

    def look(self, access: NodeAccess | None = None) -> None:
        """Try again now, also at another address; a connection that stands stays."""
        if access:
            self.access = access
        self._again.set()

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            self._again.clear()
            try:
                await self._listen(backoff)
            except Unpaired as error:
                self._lost(error)
                self._unpaired()
                delay = backoff.longest()
            except TripodError as error:
                self._lost(error)
                self._missed()
                delay = backoff.next()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._again.wait()

    async def _listen(self, backoff: Backoff) -> None:
        """Follow the node until it goes away, which raises why."""
        async with NodeClient(self.access) as client:
            facts = await client.facts()
            self.name, self.version = facts.name, facts.version
            self.cameras = {camera.id: camera for camera in facts.cameras}
            self._met(facts)
            async for event in client.events():
                if not self.connected:
                    backoff.reset()
                    self._found()
                self._take(event)

    def _found(self) -> None:
        self.connected = True
        if self.error:
            _LOGGER.info("The node %s is there again", self.name)
        self.error = None
        self._listeners.tell()
        for camera in self.cameras:
            self._news(camera)

    def _lost(self, error: TripodError) -> None:
        if self.connected or type(error) is not type(self.error):
            _LOGGER.warning("The node %s is away: %s", self.name, error)
        self.connected, self.error = False, error
        self._listeners.tell()

    def _take(self, event: NodeEvent) -> None:
        if event.facts:
            self.cameras[event.camera] = event.facts
            self._listeners.tell()
        if event.item:
            self._news(event.camera)
