"""The addresses under which a camera is reached from outside: by a link's key, or by a dashboard's passing token.

Plain routes, not `HomeAssistantView`s, because these write the path, and with it the key, to the debug log.
"""

from typing import TYPE_CHECKING

from aiohttp import web
from homeassistant.components.http import KEY_HASS
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_ALLOW_ALL_CORS

from .const import DASHBOARD_HLS_URL
from .engine.web import Scope
from .links import KEY_PATTERN
from .shared import SHARED

if TYPE_CHECKING:
    from .data import TripodConfigEntry

LINK_URL = f"/api/tripod/{{key:{KEY_PATTERN}}}"

RETRY_AFTER = "2"
"""Seconds after which a camera that is being set up again may be there."""


async def link(request: web.Request) -> web.StreamResponse:
    """Serve what a link opens.

    A refusal is no failed login: a client whose link was revoked must not get its address banned.
    """
    hass = request.app[KEY_HASS]
    shared = hass.data[SHARED]
    if (found := shared.links.find(request.match_info["key"])) is None:
        raise web.HTTPNotFound
    if found.expired:
        raise web.HTTPForbidden(text="This link has expired")
    entry: TripodConfigEntry | None = hass.config_entries.async_get_entry(found.camera)
    if entry is None or entry.state is not ConfigEntryState.LOADED or hass.is_stopping:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": RETRY_AFTER})
    shared.storage.note_use(found.id)
    return await entry.runtime_data.endpoints.handle(request, request.match_info["path"], found.client, found.scopes)


async def bare_link(request: web.Request) -> web.StreamResponse:
    """Send a client to the player page, whose relative URLs need the slash at the end of the link's address."""
    query = f"?{request.query_string}" if request.query_string else ""
    raise web.HTTPFound(f"{request.match_info['key']}/{query}")


async def dashboard_hls(request: web.Request) -> web.StreamResponse:
    """Serve a playlist or a segment to a dialog or card that is open; its token dies when nobody asks any more."""
    stream = request.app[KEY_HASS].data[SHARED].streams.get(request.match_info["token"])
    if stream is None:
        raise web.HTTPNotFound
    stream.awake()
    return await stream.camera.endpoints.handle(
        request, request.match_info["path"], stream.client, frozenset({Scope.STREAM})
    )


ROUTES = {
    LINK_URL: bare_link,
    f"{LINK_URL}/{{path:.*}}": link,
    DASHBOARD_HLS_URL.replace("{path}", "{path:.+}"): dashboard_hls,
}


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register all addresses, which stay for as long as Home Assistant runs, for pages of any origin."""
    application = hass.http.app
    for url, handler in ROUTES.items():
        resource = application.router.add_resource(url)
        for method in ("GET", "HEAD"):
            application[KEY_ALLOW_ALL_CORS](resource.add_route(method, handler))
