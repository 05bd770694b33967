"""The files are the truth: what users do by hand is seen, and what a power cut leaves is cleaned up."""

from __future__ import annotations

from datetime import date, timedelta
import json
import os
from pathlib import Path
import shutil

import pytest

from custom_components.tripod.engine.archive import Archive, Governor, Kind, Limits, Retention, Usage
from custom_components.tripod.engine.archive.ledger import CHECK_EVERY, GRAIN, NAME
from custom_components.tripod.engine.archive.shelf import Shelves
from custom_components.tripod.engine.errors import ArchiveMissing, NoSuchItem

from .common import BERLIN, DAY, NOON, Clock, chunk, keep, reopened, visible

TODAY = date(2026, 11, 21)


def settled(archive: Archive) -> None:
    """End as if nothing had changed for a while: what changed just now would be looked at again anyway."""
    archive.close()
    saved = archive.root / NAME
    later = saved.stat().st_mtime_ns + 2 * GRAIN
    os.utime(saved, ns=(later, later))


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that fills with the folders whose files are looked at."""
    folders: list[str] = []
    look_at = Shelves.look_at

    def noting(self: Shelves, shelf, folder):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        folders.append(folder)
        return look_at(self, shelf, folder)

    monkeypatch.setattr(Shelves, "look_at", noting)
    return folders


def test_only_folders_that_changed_are_looked_at(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(20):
        for _ in range(3):
            keep(archive, Kind.FRAME, NOON - day * DAY, job="a")
    changed = keep(archive, Kind.FRAME, NOON - 5 * DAY, job="a")
    settled(archive)
    changed.path.unlink()
    folders = looked_at(monkeypatch)
    again = reopened(archive)
    assert folders == ["2026-11-16"]
    assert again.usage()[Kind.FRAME, "a"] == Usage(60, 600)
    assert len(again.days(Kind.FRAME, "a")) == 20
    keep(again, Kind.FRAME, NOON, job="a")
    assert [day.count for day in again.days(Kind.FRAME, "a")][-1] == 4
    assert folders == ["2026-11-16"]


def test_what_changed_right_before_the_end_is_looked_at(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(archive, Kind.SNAPSHOT, NOON)
    archive.close()
    folders = looked_at(monkeypatch)
    reopened(archive)
    assert folders == ["2026-11-21"]


def test_files_that_come_and_go_by_hand_are_counted(archive: Archive) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON) for _ in range(3)]
    items[0].path.unlink()
    copied = items[1].path.with_name("2026-11-21_15-00-00.000+0100.jpg")
    shutil.copy(items[1].path, copied)
    other_day = archive.root / "snapshots/2026-11-19"
    other_day.mkdir()
    shutil.copy(items[1].path, other_day / "2026-11-19_15-00-00.000+0100.jpg")
    assert [(day.date.day, day.count) for day in archive.days(Kind.SNAPSHOT)] == [(19, 1), (21, 3)]
    assert archive.usage()[Kind.SNAPSHOT, ""] == Usage(4, 40)
    latest = archive.latest(Kind.SNAPSHOT)
    assert latest
    assert latest.path == items[2].path  # 15:00 is yet to come
    shutil.rmtree(other_day.parent)
    assert archive.days(Kind.SNAPSHOT) == []
    assert archive.latest(Kind.SNAPSHOT) is None
    assert archive.items(Kind.SNAPSHOT, TODAY) == []
    keep(archive, Kind.SNAPSHOT, NOON)
    assert archive.usage()[Kind.SNAPSHOT, ""] == Usage(1, 10)


def test_what_others_do_on_days_long_gone_is_seen_within_a_minute(archive: Archive, clock: Clock) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(5)]
    assert len(archive.days(Kind.SNAPSHOT)) == 5
    items[4].path.unlink()
    assert archive.items(Kind.SNAPSHOT, items[4].captured_at.date()) == []
    clock.now += CHECK_EVERY
    assert len(archive.days(Kind.SNAPSHOT)) == 4


def test_files_that_come_by_hand_between_two_of_ours_are_counted(archive: Archive) -> None:
    item = keep(archive, Kind.SNAPSHOT, NOON)
    shutil.copy(item.path, item.path.with_name("2026-11-21_15-00-00.000+0100.jpg"))
    keep(archive, Kind.SNAPSHOT, NOON)
    assert archive.usage()[Kind.SNAPSHOT, ""].count == 3


def test_facts_of_what_was_removed_by_hand_go(archive: Archive) -> None:
    gone, stays = (
        archive.publish(Kind.RECORDING, NOON, b"x", suffix=".mp4", details={}, thumbnail=b"x") for _ in range(2)
    )
    other = archive.publish(Kind.RECORDING, NOON - DAY, b"x", suffix=".mp4", details={}, name="folder/other.mp4")
    gone.path.unlink()
    shutil.rmtree(other.path.parent.parent)
    again = reopened(archive)
    beside = [path.name for path in (archive.root / ".details").rglob("*") if path.is_file()]
    assert sorted(beside) == [f"{stays.path.name}.jpg", f"{stays.path.name}.json"]
    assert not (archive.root / ".details/recordings/2026-11-20").exists()
    assert again.items(Kind.RECORDING, TODAY) == [stays]


@pytest.mark.parametrize("closed", [True, False])
def test_what_a_power_cut_leaves_is_cleaned_up(archive: Archive, closed: bool) -> None:  # noqa: FBT001
    item = archive.publish(Kind.RECORDING, NOON, b"x", suffix=".mp4", details={}, thumbnail=b"x")
    path = chunk(archive, "a", "2026-11-20")
    if closed:
        settled(archive)
    beside = archive.root / ".details/recordings/2026-11-21/2026-11-21_13-00-00.000+0100.mp4.json"
    beside.write_text("{}")
    empty = archive.root / ".details/recordings/2026-11-20/2026-11-20_13-00-00.000+0100.mp4.json"
    empty.parent.mkdir()
    empty.write_text("{}")
    (archive.root / ".parts/.0123456789abcdef.part").write_bytes(b"half")
    (archive.root / ".0123456789abcdef.part").write_bytes(b"half")
    path.with_name(".0123456789abcdef.part").write_bytes(b"half")
    foreign = path.with_name(".foreign.part")
    foreign.write_bytes(b"not ours")
    again = reopened(archive)
    hidden = {file.name for file in archive.root.rglob("*") if file.is_file()}
    expected = {item.path.name, f"{item.path.name}.json", f"{item.path.name}.jpg", path.name, foreign.name}
    assert hidden - {".tripod.json", NAME} == expected
    assert again.details(item) == {}
    assert again.thumbnail(item)


def test_folders_of_others_among_the_timelapses_are_left_alone(archive: Archive) -> None:
    item = keep(archive, Kind.FRAME, NOON, job="a")
    for name in ("12:00", "con", ".hidden"):
        shutil.copytree(archive.root / "timelapse/a", archive.root / "timelapse" / name)
        with pytest.raises(NoSuchItem):
            archive.find(item.key.replace("/a/", f"/{name}/"))
    again = reopened(archive)
    assert again.jobs() == ["a"]
    assert Governor({again: Retention({Kind.FRAME: Limits(max_count=1)})}).plan() == []


def test_facts_behind_a_link_are_not_ours_to_clean_up(archive: Archive, tmp_path: Path) -> None:
    keep(archive, Kind.RECORDING, NOON)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "notes.json").write_text("{}")
    (archive.root / ".details/recordings").mkdir(parents=True)
    (archive.root / ".details/recordings/2026-11-21").symlink_to(outside)
    reopened(archive)
    assert (outside / "notes.json").exists()


def test_an_archive_may_be_moved(archive: Archive, tmp_path: Path) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON), keep(archive, Kind.VIDEO, NOON, job="a")]
    archive.pin(items[0].key)
    archive.close()
    moved = tmp_path / "elsewhere"
    archive.root.rename(moved)
    with pytest.raises(ArchiveMissing):
        reopened(archive)
    again = reopened(archive, moved)
    found = [again.find(item.key) for item in items]
    assert [item.path for item in found] == [moved / item.key for item in items]
    assert [item.captured_at for item in found] == [item.captured_at for item in items]
    assert again.pinned(items[0].key)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1, "shelves": [[1]]}', b'{"version": 99}', b"\xff"])
def test_a_damaged_ledger_costs_only_time(archive: Archive, damage: bytes) -> None:
    keep(archive, Kind.SNAPSHOT, NOON)
    archive.close()
    (archive.root / NAME).write_bytes(damage)
    assert reopened(archive).usage()[Kind.SNAPSHOT, ""] == Usage(1, 10)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"captured_at": 1}', b'{"captured_at": "2026-11-21T12:00:00"}'])
def test_a_named_file_whose_facts_are_damaged_is_left_alone(archive: Archive, damage: bytes) -> None:
    item = archive.publish(Kind.SNAPSHOT, NOON, b"x", suffix=".jpg", name="bell.jpg")
    (archive.root / ".details" / f"{item.key}.json").write_bytes(damage)
    again = reopened(archive)
    assert again.days(Kind.SNAPSHOT) == []
    with pytest.raises(NoSuchItem):
        again.find(item.key)
    assert item.path.exists()


@pytest.mark.parametrize("damage", [b"", b"{}", b'[1, {}, "../../x"]', b"\xff"])
def test_damaged_pins_pin_nothing(archive: Archive, damage: bytes) -> None:
    (archive.root / ".pins.json").write_bytes(damage)
    item = keep(archive, Kind.SNAPSHOT, NOON)
    again = reopened(archive)
    assert again.pins() == []
    assert again.release(item)


def test_parts_from_before_wait_for_their_owner(archive: Archive) -> None:
    left = archive.new_part("recording")
    (left / "stretch.ts").write_bytes(b"x")
    lost = archive.new_part("render")
    assert archive.parts("recording") == []
    again = reopened(archive)
    mine = again.new_part("recording")
    assert again.parts("recording") == [left]
    again.clear_parts(keep=("recording",))
    assert (left.exists(), lost.exists(), mine.exists()) == (True, False, True)
    again.clear_parts()
    assert (left.exists(), mine.exists()) == (False, True)


def test_a_chunk_goes_with_its_index(archive: Archive) -> None:
    path, other = chunk(archive, "a", "2026-11-20"), chunk(archive, "a", "2026-11-19")
    path.with_suffix(".json").write_text("[]")
    item = archive.items(Kind.CHUNK, date(2026, 11, 20), "a")[0]
    archive.remove(item)
    assert list(path.parent.iterdir()) == [other]
    assert archive.chunk_folder("a", "look") == path.parent


def test_the_ledger_is_saved_now_and_then(archive: Archive, clock: Clock) -> None:
    keep(archive, Kind.SNAPSHOT, NOON)
    assert not (archive.root / NAME).exists()
    clock.set(NOON + timedelta(hours=2))
    keep(archive, Kind.SNAPSHOT, NOON)
    assert json.loads((archive.root / NAME).read_bytes())["shelves"]
    assert visible(archive.root) == [item.key for item in archive.items(Kind.SNAPSHOT, TODAY)]


def test_an_archive_of_a_camera_that_was_removed_is_taken_over(archive: Archive) -> None:
    item = keep(archive, Kind.SNAPSHOT, NOON)
    again = Archive(archive.root, "anew", zone=BERLIN, floor=0)
    again.open()
    assert again.items(Kind.SNAPSHOT, TODAY) == [item]
    with pytest.raises(ArchiveMissing):  # it is another camera's now
        archive.check()
