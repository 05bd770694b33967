"""Where nodes announce themselves, which zeroconf does not reach: `POST /api/tripod/nodes`, with a token."""

import asyncio
from collections import deque
from http import HTTPStatus
import json
import time
from typing import Any, Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.config_entries import SOURCE_DISCOVERY, SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.discovery_flow import DiscoveryKey
import probatio

from .const import DOMAIN
from .engine.errors import AddressNotAllowed, InvalidRequest, NotANode, TripodError
from .engine.sources.node import NodeAccess, NodeClient
from .node_discovery import ANNOUNCEMENT, Announced
from .nodes import entries_of
from .shared import SHARED

MAX_BODY: Final = 4096
"""Bytes of an announcement."""

PER_MINUTE: Final = 120
"""Announcements: a hundred nodes with one each, and some that begin."""

AT_ONCE: Final = 4
"""Announcements that are looked at at the same time: each may wait for a host that does not answer."""

MINUTE = 60.0


class NodesView(HomeAssistantView):
    """Takes the announcements of nodes."""

    url = "/api/tripod/nodes"
    name = "api:tripod:nodes"

    def __init__(self) -> None:
        """Begin with nothing announced."""
        self._times: deque[float] = deque(maxlen=PER_MINUTE)
        self._looking = asyncio.Semaphore(AT_ONCE)

    async def post(self, request: web.Request) -> web.Response:
        """Offer a node that is new, or note that one is there that is known."""
        now = time.monotonic()
        if self._looking.locked() or (len(self._times) == PER_MINUTE and now - self._times[0] < MINUTE):
            return _answer(HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": f"{MINUTE:.0f}"})
        self._times.append(now)
        async with self._looking:
            try:
                announced = await _read(request)
                state = await _take(request.app[KEY_HASS], announced)
            except (AddressNotAllowed, InvalidRequest) as error:
                return _answer(HTTPStatus.BAD_REQUEST, error)
            except TripodError as error:  # which the node's log tells, as the user looks there
                return _answer(HTTPStatus.BAD_GATEWAY, error)
        return web.json_response({"state": state})


async def _read(request: web.Request) -> Announced:
    """Return what is announced; raises `InvalidRequest`, and `AddressNotAllowed` where no address of it can be used."""
    if not request.content_length or request.content_length > MAX_BODY:
        raise InvalidRequest(f"an announcement has up to {MAX_BODY} bytes")
    try:
        said: dict[str, Any] = ANNOUNCEMENT(json.loads(await request.read()))
    except (ValueError, RecursionError, probatio.Invalid) as error:
        raise InvalidRequest("this is not the announcement of a node") from error
    # behind a proxy or in a container, only one of both is right
    announced = await Announced.of(said, [request.remote or "", *said["addresses"]])
    if not announced.urls:
        raise AddressNotAllowed(request.remote or "")
    return announced


async def _take(hass: HomeAssistant, announced: Announced) -> str:
    """Return what became of an announcement; raises why the node is not where it says."""
    if entries_of(hass, announced.id):
        return "moved" if await hass.data[SHARED].nodes.moved(announced.id, announced.urls) else "known"
    entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, announced.id)
    if entry and entry.source == SOURCE_IGNORE:
        return "ignored"
    await _look(announced)
    discovery_flow.async_create_flow(
        hass,
        DOMAIN,
        context={"source": SOURCE_DISCOVERY},
        data=announced.as_dict(),
        discovery_key=DiscoveryKey(domain=DOMAIN, key=announced.id, version=1),
    )
    return "offered"


async def _look(announced: Announced) -> None:
    """Raise why no node of this id is at any of the addresses; nothing secret is sent, so any certificate will do."""
    failed: TripodError = NotANode(announced.urls[0])
    for url in announced.urls:
        try:
            async with NodeClient(NodeAccess(url=url, verify_tls=False)) as client:
                if (await client.identity()).id == announced.id:
                    return
        except TripodError as error:
            failed = error
    raise failed


def _answer(status: HTTPStatus, error: TripodError | None = None, **more: Any) -> web.Response:
    said = {"cause": error.cause, "message": str(error)} if error else {"cause": "too_many", "message": status.phrase}
    return web.json_response(said, status=status, **more)
