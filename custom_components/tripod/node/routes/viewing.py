"""What is seen of a camera: by who may all, by a link's key, and of the first camera also at the node's own address."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiohttp import web

from ...engine.errors import NoSuchCamera, OutOfScope
from ...engine.web import Scope
from ...engine.web.answers import Refusal
from ..access import Caller
from ..call import Call
from ..cameras import NodeCamera
from ..fields import Field, Fields
from .route import Route, Who


async def view(call: Call, path: str | None = None) -> web.StreamResponse:
    """Answer what is asked of a camera."""
    return await _view(call, call.camera, call.who, path)


async def first(call: Call, path: str | None = None) -> web.StreamResponse:
    """Answer what is asked of the first camera."""
    camera = next(iter(call.node.cameras.values()), None)
    if camera is None:
        raise NoSuchCamera(camera="at all")
    return await _view(call, camera, call.who, path)


async def link(call: Call, path: str | None = None) -> web.StreamResponse:
    """Answer what is asked by a link's key; a wrong or revoked one finds nothing."""
    found = call.node.credentials.link(call.part("key"))
    if found is None:
        raise web.HTTPNotFound
    if call.node.credentials.expired(found):
        raise Refusal(403, OutOfScope(scope="of a time that is over"))
    camera = call.node.cameras.get(found.camera)
    if camera is None:
        raise NoSuchCamera(camera=found.camera)
    call.node.credentials.note_use(found.id)
    return await _view(call, camera, Caller(found.client, link=found), path)


async def bare(call: Call) -> web.StreamResponse:
    """Send a client to the address with a slash at its end, to which all others are relative."""
    query = f"?{call.request.query_string}" if call.request.query_string else ""
    name = call.request.match_info.get("key") or call.camera.id
    return web.Response(status=302, headers={"Location": f"{name}/{query}"})


async def _view(call: Call, camera: NodeCamera, caller: Caller, path: str | None) -> web.StreamResponse:
    scope = caller.link.scopes if caller.link else frozenset(Scope)
    if caller.link and caller.link.camera != camera.id:
        raise Refusal(403, OutOfScope(scope=f"of the camera {camera.id}"))
    if path is None:
        path = call.request.match_info.get("path", "")
    return await camera.endpoints.handle(call.request, path, caller.client, scope)


class _Viewing(Protocol):
    """Answers a path of a camera, by default the one that the request has."""

    def __call__(self, call: Call, path: str | None = None) -> Awaitable[web.StreamResponse]:
        """Answer."""


@dataclass(frozen=True, slots=True)
class _View:
    path: str
    summary: str
    gives: str
    query: Fields = ()


_VIEWS = (
    _View("", "The player page", "text/html"),
    _View(
        "stream.mjpg",
        "Moving JPEGs; a part with X-Tripod-No-Signal is a drawn picture that says why the camera is away",
        "multipart/x-mixed-replace",
        (Field(name="fps", kind="number", text="Pictures per second at most"),),
    ),
    _View(
        "stream.ts",
        "MPEG-TS",
        "video/mp2t",
        (Field(name="pre_roll", kind="number", text="Seconds before now, as far as they are kept"),),
    ),
    _View("stream.m3u8", "HLS", "application/vnd.apple.mpegurl"),
    _View(
        "snapshot.jpg",
        "The newest picture, or 503 and why there is none",
        "image/jpeg",
        (
            Field(name="width", kind="integer", text="Pixels"),
            Field(name="height", kind="integer", text="Pixels"),
            Field(name="crop", text="width:height:x:y, in pixels"),
            Field(name="max_age", kind="number", text="Seconds"),
            Field(name="after", text="Unix time, or now"),
            Field(name="wait", kind="number", text="Seconds"),
        ),
    ),
    _View("latest.jpg", "The last picture that was kept, however old", "image/jpeg"),
    _View(
        "webcam/",
        "The stream or a snapshot, as mjpg-streamer's and OctoPrint's users ask for it",
        "application/octet-stream",
        (Field(name="action", text="Which", choices=("stream", "snapshot")),),
    ),
    _View("health", "Whether the node lives", "Health"),
    _View("ready", "Whether pictures come; 503 and why they do not", "Ready"),
    _View("metrics", "The camera, for Prometheus", "text/plain"),
)


_OF_THE_NODE = frozenset({"", "health", "ready", "metrics"})
"""What at the node's own address is the node's."""


def _routes(prefix: str, handler: _Viewing, who: Who, *, without: Collection[str] = ()) -> Iterator[Route]:
    """Yield a row for each view, and one for all that players find by themselves, such as HLS segments."""
    for each in _VIEWS:
        if each.path not in without:
            yield Route(
                method="GET",
                path=f"{prefix}{each.path}",
                handler=partial(handler, path=each.path),
                who=who,
                summary=each.summary,
                own_query=each.query,
                gives=each.gives,
            )
    rest = f"{prefix}{{path}}"
    yield Route(method="GET", path=rest, handler=handler, who=who, summary="All the rest", documented=False)


def _bare(path: str, who: Who) -> Route:
    return Route(method="GET", path=path, handler=bare, who=who, summary="To the player page", status=302)


CAMERA, LINK = "/cameras/{camera}", "/links/{key}"

ROUTES = (
    _bare(CAMERA, Who.VIEWER),
    *_routes(f"{CAMERA}/", view, Who.VIEWER),
    _bare(LINK, Who.KEY),
    *_routes(f"{LINK}/", link, Who.KEY),
    *_routes("/", first, Who.VIEWER, without=_OF_THE_NODE),
)
"""The last rows match everything that no row before them does."""
