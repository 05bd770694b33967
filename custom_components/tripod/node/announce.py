"""Tell a Home Assistant that the node is there, where multicast does not reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
import json
import logging
import random
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp

from ..engine.backoff import Backoff
from .identity import PROTOCOL, Identity, useful

if TYPE_CHECKING:
    from .config import Announce

_LOGGER = logging.getLogger(__name__)

PATH: Final = "/api/tripod/nodes"

AGAIN: Final = 60.0
"""Seconds between two announcements: a Home Assistant that restarts forgets an offer, and this machine may move."""

LONGEST_WAIT: Final = 300.0
"""Seconds between two tries while Home Assistant does not take any."""

TIMEOUT: Final = aiohttp.ClientTimeout(total=30)

LONGEST: Final = 2000
"""Bytes of an answer that are read."""

_PORTS = {"http": 80, "https": 443}

REFUSALS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "it does not know the token of [announce]: make a long-lived access token there",
    HTTPStatus.FORBIDDEN: "it does not let this machine in",
    HTTPStatus.NOT_FOUND: "Tripod does not run there: add a camera, or the line tripod: to its configuration.yaml",
    HTTPStatus.BAD_REQUEST: "it cannot use what this node says of itself: update the older of the two",
}
"""What only the user can mend."""


class Announcer:
    """Announces the node until it is closed, and says in the log what came of it whenever that changes."""

    def __init__(
        self,
        home: Announce,
        identity: Identity,
        *,
        random: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Announce `identity` to `home`."""
        self._home = home
        self._identity = identity
        # True would not verify with aiohttp 3.8, and None is none of the choices later
        self._tls: dict[str, Any] = {} if home.verify_tls else {"ssl": False}
        self._random = random
        self._sleep = sleep
        self._backoff = Backoff(random, limit=LONGEST_WAIT)
        self._said: str | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin, unless nobody but this machine could come."""
        if not self._identity.reachable:
            _LOGGER.warning("Not announced to Home Assistant: the node listens on %s only", self._identity.host)
        else:
            self._task = asyncio.create_task(self._keep(), name="announce")

    async def close(self) -> None:
        """End, also in the middle of an announcement."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            while True:
                refusal = await self._announce(session)
                self._say(refusal)
                if refusal is None:
                    self._backoff.reset()
                    await self._sleep(AGAIN * (1 - self._random() / 5))
                else:
                    await self._sleep(self._backoff.next())

    async def _announce(self, session: aiohttp.ClientSession) -> str | None:
        """Announce once; return why Home Assistant did not take it, None where it did."""
        try:
            async with session.post(
                f"{self._home.url.rstrip('/')}{PATH}",
                json=await self._facts(),
                headers={"Authorization": f"Bearer {self._home.token}"},
                **self._tls,
                allow_redirects=False,  # which would take the token elsewhere
            ) as answer:
                if answer.status == HTTPStatus.OK:
                    return None
                return REFUSALS.get(answer.status) or await _said(answer)
        except TimeoutError:
            return "it does not answer"
        except (aiohttp.ClientError, OSError) as error:
            return str(error) or type(error).__name__

    async def _facts(self) -> dict[str, Any]:
        identity = self._identity
        return {
            "id": identity.id,
            "name": identity.name,
            "protocol": PROTOCOL,
            "port": identity.port,
            "tls": identity.tls,
            "addresses": await self._addresses(),
        }

    async def _addresses(self) -> list[str]:
        """Return the address from which this machine reaches Home Assistant; nothing is sent to find it."""
        if not self._identity.everywhere:
            return list(filter(useful, [self._identity.host]))
        parts = urlsplit(self._home.url)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(parts.hostname, parts.port or _PORTS[parts.scheme], type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)
            own = str(probe.getsockname()[0])
        return [own] if useful(own) else []

    def _say(self, refusal: str | None) -> None:
        if refusal is None and self._said != "":
            _LOGGER.info("Announced to Home Assistant at %s", self._home.url)
        elif refusal is not None and refusal != self._said:
            _LOGGER.warning("Home Assistant at %s was not told of this node: %s", self._home.url, refusal)
        self._said = refusal or ""


async def _said(answer: aiohttp.ClientResponse) -> str:
    """Return why Home Assistant did not take an announcement, such as that it cannot reach the node."""
    try:
        said = json.loads(await answer.content.read(LONGEST))
        message = str(said["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        message = ""
    return message if message and message.isprintable() else f"it answers {answer.status}"
