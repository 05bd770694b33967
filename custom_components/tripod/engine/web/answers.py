"""Answers that say no, with the reason."""

from __future__ import annotations

from collections.abc import Callable
import math

from aiohttp import web

from ..errors import TripodError
from ..pipeline import Pipeline

NO_STORE = {"Cache-Control": "no-store"}

SOON = 2
"""Seconds after which to ask again, where nothing better is known."""


class Refusal(Exception):
    """A request that is answered with `status`, whatever the camera does; a plain `TripodError` becomes a 503."""

    def __init__(self, status: int, error: TripodError) -> None:
        """Answer with `status` and what `error` says."""
        super().__init__(str(error))
        self.status = status
        self.error = error


def unavailable(error: TripodError, describe: Callable[[TripodError], str], pipeline: Pipeline) -> web.Response:
    """Return a 503 that says what keeps the picture away, and when to ask again."""
    retry_at = pipeline.status.retry_at
    seconds = SOON if retry_at is None else max(1, math.ceil(retry_at - pipeline.clock()))
    return refused(503, error, describe, {"Retry-After": str(seconds)})


def refused(
    status: int, error: TripodError, describe: Callable[[TripodError], str], headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer that names the cause, for programs, and the sentence, for people, with what it names."""
    body = {"cause": error.cause, "message": describe(error), "placeholders": error.placeholders}
    return web.json_response(body, status=status, headers=NO_STORE | (headers or {}))
