"""The archives' files over HTTP, for who is logged in or has a signed address."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.core import HomeAssistant, callback

from . import media_tree
from .engine.archive import Archive
from .engine.errors import InvalidName, InvalidRange, InvalidRequest, NoSuchItem, NoSuchJob, NothingFound, TripodError
from .engine.web.answers import refused
from .engine.web.kept import CHECKED, IMMUTABLE, HeldFile, mime_type, picture
from .media_files import MEDIA_URL, THUMBNAIL_URL, CameraNotSetUp, archive_of, camera, key_of
from .media_tree import Place
from .sentences import describe

_STATUS: Final[dict[type[TripodError], HTTPStatus]] = {
    InvalidName: HTTPStatus.NOT_FOUND,
    InvalidRange: HTTPStatus.BAD_REQUEST,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NoSuchItem: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
    NothingFound: HTTPStatus.NOT_FOUND,
}
"""How errors are answered that are not about a disk, or a camera, that may come back."""


class MediaView(HomeAssistantView):
    """A picture or a video."""

    url = MEDIA_URL.replace("{key}", "{key:.+}")
    name = "api:tripod:media"

    async def get(self, request: web.Request, camera: str, key: str) -> web.StreamResponse:
        """Serve it, or the range of it that is asked for."""

        def find(archive: Archive) -> web.StreamResponse:
            item = archive.find(key_of(key))
            response = HeldFile(archive, item, item.path, cache=IMMUTABLE)
            response.content_type = mime_type(item)
            return response

        return await answer(request, camera, find)

    head = get


class ThumbnailView(HomeAssistantView):
    """The picture that stands for an item or a folder."""

    url = THUMBNAIL_URL.replace("{key}", "{key:.*}")
    name = "api:tripod:thumbnail"

    async def get(self, request: web.Request, camera: str, key: str) -> web.StreamResponse:
        """Serve it."""

        def find(archive: Archive) -> web.StreamResponse:
            path = key_of(key)
            place = Place.parse(path)
            item = media_tree.newest(archive, place) if place else archive.find(path)
            return HeldFile(archive, item, picture(archive, item), cache=CHECKED if place else IMMUTABLE)

        return await answer(request, camera, find)


async def answer(
    request: web.Request, entry_id: str, find: Callable[[Archive], web.StreamResponse]
) -> web.StreamResponse:
    """Return what `find`, which blocks, makes of a camera's archive, or why there is nothing."""
    hass = request.app[KEY_HASS]
    try:
        entry = camera(hass, entry_id)
        return await hass.async_add_executor_job(lambda: find(archive_of(entry)))
    except TripodError as error:
        status = _STATUS.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
        return refused(status, error, lambda told: describe(hass, told))
    except CameraNotSetUp as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the addresses, which stay for as long as Home Assistant runs."""
    for view in (MediaView, ThumbnailView):
        hass.http.register_view(view())
