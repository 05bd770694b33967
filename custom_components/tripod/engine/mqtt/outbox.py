"""Messages on their way to a broker, which may be away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
import logging

_LOGGER = logging.getLogger(__name__)

LIMIT = 100
"""Messages that wait at most, beside one for each topic that the broker keeps."""

Publish = Callable[[str, str, bool], Awaitable[None]]
"""Publishes a payload under a topic, retained or not; raises `Unsent`."""


class Unsent(Exception):
    """The broker did not take a message."""


class Outbox:
    """What is kept by the broker, newest only, and what is said once, in order and up to a limit."""

    def __init__(self, publish: Publish, name: str, limit: int = LIMIT) -> None:
        """Send by `publish`; `name` stands in the log."""
        self._publish = publish
        self._name = name
        self._limit = limit
        self._retained: dict[str, str] = {}
        self._unsent: set[str] = set()
        """The topics in `_retained` whose newest payload the broker does not have."""
        self._waiting: deque[tuple[str, str]] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._lost = 0
        self.dropped = 0
        """Messages that nobody will get, as the broker was away for long."""

    def put(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Send a message as soon as the broker is there."""
        payload = payload.encode(errors="replace").decode()  # JSON may hold what no text can
        if retain:
            if self._retained.get(topic) == payload:
                return
            self._retained[topic] = payload
            self._unsent.add(topic)
        else:
            self._waiting.append((topic, payload))
            self._limit_waiting()
        self._idle.clear()
        self._wake.set()

    def connected(self) -> None:
        """Send what waits, and all that the broker keeps: it may have forgotten it."""
        self.disconnected()
        self._unsent.update(self._retained)
        if self._lost:
            _LOGGER.warning("%s: %s MQTT messages were dropped while the broker was away", self._name, self._lost)
            self._lost = 0
        self._idle.clear()
        self._sending = asyncio.create_task(self._send(), name=f"{self._name}: MQTT outbox")

    def disconnected(self) -> None:
        """Let messages wait from now on, the one that is on its way too."""
        if self._sending:
            self._sending.cancel()
            self._sending = None
        self._idle.set()  # for whoever waits

    async def close(self, timeout: float) -> None:
        """Wait until all is sent, or nothing can be, or the time is over; then send no more."""
        if self._sending and not self._sending.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._idle.wait()
        self.disconnected()

    async def _send(self) -> None:
        try:
            while True:
                self._wake.clear()
                while self._unsent or self._waiting:
                    await self._send_next()
                self._idle.set()
                await self._wake.wait()
        except Unsent as error:  # whoever has the connection will say that it is there again
            _LOGGER.debug("%s: nothing more is published: %s", self._name, error)
            self._idle.set()

    async def _send_next(self) -> None:
        """Send one message, which waits on where the broker does not take it: twice is better than never."""
        if self._unsent:
            topic = next(topic for topic in self._retained if topic in self._unsent)
            payload = self._retained[topic]
            await self._publish(topic, payload, True)  # noqa: FBT003 - as MQTT has it: topic, payload, retain
            if self._retained[topic] == payload:
                self._unsent.discard(topic)
        else:
            message = self._waiting[0]
            await self._publish(*message, False)  # noqa: FBT003
            if self._waiting and self._waiting[0] is message:  # it may have been dropped meanwhile
                self._waiting.popleft()

    def _limit_waiting(self) -> None:
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self._lost += 1
            self.dropped += 1
