"""The archive as folders for people, on real files."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.tripod import media_titles, media_tree
from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.errors import NoSuchItem
from custom_components.tripod.media_tree import CROWD, Folder, Place
from custom_components.tripod.sentences import PHRASES, Phrases

from .test_translations import EN

ZONE = ZoneInfo("Europe/Zurich")

NOON = datetime(2026, 11, 21, 12, tzinfo=ZONE)

WORDS = Phrases(None, {PHRASES + key: text for key, text in EN["selector"]["phrase"]["options"].items()})

type Publish = Callable[..., Item]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Open an archive."""
    archive = Archive(tmp_path / "yard", "yard", zone=ZONE, floor=0)
    archive.open()
    return archive


@pytest.fixture
def publish(archive: Archive) -> Publish:
    """Put something into the archive."""

    def publish(kind: Kind, at: datetime, **more: Any) -> Item:
        suffix = ".jpg" if kind in (Kind.SNAPSHOT, Kind.FRAME) else ".mp4"
        return archive.publish(kind, at, b"content", suffix=suffix, **more)

    return publish


def _titles(listed: list[Folder] | list[Item]) -> list[str]:
    return media_titles.of_folders(WORDS, [folder for folder in listed if isinstance(folder, Folder)])


def test_an_empty_archive_has_nothing(archive: Archive) -> None:
    assert media_tree.children(archive, Place()) == []
    with pytest.raises(NoSuchItem):
        media_tree.newest(archive, Place())


def test_kinds_that_are_empty_are_left_out(archive: Archive, publish: Publish) -> None:
    publish(Kind.SNAPSHOT, NOON)
    publish(Kind.FRAME, NOON, job="Garden")
    publish(Kind.FRAME, NOON, job="Sky")
    kinds = media_tree.children(archive, Place())
    assert _titles(kinds) == ["Snapshots (1)", "Timelapse frames (2)"]
    assert _titles(media_tree.children(archive, kinds[1].place)) == ["Garden (1)", "Sky (1)"]


def test_days_come_newest_first_and_their_items_too(archive: Archive, publish: Publish) -> None:
    early, late = publish(Kind.RECORDING, NOON), publish(Kind.RECORDING, NOON + timedelta(hours=1))
    publish(Kind.RECORDING, NOON - timedelta(days=1))
    days = media_tree.children(archive, Place(Kind.RECORDING))
    assert _titles(days) == ["Saturday 2026-11-21 (2)", "Friday 2026-11-20 (1)"]
    assert media_tree.children(archive, days[0].place) == [late, early]
    assert media_tree.newest(archive, days[0].place) == media_tree.newest(archive, Place()) == late


def test_a_crowded_day_is_grouped_by_hour_and_a_crowded_hour_by_minute(archive: Archive, publish: Publish) -> None:
    items = [publish(Kind.FRAME, NOON + timedelta(seconds=10 * number), job="Garden") for number in range(CROWD + 1)]
    publish(Kind.FRAME, NOON + timedelta(hours=3), job="Garden")
    hours = media_tree.children(archive, Place(Kind.FRAME, "Garden", NOON.date()))
    assert _titles(hours) == ["15:00 (1)", "12:00 (301)"]
    minutes = media_tree.children(archive, hours[1].place)
    assert _titles(minutes)[:2] == ["12:50 (1)", "12:49 (6)"]
    assert media_tree.children(archive, minutes[1].place) == items[-2:-8:-1]
    assert media_tree.newest(archive, minutes[1].place) == items[-2]


def test_the_hour_that_comes_twice_in_autumn_is_two_folders(
    archive: Archive, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_tree, "CROWD", 1)
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    items = [publish(Kind.SNAPSHOT, start + timedelta(hours=number)) for number in range(2)]
    day = Place(Kind.SNAPSHOT, day=date(2026, 10, 25))
    hours = media_tree.children(archive, day)
    assert _titles(hours) == ["02:00 UTC+01:00 (1)", "02:00 UTC+02:00 (1)"]
    found = [item.key for hour in hours for item in media_tree.children(archive, hour.place)]
    assert found == [items[1].key, items[0].key]


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        Place(Kind.SNAPSHOT),
        Place(Kind.VIDEO, day=NOON.date()),
        Place(Kind.FRAME),
        Place(Kind.FRAME, "A print #3"),
        Place(Kind.FRAME, "frames", NOON.date(), ("12+0100",)),
        Place(Kind.RECORDING, "", NOON.date(), ("12-0330", "05")),
    ],
)
def test_a_path_leads_to_its_folder(place: Place) -> None:
    assert Place.parse(place.path) == place


@pytest.mark.parametrize(
    "path",
    [
        "chunks",
        "snapshots/",
        "snapshots/2026-02-30",
        "snapshots/2026-11-21/12",
        "timelapse/a/b/frames",
        "timelapse/../frames",
        "../snapshots",
        "snapshots/2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
    ],
)
def test_anything_else_is_no_folder(path: str) -> None:
    assert Place.parse(path) is None


def test_an_open_folder_says_where_it_is() -> None:
    day, parts = NOON.date(), ("12+0100", "05")
    places = [Place(), Place(Kind.FRAME), Place(Kind.FRAME, "Sky"), Place(Kind.FRAME, "Sky", day, parts)]
    assert [media_titles.of_open(WORDS, "Yard", place) for place in places] == [
        "Yard",
        "Timelapse frames · Yard",
        "Sky · Yard",
        "12:05 · Saturday 2026-11-21 · Sky · Yard",
    ]


def test_titles_say_when_and_how_long(publish: Publish) -> None:
    at = NOON.astimezone(timezone(timedelta(hours=9)))
    assert media_titles.of_item(publish(Kind.RECORDING, at), {"duration": 83.4}) == "12:00:00 · 1:23"
    assert media_titles.of_item(publish(Kind.VIDEO, at, job="Sky", name="Sky_1.mp4"), {}) == "Sky · 12:00:00"
    assert media_titles.of_item(publish(Kind.SNAPSHOT, at, name="gate/front.jpg"), {}) == "front · 12:00:00"
    assert media_titles.duration(3723) == "1:02:03"
