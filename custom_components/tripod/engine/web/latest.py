"""The last picture that was kept, snapshot or frame of a timelapse, for pages and programs that show what is there."""

from __future__ import annotations

import asyncio
from datetime import UTC

from aiohttp import web

from ..archive import Archive, Item, Kind, files
from ..errors import NothingFound
from ..pipeline import Pipeline
from .answers import Refusal


class Latest:
    """The endpoint."""

    def __init__(self, pipeline: Pipeline, archive: Archive) -> None:
        """Serve what `archive` keeps of `pipeline`."""
        self._pipeline = pipeline
        self._archive = archive

    async def picture(self, _: web.Request) -> web.Response:
        """Answer with one JPEG and its age, however old; raises `ArchiveMissing`."""
        found = await asyncio.to_thread(self._read)
        if found is None:
            raise Refusal(404, NothingFound("pictures"))
        item, data = found
        age = max(0.0, self._pipeline.clock() - item.captured_at.timestamp())
        headers = {
            "Cache-Control": "no-store",
            "X-Timestamp": f"{item.captured_at.timestamp():.3f}",
            "X-Age": f"{age:.3f}",
            "Age": str(int(age)),
        }
        response = web.Response(body=data, content_type="image/jpeg", headers=headers)
        response.last_modified = item.captured_at.astimezone(UTC)
        return response

    def _read(self) -> tuple[Item, bytes] | None:
        archive = self._archive
        places = [(Kind.SNAPSHOT, ""), *((Kind.FRAME, job) for job in archive.jobs())]
        items = [item for kind, job in places if (item := archive.latest(kind, job))]
        if not items:
            return None
        item = max(items, key=lambda item: item.captured_at)
        with files.explained(item.path):
            return item, item.path.read_bytes()
