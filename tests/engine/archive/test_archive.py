"""An archive on real files: published, found, listed, removed."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from custom_components.tripod.engine.archive import Archive, Kind
from custom_components.tripod.engine.errors import NoSuchItem

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "media" / "tripod" / "garden", "garden", zone=BERLIN, floor=0)
    archive.open()
    return archive


def test_what_is_published_is_found_under_its_local_day(archive: Archive) -> None:
    item = archive.publish(Kind.SNAPSHOT, NOON, b"picture", suffix=".jpg")
    assert item.key == "snapshots/2026-11-21/2026-11-21_12-00-00.000+0100.jpg"
    assert item.path.read_bytes() == b"picture"
    assert archive.find(item.key) == item
    assert archive.latest(Kind.SNAPSHOT) == item
    assert archive.items(Kind.SNAPSHOT, date(2026, 11, 21)) == [item]


def test_a_time_that_is_taken_gets_a_millisecond_more(archive: Archive) -> None:
    items = [archive.publish(Kind.FRAME, NOON, b"x", suffix=".jpg", job="site") for _ in range(3)]
    assert [item.captured_at.microsecond for item in items] == [0, 1000, 2000]
    assert archive.items(Kind.FRAME, date(2026, 11, 21), "site") == items


NOT_KEYS = ["", "/etc/passwd", "snapshots/../x.jpg", "snapshots/2026-11-21/nothing.jpg", ".pins.json"]


@pytest.mark.parametrize("key", NOT_KEYS)
def test_no_other_key_leads_anywhere(archive: Archive, key: str) -> None:
    with pytest.raises(NoSuchItem):
        archive.find(key)
