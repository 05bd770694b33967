"""What live looks at cameras found, as the set-up dialogs show it."""

from asyncio import Task, shield
from collections.abc import Callable, Coroutine
import secrets
from typing import Any

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton

from .const import DOMAIN
from .engine.sources import Found

NOTHING = "–"  # noqa: RUF001 - a dash for people

TENTHS_BELOW = 10
"""Frames per second below which a tenth means something: a live look is too short to measure better."""

type Picture = bytes | Callable[[], Coroutine[Any, Any, bytes]]
"""A JPEG, or what takes one when a browser asks for it."""


def words(found: Found, microphone: str = "") -> dict[str, str]:
    """Return what was found, as a step's text names it; a look does not listen to a `microphone` of its own device."""
    beside = f"AAC, {microphone}" if microphone else NOTHING
    return {
        "codec": CODECS.get(found.codec, found.codec),
        "size": size(found.width, found.height),
        "rate": f"{rate(found.rate)} fps" if found.rate else NOTHING,
        "audio": found.audio_codec or beside,
    }


def size(width: int, height: int) -> str:
    """Return a size in pixels as people read it."""
    return f"{width} × {height}"  # noqa: RUF001 - the sign for people


def rate(measured: float) -> str:
    """Return a measured rate as people read it: 29.97 is 30, 7.5 stays."""
    return f"{measured:.0f}" if round(measured, 1) >= TENTHS_BELOW else f"{round(measured, 1):g}"


CODECS = {"h264": "H.264", "hevc": "H.265", "mjpeg": "JPEG"}
"""The names that people know codecs by."""


class Previews:
    """The pictures of the dialogs that are open, each under an address that nobody can guess."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._hass = hass
        self._pictures: dict[str, Picture] = {}
        self._taking: dict[str, Task[bytes]] = {}

    def add(self, picture: Picture) -> str:
        """Keep a picture and return the name that it is asked for by."""
        name = secrets.token_urlsafe(16)
        self._pictures[name] = picture
        return name

    async def get(self, name: str) -> bytes | None:
        """Return a picture, which is taken at the first call if need be; None for a name that is not known."""
        picture = self._pictures.get(name)
        if picture is None or isinstance(picture, bytes):
            return picture
        if name not in self._taking:
            self._taking[name] = self._hass.async_create_background_task(picture(), "picture of a camera")
        return await shield(self._taking[name])  # another browser may wait for it, too

    def forget(self, name: str) -> None:
        """Forget a picture; one that is being taken is not waited for."""
        self._pictures.pop(name, None)
        if task := self._taking.pop(name, None):
            task.cancel()


class Album:
    """The pictures of one dialog, shown for as long as it is open."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._previews = previews(hass)
        self._names: dict[str, str] = {}

    def show(self, key: str, picture: Picture | None) -> str:
        """Return Markdown that shows `picture`, instead of the one that `key` named before; nothing for none."""
        if old := self._names.pop(key, None):
            self._previews.forget(old)
        if not picture:
            return ""
        name = self._names[key] = self._previews.add(picture)
        return f"![](/api/tripod/preview/{name}.jpg)"

    def close(self) -> None:
        """Forget the pictures."""
        for name in self._names.values():
            self._previews.forget(name)
        self._names.clear()


class PreviewView(HomeAssistantView):
    """A picture in an open dialog: the browser asks for it without the user's token."""

    url = "/api/tripod/preview/{name:[A-Za-z0-9_-]+}.jpg"
    name = "api:tripod:preview"
    requires_auth = False

    async def get(self, request: web.Request, name: str) -> web.Response:
        """Serve it."""
        picture = await previews(request.app[KEY_HASS]).get(name)
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@singleton(f"{DOMAIN}_previews")
def previews(hass: HomeAssistant) -> Previews:
    """Return the open dialogs' pictures; a dialog may be open before any camera is set up."""
    hass.http.register_view(PreviewView())
    return Previews(hass)
