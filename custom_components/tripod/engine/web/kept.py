"""Files of an archive over HTTP, whole or in ranges, which are not pruned while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from ..archive import Archive, Item
from ..errors import NoSuchItem

IMMUTABLE: Final = "private, max-age=86400, immutable"
"""An item never changes; a browser that asks once a day notices those that were removed."""

CHECKED: Final = "private, no-cache"
"""What stands for a folder changes with each new picture in it: the browser asks whether it did."""

MIME_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
}
"""What files are served as, by suffix. A file of another suffix is not served."""


def mime_type(item: Item) -> str:
    """Return what an item is served as; raises `NoSuchItem` for what is not served."""
    if (found := MIME_TYPES.get(item.suffix.lower())) is None:
        raise NoSuchItem(item=item.key)
    return found


def picture(archive: Archive, item: Item) -> Path:
    """Return the picture that stands for an item: of a video its thumbnail, else the item itself. Blocks.

    Raises `NoSuchItem` where there is none.
    """
    if thumbnail := archive.thumbnail(item):
        return thumbnail
    if mime_type(item).startswith("image/"):
        return item.path
    raise NoSuchItem(item=item.key)


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

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it."""
        try:
            async with held(self._archive, self._item):
                return await super().prepare(request)
        except NoSuchItem:  # it went just now
            self.set_status(HTTPStatus.NOT_FOUND)
            return await web.StreamResponse.prepare(self, request)
