"""A listener on the loopback, where Home Assistant's own `stream` and go2rtc fetch a camera's MPEG-TS.

One URL serves core's HLS, `camera.record` and WebRTC alike. The connection stays open while the worker is replaced,
because core waits 10 s and more before it opens a source again.
"""

import secrets

from aiohttp import web
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant

from .engine.viewers import Client
from .engine.web import CameraEndpoints, Scope

HOST = "127.0.0.1"

CLIENT = Client("home_assistant", "Home Assistant")


class Listener:
    """One small HTTP server for all cameras."""

    def __init__(self) -> None:
        """Prepare; `start` opens the port."""
        self._secret = secrets.token_urlsafe(32)
        self._cameras: dict[str, CameraEndpoints] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self, hass: HomeAssistant) -> None:
        """Listen on a free port until Home Assistant stops."""
        application = web.Application()
        application.router.add_get("/{camera}.ts", self._serve)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self._port = self._runner.addresses[0][1]
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._stop)

    async def _stop(self, _event: Event) -> None:
        assert self._runner is not None
        for camera in self._cameras.values():
            camera.disconnect(CLIENT.id)
        await self._runner.cleanup()

    def url(self, camera: str) -> str:
        """Return where `camera`, a config entry's id, is served; core and go2rtc mask `auth` in their logs."""
        return f"http://{HOST}:{self._port}/{camera}.ts?auth={self._secret}"

    def add(self, camera: str, endpoints: CameraEndpoints) -> None:
        """Serve a camera."""
        self._cameras[camera] = endpoints

    def remove(self, camera: str) -> None:
        """Serve a camera no longer."""
        self._cameras.pop(camera, None)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not secrets.compare_digest(request.query.get("auth", "").encode(), self._secret.encode()):
            raise web.HTTPForbidden
        if (endpoints := self._cameras.get(request.match_info["camera"])) is None:
            raise web.HTTPNotFound
        return await endpoints.handle(request, "stream.ts", CLIENT, frozenset({Scope.STREAM}))
