"""What a camera says about itself: health, ready, metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from ..errors import NoFreshPicture, Stopped, TripodError
from ..pipeline import Pipeline
from ..status import State
from .answers import NO_STORE, SOON
from .metrics import Reported, exposition

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus text exposition format."""


class Reports:
    """The endpoints."""

    def __init__(self, pipeline: Pipeline, title: str, describe: Callable[[TripodError], str]) -> None:
        """Report on `pipeline`, which people know as `title`."""
        self._pipeline = pipeline
        self._title = title
        self._describe = describe

    async def health(self, _: web.Request) -> web.Response:
        """Answer 200: this process lives. Whether pictures come is for `ready` to say."""
        return web.json_response({"status": "ok", **self._state()}, headers=NO_STORE)

    async def ready(self, _: web.Request) -> web.Response:
        """Answer 200 if the newest picture is fresh, or nobody wants one and the camera waits to be asked; else 503."""
        reason = why_not_ready(self._pipeline)
        if reason is None:
            return web.json_response({"ready": True, **self._state()}, headers=NO_STORE)
        body = {"ready": False, "cause": reason.cause, "message": self._describe(reason), **self._state()}
        return web.json_response(body, status=503, headers=NO_STORE | {"Retry-After": str(SOON)})

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer in Prometheus' text format."""
        body = await exposition([Reported(self._title, self._pipeline)], clock=self._pipeline.clock)
        return web.Response(body=body.encode(), headers=NO_STORE | {"Content-Type": METRICS_TYPE})

    def _state(self) -> dict[str, object]:
        status = self._pipeline.status
        age = None if status.frame_at is None else round(max(0.0, self._pipeline.clock() - status.frame_at), 3)
        return {"title": self._title, "state": str(status.state), "frame_age": age}


def why_not_ready(pipeline: Pipeline) -> TripodError | None:
    """Return what keeps fresh pictures away; None where they come, or the camera waits to be asked for them."""
    status = pipeline.status
    if status.state is State.STOPPED:
        return Stopped()
    if status.state is State.IDLE:
        return None
    if status.error is not None:
        return status.error
    if status.frame_at is None:
        return NoFreshPicture("the camera is starting")
    if (age := pipeline.clock() - status.frame_at) > pipeline.picture_age_limit:
        return NoFreshPicture(f"the newest is {age:.0f} s old")
    return None
