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
        self._connected = False
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
        self._connected = True
        self._unsent.update(self._retained)
        if self._lost:
            _LOGGER.warning("%s: %s MQTT messages were dropped while the broker was away", self._name, self._lost)
            self._lost = 0
        self._idle.clear()
        self._wake.set()

    def disconnected(self) -> None:
        """Let messages wait from now on."""
        self._connected = False
        self._idle.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._connected and await self._send_next():
                pass
            self._idle.set()

    async def flush(self, timeout: float) -> None:
        """Wait until all is sent, or nothing can be, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()

    async def _send_next(self) -> bool:
        """Send one message; return whether there was one, and the broker took it."""
        if self._unsent:
            topic = next(topic for topic in self._retained if topic in self._unsent)
            payload, retain = self._retained[topic], True
            self._unsent.discard(topic)
        elif self._waiting:
            (topic, payload), retain = self._waiting.popleft(), False
        else:
            return False
        try:
            await self._publish(topic, payload, retain)
        except Unsent as error:
            _LOGGER.debug("%s: nothing was published under %s: %s", self._name, topic, error)
            self._connected = False
            if retain:
                self._unsent.add(topic)
            else:
                self._waiting.appendleft((topic, payload))
                self._limit_waiting()
            return False
        return True

    def _limit_waiting(self) -> None:
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self._lost += 1
            self.dropped += 1
