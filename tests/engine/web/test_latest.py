"""`latest.jpg`: the last picture that was kept."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
import time

import pytest

from custom_components.tripod.engine.archive import Archive, Kind
from custom_components.tripod.engine.web import Scope

from .conftest import Serve, pattern, pictures

TAKEN_AT = datetime(2026, 11, 21, 14, 5, 9, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "yard", "yard", zone=UTC, floor=0)
    archive.open()
    return archive


async def test_the_newest_of_snapshots_and_frames_is_served(serve: Serve, archive: Archive) -> None:
    site = await serve(pattern(), archive=archive)
    async with site.session.get(site.url("latest.jpg")) as answer:
        assert (answer.status, (await answer.json())["cause"]) == (404, "nothing_found")
    first, second, third = pictures()[:3]
    for picture, kind, job in ((first, Kind.FRAME, "roof"), (second, Kind.SNAPSHOT, ""), (third, Kind.FRAME, "gate")):
        taken_at = TAKEN_AT + timedelta(seconds=pictures().index(picture))
        archive.publish(kind, taken_at, picture, suffix=".jpg", job=job)
        async with site.session.get(site.url("latest.jpg")) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            assert await answer.read() == picture
            assert float(answer.headers["X-Timestamp"]) == pytest.approx(taken_at.timestamp())
            assert float(answer.headers["X-Age"]) == pytest.approx(time.time() - taken_at.timestamp(), abs=20)
            assert parsedate_to_datetime(answer.headers["Last-Modified"]) == taken_at
    assert site.pipeline.state == "idle", "what is kept wakes no camera"


async def test_a_disk_that_is_away_is_told(serve: Serve, archive: Archive, tmp_path: Path) -> None:
    site = await serve(pattern(), archive=archive)
    (tmp_path / "yard").rename(tmp_path / "unplugged")
    async with site.session.get(site.url("latest.jpg")) as answer:
        assert (answer.status, (await answer.json())["cause"]) == (503, "archive_missing")


async def test_it_takes_the_scope_of_snapshots(serve: Serve, archive: Archive) -> None:
    site = await serve(pattern(), archive=archive)
    site.scope = frozenset({Scope.STREAM})
    async with site.session.get(site.url("latest.jpg")) as answer:
        assert answer.status == 403


async def test_a_camera_without_an_archive_has_none(serve: Serve) -> None:
    site = await serve(pattern())
    async with site.session.get(site.url("latest.jpg")) as answer:
        assert (answer.status, (await answer.json())["cause"]) == (404, "invalid_request")
