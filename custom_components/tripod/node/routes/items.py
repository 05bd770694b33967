"""What a camera keeps: lists, files, pins."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ...engine.archive import Kind
from ...engine.web.kept import IMMUTABLE, HeldFile, mime_type, picture
from ..call import Call, answer
from ..fields import Field
from ..items import LISTED, LONGEST_LIST, page
from .route import Route

_ITEMS = "/cameras/{camera}/items"
_ITEM, _THUMBNAIL, _PIN = (f"/cameras/{{camera}}/{what}/{{item}}" for what in ("items", "thumbnails", "pins"))


async def items(call: Call) -> web.StreamResponse:
    """List what there is of a kind, oldest first."""
    camera = call.camera
    await camera.camera.readable()
    kind, limit = Kind(call.query["kind"]), call.query.get("limit", LONGEST_LIST)
    found, more = await asyncio.to_thread(page, camera.archive, kind, call.query.get("after"), limit)
    return answer({"items": found, "more": more})


async def item(call: Call) -> web.StreamResponse:
    """Answer with a file, or the range of it that is asked for."""
    archive = call.camera.archive
    await call.camera.camera.readable()
    found = await asyncio.to_thread(archive.find, call.part("item"))
    response = HeldFile(archive, found, found.path, cache=IMMUTABLE)
    response.content_type = mime_type(found)
    return response


async def thumbnail(call: Call) -> web.StreamResponse:
    """Answer with the picture that stands for a file."""
    archive = call.camera.archive
    await call.camera.camera.readable()
    found = await asyncio.to_thread(archive.find, call.part("item"))
    path = await asyncio.to_thread(picture, archive, found)
    response = HeldFile(archive, found, path, cache=IMMUTABLE)
    response.content_type = "image/jpeg"
    return response


async def remove(call: Call) -> web.StreamResponse:
    """Remove a file."""
    archive = call.camera.archive
    await call.camera.camera.readable()
    found = await asyncio.to_thread(archive.find, call.part("item"))
    await asyncio.to_thread(archive.remove, found)
    return answer({"key": found.key})


async def pin(call: Call) -> web.StreamResponse:
    """Keep a file until it is unpinned."""
    return await _pin(call, pinned=True)


async def unpin(call: Call) -> web.StreamResponse:
    """Let a file go when its time comes."""
    return await _pin(call, pinned=False)


async def _pin(call: Call, *, pinned: bool) -> web.StreamResponse:
    archive, key = call.camera.archive, call.part("item")
    await call.camera.camera.readable()
    await asyncio.to_thread(archive.pin if pinned else archive.unpin, key)
    return answer({"key": key, "pinned": pinned})


ROUTES = (
    Route(
        method="GET",
        path=_ITEMS,
        handler=items,
        summary="What the camera keeps, oldest first",
        query=(
            Field(name="kind", required=True, text="Which files", choices=[kind.value for kind in LISTED]),
            Field(name="after", text="The key of the last one that is known"),
            Field(name="limit", kind="integer", text="How many at most", minimum=1, maximum=LONGEST_LIST),
        ),
        gives="Items",
    ),
    Route(method="GET", path=_ITEM, handler=item, summary="A file, or a range of it", gives="application/octet-stream"),
    Route(method="DELETE", path=_ITEM, handler=remove, summary="Remove a file, even one that is pinned", gives="Key"),
    Route(method="GET", path=_THUMBNAIL, handler=thumbnail, summary="A picture of it", gives="image/jpeg"),
    Route(method="POST", path=_PIN, handler=pin, summary="Keep a file until it is unpinned", gives="Pinned"),
    Route(method="DELETE", path=_PIN, handler=unpin, summary="Let a file go when its time comes", gives="Pinned"),
)
