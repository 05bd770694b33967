"""All of one camera's endpoints, by path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web

from ..archive import Archive
from ..errors import InvalidRequest, OutOfScope, TripodError
from ..no_signal import NoSignal
from ..pipeline import Pipeline
from ..viewers import Client
from .answers import Refusal, refused, unavailable
from .connections import Connections
from .hls import HlsEndpoints
from .latest import Latest
from .mjpeg import Mjpeg
from .packets import Packets
from .player import Player
from .reports import Reports
from .scope import Scope
from .snapshot import Snapshot
from .timing import Timing

Handler = Callable[[web.Request, Client], Awaitable[web.StreamResponse]]


METHODS = ("GET", "HEAD")

ACTIONS = {"stream": "stream.mjpg", "snapshot": "snapshot.jpg"}
"""What `?action=` means, as mjpg-streamer and OctoPrint's users write it."""


@dataclass(frozen=True, slots=True)
class _Route:
    scope: Scope | None
    handler: Handler


class CameraEndpoints:
    """What the outside sees of one camera; every URL in answers is relative to the camera's own, which ends in `/`."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        title: str,
        archive: Archive | None = None,
        describe: Callable[[TripodError], str] = str,
        timing: Timing | None = None,
        cors: bool = True,
    ) -> None:
        """Serve `pipeline`, which people know as `title`, and the last picture in its `archive`.

        `describe` gives the sentence for an error.
        """
        timing = timing or Timing()
        self._pipeline = pipeline
        self._describe = describe
        self._connections = Connections(timing)
        self._no_signal = NoSignal(pipeline.tools.ffmpeg)
        self._snapshot = Snapshot(pipeline)
        self.hls = HlsEndpoints(pipeline, describe=describe, timing=timing, cors=cors)
        mjpeg = Mjpeg(pipeline, self._connections, self._no_signal, describe, timing)
        packets = Packets(pipeline, self._connections, timing)
        player, reports = Player(title), Reports(pipeline, title, describe)
        self._routes = {
            "": _Route(Scope.STREAM, _alone(player.page)),
            player.SCRIPT: _Route(None, _alone(player.script)),
            "stream.mjpg": _Route(Scope.STREAM, mjpeg.stream),
            "stream.ts": _Route(Scope.STREAM, packets.stream),
            "snapshot.jpg": _Route(Scope.SNAPSHOT, _alone(self._snapshot.picture)),
            "health": _Route(None, _alone(reports.health)),
            "ready": _Route(None, _alone(reports.ready)),
            "metrics": _Route(None, _alone(reports.metrics)),
        }
        if archive:
            self._routes["latest.jpg"] = _Route(Scope.SNAPSHOT, _alone(Latest(pipeline, archive).picture))

    async def handle(
        self, request: web.Request, path: str, client: Client, scope: Collection[Scope] = frozenset(Scope)
    ) -> web.StreamResponse:
        """Answer `request` for `path`, relative to the camera's URL, to `client`, who may do what `scope` says."""
        if path.rstrip("/") == "webcam" and "action" not in request.query:
            return web.Response(status=302, headers={"Location": "../" * path.count("/") or "./"})
        try:
            return await self._dispatch(request, _by_action(request, path), client, scope)
        except Refusal as refusal:
            return refused(refusal.status, refusal.error, self._describe)
        except TripodError as error:
            return unavailable(error, self._describe, self._pipeline)

    async def _dispatch(
        self, request: web.Request, path: str, client: Client, scope: Collection[Scope]
    ) -> web.StreamResponse:
        if self.hls.serves(path):
            _check(scope, Scope.STREAM)
            return await self.hls.handle(request, path, client)
        if (route := self._routes.get(path)) is None:
            raise Refusal(404, InvalidRequest(f"there is nothing under {path[:80]}"))
        if request.method not in METHODS:
            raise Refusal(405, InvalidRequest(request.method))
        if route.scope is not None:
            _check(scope, route.scope)
        return await route.handler(request, client)

    def disconnect(self, client_id: str) -> None:
        """Break off what one client is watching, whose link was revoked."""
        self._connections.end(client_id)
        self.hls.end(client_id)

    async def close(self) -> None:
        """Break everything off."""
        await self._connections.close()
        self.hls.close()
        await self._snapshot.close()
        await self._no_signal.close()


def _by_action(request: web.Request, path: str) -> str:
    """Return the path that `webcam/?action=` and its variants mean."""
    action = request.query.get("action")
    if path.rstrip("/") not in ("", "webcam") or action is None:
        return path
    # mjpg-streamer numbers its inputs: stream_0
    meant = ACTIONS.get(action.rstrip("/").removesuffix("_0"))
    if meant is None:
        raise Refusal(400, InvalidRequest(f"action={action[:40]} is none of {', '.join(ACTIONS)}"))
    return meant


def _check(scope: Collection[Scope], needed: Scope) -> None:
    if needed not in scope:
        raise Refusal(403, OutOfScope(scope=needed))


def _alone(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    """Return a handler that does not care who asks."""

    async def handle(request: web.Request, _: Client) -> web.StreamResponse:
        return await handler(request)

    return handle
