"""What a live look at a camera found, as the set-up dialog shows it."""

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton

from .const import DOMAIN
from .engine.sources import Found

NOTHING = "–"  # noqa: RUF001 - a dash for people


def words(found: Found) -> dict[str, str]:
    """Return what was found, as a step's text names it."""
    return {
        "codec": CODECS.get(found.codec, found.codec),
        "size": f"{found.width} × {found.height}",  # noqa: RUF001 - the sign for people
        "rate": f"{found.rate:.3g} fps" if found.rate else NOTHING,
        "audio": found.audio_codec or NOTHING,
    }


CODECS = {"h264": "H.264", "hevc": "H.265", "mjpeg": "JPEG"}
"""The names that people know codecs by."""


class Previews:
    """The pictures of the dialogs that are open, each under an address that nobody can guess."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_flow: dict[str, bytes] = {}

    def show(self, flow: str, picture: bytes | None) -> str:
        """Return Markdown that shows `picture` for as long as the dialog is open."""
        if picture is None:
            return ""
        self.by_flow[flow] = picture
        return f"![](/api/tripod/preview/{flow}.jpg)"

    def forget(self, flow: str) -> None:
        """Forget a dialog's picture."""
        self.by_flow.pop(flow, None)


class PreviewView(HomeAssistantView):
    """A picture in an open dialog: the browser asks for it without the user's token."""

    url = "/api/tripod/preview/{flow:[A-Za-z0-9_-]+}.jpg"
    name = "api:tripod:preview"
    requires_auth = False

    async def get(self, request: web.Request, flow: str) -> web.Response:
        """Serve it."""
        picture = previews(request.app[KEY_HASS]).by_flow.get(flow)
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


@singleton(f"{DOMAIN}_previews")
def previews(hass: HomeAssistant) -> Previews:
    """Return the open dialogs' pictures; a dialog may be open before any camera is set up."""
    hass.http.register_view(PreviewView())
    return Previews()
