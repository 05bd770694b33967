"""An archive on real files: published, found, listed, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
import os
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Archive, Kind, Usage
from custom_components.tripod.engine.errors import InvalidName, NoSuchItem

from .common import BERLIN, DAY, NOON, Clock, chunk, keep, reopened, visible

TODAY = date(2026, 11, 21)


def test_what_is_published_is_found_under_its_local_day(archive: Archive) -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    item = archive.publish(Kind.SNAPSHOT, late, b"picture", suffix=".jpg")
    assert item.key == "snapshots/2026-11-21/2026-11-21_00-30-00.000+0100.jpg"
    assert item.path.read_bytes() == b"picture"
    assert item.captured_at == late
    assert item.suffix == ".jpg"
    assert archive.find(item.key) == archive.latest(Kind.SNAPSHOT) == item
    assert archive.items(Kind.SNAPSHOT, TODAY) == [item]
    assert [(day.date, day.count, day.size) for day in archive.days(Kind.SNAPSHOT)] == [(TODAY, 1, 7)]


def test_each_kind_has_its_place(archive: Archive) -> None:
    chunk(archive, "site", "2026-11-20")
    items = [
        keep(archive, Kind.SNAPSHOT, NOON),
        keep(archive, Kind.RECORDING, NOON),
        keep(archive, Kind.FRAME, NOON, job="site"),
        keep(archive, Kind.VIDEO, NOON, job="site"),
        *archive.items(Kind.CHUNK, date(2026, 11, 20), "site"),
    ]
    assert [item.key for item in items] == [
        "snapshots/2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
        "recordings/2026-11-21/2026-11-21_12-00-00.000+0100.mp4",
        "timelapse/site/frames/2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
        "videos/2026-11-21/site_110000000000.mp4",
        "timelapse/site/chunks/look/2026-11-20.mp4",
    ]
    assert archive.jobs() == ["site"]
    for opened in (archive, reopened(archive)):
        assert [opened.find(item.key) for item in items] == items
        assert [opened.latest(item.kind, item.job) for item in items] == items
        assert opened.latest(Kind.VIDEO) == items[3]
        assert opened.latest(Kind.VIDEO, "other") is None
    assert reopened(archive).usage() == {
        (Kind.SNAPSHOT, ""): Usage(1, 10),
        (Kind.RECORDING, ""): Usage(1, 10),
        (Kind.FRAME, "site"): Usage(1, 10),
        (Kind.VIDEO, ""): Usage(1, 10),
        (Kind.CHUNK, "site"): Usage(1, 5),
    }
    assert [[day.count for day in archive.days(item.kind, item.job)] for item in items] == [[1]] * 5


def test_facts_and_thumbnail_lie_beside(archive: Archive) -> None:
    facts = {"duration": 1.5, "gaps": [1, 2]}
    item = archive.publish(Kind.RECORDING, NOON, b"mp4", suffix=".mp4", details=facts, thumbnail=b"jpeg")
    assert archive.details(item) == facts
    thumbnail = archive.thumbnail(item)
    assert thumbnail
    assert thumbnail.read_bytes() == b"jpeg"
    bare = keep(archive, Kind.RECORDING, NOON)
    assert archive.details(bare) == {}
    assert archive.thumbnail(bare) is None
    archive.remove(item)
    archive.remove(bare)
    assert not thumbnail.exists()
    assert visible(archive.root) == []
    assert not (archive.root / "recordings/2026-11-21").exists()


def test_a_file_is_moved_to_its_place(archive: Archive) -> None:
    part = archive.new_part("recording") / "whole.mkv"
    part.write_bytes(b"video")
    item = archive.publish(Kind.RECORDING, NOON, part, suffix=".mkv")
    assert item.path.read_bytes() == b"video"
    assert item.size == 5
    assert not part.exists()


def test_a_file_from_another_disk_is_copied(archive: Archive) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - the one other file system that every Linux has
    if memory.stat().st_dev == archive.device():
        pytest.skip("the tests' own files are in memory, too")
    elsewhere = memory / f"tripod-{os.getpid()}.mp4"
    elsewhere.write_bytes(b"video")
    try:
        item = archive.publish(Kind.RECORDING, NOON, elsewhere, suffix=".mp4")
        assert item.path.read_bytes() == b"video"
        assert not elsewhere.exists()
    finally:
        elsewhere.unlink(missing_ok=True)


def test_a_link_is_not_published(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    link = archive.new_part("recording") / "link.mp4"
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(Exception, match="Cannot write"):
        archive.publish(Kind.RECORDING, NOON, link, suffix=".mp4")
    assert visible(archive.root) == []


def test_a_time_that_is_taken_gets_a_millisecond_more(archive: Archive) -> None:
    at = datetime(2026, 11, 21, 22, 59, 59, 998000, tzinfo=UTC)
    items = [keep(archive, Kind.FRAME, at, job="site") for _ in range(3)]
    assert [item.captured_at.microsecond for item in items] == [998000, 999000, 0]
    assert [item.key.split("/")[3] for item in items] == ["2026-11-21", "2026-11-21", "2026-11-22"]
    assert [archive.find(item.key) for item in items] == items


def test_a_name_that_is_taken_gets_the_time_behind_it(archive: Archive) -> None:
    names = [archive.publish(Kind.SNAPSHOT, NOON, b"x", suffix=".jpg", name="door/bell.jpg").key for _ in range(3)]
    assert names == [
        "snapshots/2026-11-21/door/bell.jpg",
        "snapshots/2026-11-21/door/bell_2026-11-21_12-00-00.000+0100.jpg",
        "snapshots/2026-11-21/door/bell_2026-11-21_12-00-00.001+0100.jpg",
    ]
    times = [item.captured_at.microsecond for item in reopened(archive).items(Kind.SNAPSHOT, TODAY)]
    assert times == [0, 0, 0]


def test_the_longest_names_are_found_even_when_taken(archive: Archive) -> None:
    for _ in range(3):
        item = archive.publish(Kind.SNAPSHOT, NOON, b"x", suffix=".jpg", name="x" * 196 + ".jpg", thumbnail=b"x")
        assert archive.find(item.key) == item
        assert archive.thumbnail(item)
    assert len(reopened(archive).items(Kind.SNAPSHOT, TODAY)) == 3


def test_the_autumn_hour_comes_twice_and_keeps_its_order(archive: Archive) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    times = [first + timedelta(minutes=20 * step) for step in range(6)]
    items = [keep(archive, Kind.FRAME, at, job="site") for at in reversed(times)]
    assert len({item.key for item in items}) == 6
    listed = archive.items(Kind.FRAME, date(2026, 10, 25), "site")
    assert [item.captured_at for item in listed] == times
    assert [item.key[-9:-4] for item in listed] == ["+0200"] * 2 + ["+0100"] * 4
    assert sorted(item.key for item in listed) != [item.key for item in listed]
    start, end = times[1].astimezone(BERLIN), times[4].astimezone(BERLIN)
    assert list(archive.between(Kind.FRAME, start, end, "site")) == listed[1:4]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "snapshots/../recordings/x.jpg",
        "snapshots/2026-11-21",
        "snapshots/2026-11-21/nothing.jpg",
        "snapshots/2026-11-21//2026-11-21_12-00-00.000+0100.jpg",
        "snapshots/./2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
        "snapshots/2026-11-21/link.jpg",
        "snapshots/2026-11-22/2026-11-21_12-00-00.000+0100.jpg",
        "snapshots/2026-11-21/foreign.jpg",
        "recordings/2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
        ".tripod.json",
        ".details/snapshots/2026-11-21/x.jpg",
        "snapshots/2026-11-21/\0.jpg",
        "timelapse/../snapshots/2026-11-21/2026-11-21_12-00-00.000+0100.jpg",
        "x" * 5000,
    ],
)
def test_no_other_key_leads_anywhere(archive: Archive, tmp_path: Path, key: str) -> None:
    item = keep(archive, Kind.SNAPSHOT, NOON)
    item.path.with_name("foreign.jpg").write_bytes(b"not ours")
    item.path.with_name("link.jpg").symlink_to(item.path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / item.path.name).write_bytes(b"not ours")
    (archive.root / "snapshots/2026-11-22").symlink_to(outside)
    with pytest.raises(NoSuchItem):
        archive.find(key)


def test_what_is_not_ours_is_neither_listed_nor_counted(archive: Archive, tmp_path: Path) -> None:
    item = keep(archive, Kind.SNAPSHOT, NOON)
    day = item.path.parent
    (day / "holiday.jpg").write_bytes(b"not ours")
    (day / "2026-11-21_12-00-01.000+0100.txt").write_bytes(b"not ours")
    (day / "2026-11-21_99-00-01.000+0100.jpg").write_bytes(b"not ours")
    (day / "2026-11-21_12-00-02.000+0100.jpg").symlink_to(item.path)
    (day.parent / "holidays").mkdir()
    (day.parent / "holidays" / item.path.name).write_bytes(b"not ours")
    assert archive.items(Kind.SNAPSHOT, TODAY) == [item]
    assert [day.count for day in archive.days(Kind.SNAPSHOT)] == [1]
    archive.remove(item)
    assert len(list(day.iterdir())) == 4


def test_a_link_within_is_not_written_through(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (archive.root / "snapshots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="symbolic link"):
        keep(archive, Kind.SNAPSHOT, NOON)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert list((archive.root / ".parts").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "suffix", "job"),
    [
        (Kind.SNAPSHOT, "../x.jpg", ".jpg", ""),
        (Kind.SNAPSHOT, "/x.jpg", ".jpg", ""),
        (Kind.SNAPSHOT, "x.html", ".jpg", ""),
        (Kind.SNAPSHOT, None, ".html", ""),
        (Kind.FRAME, None, ".jpg", ""),
        (Kind.FRAME, None, ".jpg", "../x"),
    ],
)
def test_a_name_that_leads_out_is_refused(
    archive: Archive, kind: Kind, name: str | None, suffix: str, job: str
) -> None:
    with pytest.raises(InvalidName):
        archive.publish(kind, NOON, b"x", suffix=suffix, name=name, job=job)
    assert visible(archive.root) == []


def test_the_latest_is_the_newest_that_is_there(archive: Archive, clock: Clock) -> None:
    assert archive.latest(Kind.SNAPSHOT) is None
    older, newest = keep(archive, Kind.SNAPSHOT, NOON - DAY), keep(archive, Kind.SNAPSHOT, NOON)
    assert archive.latest(Kind.SNAPSHOT) == newest
    late = keep(archive, Kind.SNAPSHOT, NOON - 2 * DAY)
    assert archive.latest(Kind.SNAPSHOT) == newest
    newest.path.unlink()  # by hand
    assert archive.latest(Kind.SNAPSHOT) == older
    archive.remove(older)
    assert archive.latest(Kind.SNAPSHOT) == late


def test_the_latest_of_the_autumn_hour_is_the_later_one(archive: Archive, clock: Clock) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30 in summer time
    clock.set(first)
    assert archive.latest(Kind.SNAPSHOT) is None
    keep(archive, Kind.SNAPSHOT, first)
    for minutes in (0, 10, 40):  # the last is at 2:10, in winter time
        item = keep(archive, Kind.SNAPSHOT, first + timedelta(minutes=minutes))
        assert archive.latest(Kind.SNAPSHOT) == item


def test_a_clock_that_was_ahead_does_not_hold_the_latest_for_ever(archive: Archive, clock: Clock) -> None:
    clock.set(NOON + 3650 * DAY)
    ahead = keep(archive, Kind.SNAPSHOT, NOON + 3650 * DAY)
    assert archive.latest(Kind.SNAPSHOT) == ahead
    clock.set(NOON)
    assert archive.latest(Kind.SNAPSHOT) == ahead  # there is no other
    item = keep(archive, Kind.SNAPSHOT, NOON)
    assert archive.latest(Kind.SNAPSHOT) == item
    assert reopened(archive).latest(Kind.SNAPSHOT) == item


def test_a_clock_that_goes_back_overwrites_nothing(archive: Archive) -> None:
    items = [keep(archive, Kind.FRAME, NOON + minute * timedelta(minutes=1), job="a") for minute in (0, 1, 0, 1)]
    assert len({item.key for item in items}) == 4
    assert archive.usage()[Kind.FRAME, "a"].count == 4


def test_a_range_is_read_day_by_day(archive: Archive) -> None:
    items = [keep(archive, Kind.FRAME, NOON + step * DAY / 2, job="a") for step in range(10)]
    found = archive.between(Kind.FRAME, NOON + DAY, NOON + 3 * DAY, "a")
    assert next(found) == items[2]
    assert list(found) == items[3:6]
    assert list(archive.between(Kind.FRAME, NOON + 90 * DAY, NOON + 91 * DAY, "a")) == []


def test_pins_stay_over_a_restart_and_go_with_their_file(archive: Archive) -> None:
    pinned, other = keep(archive, Kind.SNAPSHOT, NOON), keep(archive, Kind.SNAPSHOT, NOON)
    archive.pin(pinned.key)
    archive.pin(other.key)
    archive.unpin(other.key)
    again = reopened(archive)
    assert (again.pinned(pinned.key), again.pinned(other.key)) == (True, False)
    assert again.pins() == [pinned]
    assert not again.release(pinned)
    again.remove(pinned)
    assert not reopened(archive).pinned(pinned.key)
    for change in (archive.pin, archive.unpin):
        with pytest.raises(NoSuchItem):
            change("snapshots/2026-11-21/nothing.jpg")


def test_what_is_held_is_not_released(archive: Archive) -> None:
    item = keep(archive, Kind.RECORDING, NOON)
    with archive.hold(item):
        with archive.hold(item):
            assert archive.held(item.key)
        assert not archive.release(item)
    assert not archive.held(item.key)
    assert archive.release(item)
    assert not archive.release(item)
    with pytest.raises(NoSuchItem), archive.hold(item):
        pass
    with pytest.raises(NoSuchItem):
        archive.remove(item)


def test_many_threads_publish_and_remove_at_once(archive: Archive) -> None:
    def work(number: int) -> int:
        items = [keep(archive, Kind.FRAME, NOON + (number % 3) * DAY, job="a") for _ in range(20)]
        return sum(archive.release(item) for item in items[::2])

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 80
    assert archive.usage()[Kind.FRAME, "a"] == Usage(80, 800)
    assert reopened(archive).usage()[Kind.FRAME, "a"] == Usage(80, 800)
    assert sum(len(archive.items(Kind.FRAME, day.date, "a")) for day in archive.days(Kind.FRAME, "a")) == 80
    assert list((archive.root / ".parts").iterdir()) == []
