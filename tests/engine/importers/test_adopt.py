"""Pictures of before become frames where they lie.

TRIPOD_ADOPT_PICTURES is the number of pictures of the large folder (200000 are two years each five minutes).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
import errno
import os
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Archive, Kind
from custom_components.tripod.engine.errors import NotUnderstood, NotWritable
from custom_components.tripod.engine.importers import Adopted, Adopter, Adoption
from tests.engine.timelapse.footage import Site, greys

from ..archive.common import BERLIN, NOON, Clock, visible

JOB = "north"
MANY = int(os.environ.get("TRIPOD_ADOPT_PICTURES", "3000"))
JPEG = b"\xff\xd8\xff\xe0 something \xff\xd9"
BEGIN = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
"""In Berlin: half an hour before the night that has no hour from two to three."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "north" / "images"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    archive = Archive(tmp_path / "archive", "camera", zone=BERLIN, floor=0, clock=Clock(NOON.timestamp()))
    archive.root.parent.mkdir(exist_ok=True)
    archive.open()
    yield archive
    archive.close()


def fill(folder: Path, count: int, step: float = 3600, begin: datetime = BEGIN, data: bytes = JPEG) -> list[Path]:
    paths = [folder / f"{begin + number * timedelta(seconds=step):%Y%m%d_%H%M%S}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(data + path.name.encode())
    return paths


def adopt(archive: Archive, folder: Path) -> list[Adopted]:
    return list(Adopter(archive, Adoption(folder=folder, job=JOB)).run())


def test_frames_have_local_names_and_the_same_bytes_on_disk(archive: Archive, folder: Path) -> None:
    paths = fill(folder, 4)
    days = adopt(archive, folder)
    assert [(item.day, item.new) for item in days] == [(date(2026, 3, 28), 1), (date(2026, 3, 29), 3)]
    items = [item for day in days for item in archive.items(Kind.FRAME, day.day, JOB)]
    assert [item.path.name for item in items] == [
        "2026-03-28_23-30-00.000+0100.jpg",
        "2026-03-29_00-30-00.000+0100.jpg",
        "2026-03-29_01-30-00.000+0100.jpg",
        "2026-03-29_03-30-00.000+0200.jpg",
    ]
    assert [item.path.stat().st_ino for item in items] == [path.stat().st_ino for path in paths]  # nothing is copied
    assert [day.count for day in archive.days(Kind.FRAME, JOB)] == [1, 3]


def test_what_is_adopted_once_is_not_adopted_again_and_new_pictures_follow(archive: Archive, folder: Path) -> None:
    fill(folder, 3)
    adopt(archive, folder)
    fill(folder, 5)  # also: three of them replaced in place
    days = adopt(archive, folder)
    assert (sum(day.new for day in days), sum(day.known for day in days)) == (2, 3)
    assert sum(day.count for day in archive.days(Kind.FRAME, JOB)) == 5


def test_what_is_no_picture_stays_and_is_named(archive: Archive, folder: Path) -> None:
    (good,) = fill(folder, 1)
    (folder / "latest").symlink_to(good.name)
    (folder / "timelapse_20260101T120000.mp4").write_bytes(b"video")
    (folder / "20261340_000000.jpg").write_bytes(JPEG)  # no such month
    (folder / "20260101_000000.png").write_bytes(b"\x89PNG")
    (folder / "20260101_000001.jpg").write_bytes(b"<html>please log in</html>")
    (folder / "20260101_000002.jpg.tmp").write_bytes(JPEG)
    (folder / "20260101_000003.jpg").mkdir()
    before = sorted(folder.iterdir())
    adopter = Adopter(archive, Adoption(folder=folder, job=JOB))
    adopter.look()
    assert adopter.total == 2
    assert len(adopter.odd) == 6
    days = list(adopter.run())
    assert [name for day in days for name in day.odd] == ["20260101_000001.jpg"]
    assert sorted(folder.iterdir()) == before
    assert len(visible(archive.root / "timelapse")) == 1  # and no folder for the day without a picture
    assert len(list((archive.root / "timelapse" / JOB / "frames").iterdir())) == 1


def test_an_interruption_shows_whole_days_and_goes_on(archive: Archive, folder: Path) -> None:
    fill(folder, 48)
    running = Adopter(archive, Adoption(folder=folder, job=JOB)).run()
    next(running)
    frames = archive.root / "timelapse" / JOB / "frames"
    (frames / ".2026-03-29").mkdir()  # as far as it had come with the second day
    (frames / ".2026-03-29" / "2026-03-29_00-30-00.000+0100.jpg").hardlink_to(folder / "20260328_233000.jpg")
    assert [day.count for day in archive.days(Kind.FRAME, JOB)] == [1]
    days = adopt(archive, folder)
    assert sum(day.count for day in archive.days(Kind.FRAME, JOB)) == 48
    assert sum(day.known for day in days) == 2
    assert len(list(frames.iterdir())) == 3


def test_a_day_that_has_frames_already_is_joined(archive: Archive, folder: Path) -> None:
    own = archive.publish(Kind.FRAME, BEGIN, JPEG, suffix=".jpg", job=JOB)
    fill(folder, 2, 60)  # the first is of the same moment
    left = own.path.parent.with_name(f".{own.path.parent.name}")
    left.mkdir()
    (left / "2026-03-28_23-31-00.000+0100.jpg").hardlink_to(folder / "20260328_223100.jpg")
    adopt(archive, folder)
    names = [item.path.name for item in archive.items(Kind.FRAME, date(2026, 3, 28), JOB)]
    assert names == [f"2026-03-28_23-{rest}+0100.jpg" for rest in ("30-00.000", "30-00.001", "31-00.000")]
    assert own.path.read_bytes() == JPEG
    assert not left.exists()


def test_without_links_pictures_are_renamed(archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT and exFAT, which say EPERM."""
    fill(folder, 2)

    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    adopt(archive, folder)
    assert not list(folder.iterdir())
    assert sum(day.count for day in archive.days(Kind.FRAME, JOB)) == 2


def test_another_disk_is_refused_and_nothing_is_copied(archive: Archive) -> None:
    elsewhere = Path("/dev/shm") / f"tripod-{os.getpid()}"  # noqa: S108 - a file system of its own
    elsewhere.mkdir()
    try:
        fill(elsewhere, 1)
        with pytest.raises(NotWritable, match="another disk"):
            adopt(archive, elsewhere)
        assert visible(archive.root / "timelapse") == []
    finally:
        for path in elsewhere.iterdir():
            path.unlink()
        elsewhere.rmdir()


def test_a_folder_that_is_not_there(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(NotUnderstood):
        Adopter(archive, Adoption(folder=tmp_path / "nowhere", job=JOB)).look()


def test_years_of_pictures(archive: Archive, folder: Path) -> None:
    fill(folder, MANY, 300)
    days = adopt(archive, folder)
    assert sum(day.new for day in days) == MANY
    assert sum(day.count for day in archive.days(Kind.FRAME, JOB)) == MANY


async def test_adopted_frames_become_a_video(tmp_path: Path) -> None:
    site = Site(tmp_path / "archive", NOON)
    folder = tmp_path / "images"
    folder.mkdir()
    for number, jpeg in enumerate(greys()[:20]):
        at = datetime(2026, 11, 20, 8, tzinfo=UTC) + timedelta(minutes=number)
        (folder / f"{at:%Y%m%d_%H%M%S}.jpg").write_bytes(jpeg)
    adopt(site.archive, folder)
    item = await site.render(date(2026, 11, 20), date(2026, 11, 20), JOB)
    assert site.facts(item)["frames"] == 20
