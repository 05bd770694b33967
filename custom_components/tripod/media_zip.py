"""The frames of a timelapse as one ZIP, for who wants to work on them elsewhere."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from itertools import chain
import logging
from typing import Final
from urllib.parse import quote

from aiohttp import web
from homeassistant.components.http import HomeAssistantView
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from yarl import URL

from .data import TripodConfigEntry
from .engine.archive import Archive, Item, Kind
from .engine.errors import InvalidRequest, NothingFound
from .engine.timelapse import RenderRequest, zipped
from .engine.timelapse.span import SECOND, Span
from .media_files import key_of, url
from .media_views import answer

_LOGGER = logging.getLogger(__name__)

ZIP_URL: Final = "/api/tripod/zip/{camera}/{key}"

VALID = timedelta(days=1)
"""How long a signed address can be used: as long as one of the media browser."""


class ZipView(HomeAssistantView):
    """The frames of a timelapse, of all its days or from `start` to `end`, both days or times and both included."""

    url = ZIP_URL.replace("{key}", "{job}")
    name = "api:tripod:zip"

    async def get(self, request: web.Request, camera: str, job: str) -> web.StreamResponse:
        """Make the ZIP while it is sent."""
        name = key_of(job)

        def find(archive: Archive) -> web.StreamResponse:
            frames = _frames(archive, name, request.query)
            if (first := next(frames, None)) is None:
                raise NothingFound(name)
            attachment = f"attachment; filename*=UTF-8''{quote(name, safe='')}.zip"
            headers = {"Content-Disposition": attachment, "Cache-Control": "no-store"}
            return web.Response(body=_sent(chain([first], frames)), content_type="application/zip", headers=headers)

        return await answer(request, camera, find)


def _frames(archive: Archive, job: str, query: Mapping[str, str]) -> Iterator[Item]:
    """Yield the frames that are asked for; blocks. Raises `NothingFound`, `InvalidRange` or `InvalidRequest`."""
    days = archive.days(Kind.FRAME, job)
    if not days:
        raise NothingFound(job)
    start, end = (_moment(query[name]) if name in query else None for name in ("start", "end"))
    span = Span.of(start or days[0].date, end or days[-1].date, archive.zone)
    first, after = (datetime.fromtimestamp(at / SECOND, UTC) for at in (span.first, span.last + 1))
    return archive.between(Kind.FRAME, first, after, job)


def _moment(text: str) -> date | datetime:
    try:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{text} is neither a date nor a time, such as 2026-11-21 or 2026-11-21T08:00") from error


async def _sent(frames: Iterable[Item]) -> AsyncIterator[bytes]:
    """Yield the ZIP; where a frame cannot be read, cut the connection, so that it is seen that something is missing."""
    try:
        async with aclosing(zipped(frames)) as blocks:
            async for block in blocks:
                yield block
    except OSError as error:
        _LOGGER.warning("A ZIP of frames was cut off: %s", error)
        raise ConnectionResetError from error


@callback
def signed(hass: HomeAssistant, entry: TripodConfigEntry, request: RenderRequest) -> str:
    """Return an address that needs no log-in for a day, of the frames that a video is made of."""
    start, end = (_in_utc(at) for at in (request.start, request.end))
    path = f"{url(ZIP_URL, entry, request.job)}?start={start}&end={end}"
    return str(URL(async_sign_path(hass, path, VALID)))


def _in_utc(at: date | datetime) -> str:
    """Return a moment without a plus sign, which is lost where Home Assistant signs."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if isinstance(at, datetime) else at.isoformat()
