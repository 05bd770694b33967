"""The archives' files over HTTP, for who is logged in or has a signed address."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, override

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.core import HomeAssistant, callback

from . import media_tree
from .engine.archive import Archive, Item
from .engine.errors import InvalidName, InvalidRange, InvalidRequest, NoSuchItem, NoSuchJob, NothingFound, TripodError
from .engine.web.answers import refused
from .media_files import MEDIA_URL, THUMBNAIL_URL, CameraNotSetUp, archive_of, camera, key_of, mime_type, picture
from .media_tree import Place
from .sentences import describe

IMMUTABLE: Final = "private, max-age=86400, immutable"
"""An item never changes; a browser that asks once a day notices those that were removed."""

CHECKED: Final = "private, no-cache"
"""What stands for a folder changes with each new picture in it: the browser asks whether it did."""

_STATUS: Final[dict[type[TripodError], HTTPStatus]] = {
    InvalidName: HTTPStatus.NOT_FOUND,
    InvalidRange: HTTPStatus.BAD_REQUEST,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    NoSuchItem: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
    NothingFound: HTTPStatus.NOT_FOUND,
}
"""How errors are answered that are not about a disk, or a camera, that may come back."""


@asynccontextmanager
async def held(archive: Archive, item: Item) -> AsyncIterator[None]:
    """Keep an item from being pruned; raises `NoSuchItem`. The archive's own lock may wait for a disk."""
    loop, hold = asyncio.get_running_loop(), archive.hold(item)
    entered = loop.run_in_executor(None, hold.__enter__)

    def leave(done: asyncio.Future[None]) -> None:
        if done.exception() is None:
            loop.run_in_executor(None, hold.__exit__, None, None, None)

    try:
        await asyncio.shield(entered)  # if cancelled, it is held all the same, and let go below
        yield
    finally:
        entered.add_done_callback(leave)


class HeldFile(web.FileResponse):
    """A file of an archive, or a range of it, which is not pruned while it is sent."""

    def __init__(self, archive: Archive, item: Item, path: Path, *, cache: str) -> None:
        """Send `path`, which belongs to `item`."""
        super().__init__(path, headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"})
        self._archive = archive
        self._item = item

    @override
    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it."""
        try:
            async with held(self._archive, self._item):
                return await super().prepare(request)
        except NoSuchItem:  # it went just now
            self.set_status(HTTPStatus.NOT_FOUND)
            return await web.StreamResponse.prepare(self, request)


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
