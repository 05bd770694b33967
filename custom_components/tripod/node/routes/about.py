"""What a node says about itself."""

from __future__ import annotations

from aiohttp import web

from ...engine.errors import Stopped, TripodError
from ...engine.web.answers import NO_STORE, SOON
from ...engine.web.reports import METRICS_TYPE, why_not_ready
from .. import page
from ..call import Call, answer
from ..facts import Facts
from ..openapi import document
from ..prometheus import metrics as exposition
from . import viewing
from .route import Route, Who


async def index(call: Call) -> web.StreamResponse:
    """Show all cameras; or one picture or stream, where it is asked for as mjpg-streamer's clients do."""
    if "action" in call.request.query:
        return await viewing.first(call)
    return web.Response(text=page.index(call.node), headers=page.HEADERS)


async def health(_: Call) -> web.StreamResponse:
    """Say that this process lives."""
    return answer({"status": "ok"})


async def ready(call: Call) -> web.StreamResponse:
    """Say whether the cameras deliver; one that the user stopped is as it should be."""
    reasons = {name: why_not_ready(camera.pipeline) for name, camera in call.node.cameras.items()}
    good = all(reason is None or isinstance(reason, Stopped) for reason in reasons.values())
    found: Facts = {"ready": good}
    if call.caller and call.caller.may_all:
        found["cameras"] = {name: _readiness(reason) for name, reason in reasons.items()}
    response = answer(found, 200 if good else 503)
    if not good:
        response.headers["Retry-After"] = str(SOON)
    return response


def _readiness(reason: TripodError | None) -> Facts:
    if reason is None:
        return {"ready": True}
    return {"ready": False, "cause": reason.cause, "message": str(reason)}


async def metrics(call: Call) -> web.StreamResponse:
    """Say all that is counted, in Prometheus' text format."""
    text = await exposition(call.node)
    return web.Response(body=text.encode(), headers=NO_STORE | {"Content-Type": METRICS_TYPE})


async def openapi(call: Call) -> web.StreamResponse:
    """Describe what can be asked."""
    return answer(document(call.node.routes, call.node.version))


async def node(call: Call) -> web.StreamResponse:
    """Say which node this is, and to those that may all which cameras it has."""
    facts = call.node.facts
    if call.caller and call.caller.may_all:
        facts["cameras"] = [camera.facts for camera in call.node.cameras.values()]
    return answer(facts)


async def events(call: Call) -> web.StreamResponse:
    """Tell all that happens; a paired client is present as long as it listens."""
    caller = call.who
    return await call.node.events.stream(call.request, caller.client, paired=caller.token is not None)


ROUTES = (
    Route(method="GET", path="/", handler=index, summary="A page with the pictures of all cameras", gives="text/html"),
    Route(
        method="GET", path="/health", handler=health, who=Who.ANYONE, summary="Whether the node lives", gives="Health"
    ),
    Route(
        method="GET",
        path="/ready",
        handler=ready,
        who=Who.ANYONE,
        summary="Whether the cameras deliver; 503 where one does not",
        gives="Ready",
    ),
    Route(method="GET", path="/metrics", handler=metrics, summary="All cameras, for Prometheus", gives="text/plain"),
    Route(method="GET", path="/openapi.json", handler=openapi, summary="This document"),
    Route(
        method="GET",
        path="/node",
        handler=node,
        who=Who.ANYONE,
        summary="Which node this is; with a credential, also its cameras",
        gives="Node",
    ),
    Route(
        method="GET",
        path="/events",
        handler=events,
        summary="What happens, as server-sent events: status, item, failed",
        gives="text/event-stream",
    ),
)
