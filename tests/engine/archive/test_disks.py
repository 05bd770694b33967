"""Limits, the floor and pins on a real small disk; what else a disk can do is in test_faults_of_the_disk.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Archive, Governor, Item, Kind, Reason, Retention, Usage
from custom_components.tripod.engine.errors import ArchiveMissing, DiskFull, LowSpace, NotWritable
from tests.volumes import MIB, SIZE, Volume, needs_root, tmpfs

from .common import BERLIN, DAY, NOON, keep, reopened, visible

pytestmark = needs_root


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with tmpfs(tmp_path / "disk") as volume:
        yield volume


def opened(volume: Volume, floor: int = 0) -> Archive:
    archive = Archive(volume.path / "garden", "garden", zone=BERLIN, floor=floor)
    archive.open()
    return archive


def fill(archive: Archive) -> list[Item]:
    """Publish until the floor is reached."""
    items: list[Item] = []
    while archive.free() - MIB >= archive.floor:
        items.append(keep(archive, Kind.SNAPSHOT, NOON - 40 * DAY + len(items) * DAY / 4, MIB))
    with pytest.raises(LowSpace) as caught:
        keep(archive, Kind.SNAPSHOT, NOON, MIB)
    assert caught.value.placeholders["floor"] == "16.8 MB"
    assert caught.value.placeholders["path"] == str(archive.root)
    return items


def test_the_floor_stops_writing_and_the_governor_makes_room(volume: Volume) -> None:
    archive = opened(volume, floor=16 * MIB)
    video = keep(archive, Kind.VIDEO, NOON - 99 * DAY, MIB, job="a")
    items = fill(archive)
    assert volume.free >= archive.floor
    archive.pin(items[0].key)
    gone = Governor({archive: Retention()}).prune()
    assert [removal.item for removal in gone] == items[1 : 1 + len(gone)]
    assert {removal.reason for removal in gone} == {Reason.FLOOR}
    assert len(gone) <= 5
    archive.check()
    keep(archive, Kind.SNAPSHOT, NOON, MIB)
    assert video.path.exists()
    assert items[0].path.exists()


def test_what_is_written_already_is_published_below_the_floor(volume: Volume) -> None:
    archive = opened(volume, floor=16 * MIB)
    part = archive.new_part("recording") / "whole.mp4"
    part.write_bytes(bytes(SIZE - 8 * MIB))
    with pytest.raises(LowSpace):
        archive.check()
    with pytest.raises(LowSpace):
        keep(archive, Kind.SNAPSHOT, NOON)
    item = archive.publish(Kind.RECORDING, NOON, part, suffix=".mp4", details={}, thumbnail=b"x")
    assert archive.find(item.key) == item


def test_a_full_disk_changes_nothing_and_can_be_cleared(volume: Volume) -> None:
    archive = opened(volume)
    items = [keep(archive, Kind.SNAPSHOT, NOON, MIB) for _ in range(3)]
    archive.pin(items[0].key)
    volume.fill()
    before = visible(archive.root)
    with pytest.raises(DiskFull):
        keep(archive, Kind.SNAPSHOT, NOON, MIB)
    with pytest.raises(DiskFull):
        archive.pin(items[1].key)
    archive.close()
    assert visible(archive.root) == before
    assert archive.usage()[Kind.SNAPSHOT, ""] == Usage(3, 3 * MIB)
    assert not archive.pinned(items[1].key)
    assert archive.latest(Kind.SNAPSHOT) == items[2]
    again = reopened(archive)
    assert again.pinned(items[0].key)
    again.remove(items[0])
    assert again.usage()[Kind.SNAPSHOT, ""] == Usage(2, 2 * MIB)
    keep(again, Kind.SNAPSHOT, NOON, MIB // 2)


def test_nothing_is_made_on_the_disk_below(volume: Volume) -> None:
    """The mount point itself is the archive's folder."""
    archive = Archive(volume.path, "garden", zone=BERLIN, floor=0)
    archive.open()
    item = keep(archive, Kind.SNAPSHOT, NOON)
    volume.unmount()
    for work in (archive.check, archive.open, archive.free, archive.jobs, lambda: archive.new_part("recording")):
        with pytest.raises(ArchiveMissing):
            work()
    for kind in Kind:
        with pytest.raises(ArchiveMissing):
            keep(archive, kind, NOON, job="a") if kind is not Kind.CHUNK else archive.chunk_folder("a", "look")
        with pytest.raises(ArchiveMissing):
            archive.latest(kind, "a")
        with pytest.raises(ArchiveMissing):
            archive.days(kind, "a")
    with pytest.raises(ArchiveMissing):
        archive.find(item.key)
    archive.close()
    assert list(volume.path.iterdir()) == []
    archive.begin_anew()  # the user said so
    keep(archive, Kind.SNAPSHOT, NOON)
    assert archive.usage()[Kind.SNAPSHOT, ""] == Usage(1, 10)


def test_a_read_only_disk_is_not_pruned_and_says_why(volume: Volume) -> None:
    archive = opened(volume)
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(3)]
    archive.floor = 1 << 40
    volume.make_read_only()
    governor = Governor({archive: Retention()})
    assert governor.prune() == []
    assert isinstance(governor.errors[archive], NotWritable)
    assert all(item.path.exists() for item in items)
    assert archive.usage()[Kind.SNAPSHOT, ""] == Usage(3, 30)
    volume.make_writable()
    assert len(governor.prune()) == 2
