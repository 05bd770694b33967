"""One picture over HTTP: fresh, or none and the reason."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from ..pipeline import Pipeline
from .fit import Crop, Fit, Fitter
from .query import invalid, number, whole

MAX_SIDE = 16384
"""Pixels: no JPEG is larger by much (ITU-T T.81: 65535)."""

MAX_AGE = 86400.0
MAX_WAIT = 60.0
WAIT = 4.5
"""Seconds to wait for a picture: OctoPrint gives up after five."""


class Snapshot:
    """The endpoint."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Serve the newest frames of `pipeline`."""
        self._pipeline = pipeline
        self._fitter = Fitter(pipeline.tools.ffmpeg)

    async def picture(self, request: web.Request) -> web.Response:
        """Answer with one JPEG; raises what keeps it away."""
        fit = _fit(request)
        wait = number(request, "wait", 0, MAX_WAIT)
        frame = await self._pipeline.snapshot(
            max_age=number(request, "max_age", 0, MAX_AGE),
            after=self._after(request),
            wait=WAIT if wait is None else wait,
        )
        data = await self._fitter.fit(frame, fit)
        age = max(0.0, self._pipeline.clock() - frame.captured_at)
        headers = {
            "Cache-Control": "no-store",
            "X-Timestamp": f"{frame.captured_at:.3f}",
            "X-Sequence": str(frame.sequence),
            "X-Age": f"{age:.3f}",
            "Age": str(int(age)),
        }
        response = web.Response(body=data, content_type="image/jpeg", headers=headers)
        response.last_modified = datetime.fromtimestamp(frame.captured_at, UTC)
        return response

    def _after(self, request: web.Request) -> float | None:
        if request.query.get("after") == "now":
            return self._pipeline.clock()
        return number(request, "after", 0, 1e12)

    async def close(self) -> None:
        """End what is under way."""
        await self._fitter.close()


def _fit(request: web.Request) -> Fit:
    return Fit(whole(request, "width", 1, MAX_SIDE), whole(request, "height", 1, MAX_SIDE), _crop(request))


def _crop(request: web.Request) -> Crop | None:
    text = request.query.get("crop")
    if text is None:
        return None
    parts = text.split(":")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in parts):
        raise invalid("crop is not of the form width:height:x:y, in pixels")
    crop = Crop(*map(int, parts))
    if not crop.width or not crop.height:
        raise invalid("crop has no size")
    return crop
