"""Timelapses on a real disk that is full, or may only be read: they count, say so once, and go on."""

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess

import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import DiskFull, NotWritable
from custom_components.tripod.engine.events import Failed
from custom_components.tripod.engine.timelapse import Job
from custom_components.tripod.engine.timelapse.memory import FILE, Memory

from .studio import START, Stage, stage

GARDEN = Job(name="garden", interval=300)
PAGE = os.sysconf("SC_PAGE_SIZE")


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))


def fill(path: Path) -> None:
    """Take all room that is left."""
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(PAGE))
            except OSError:
                return


def frames(on: Stage) -> list[bytes]:
    return [item.path.read_bytes() for item in on.archive.items(Kind.FRAME, START.date(), "garden")]


async def test_a_disk_that_is_full(disk: Path) -> None:
    async with stage(disk) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        fill(disk / "film.mp4")
        await on.time.run(900)
        assert on.status().missed == 3
        (event,) = on.events
        assert isinstance(event, Failed)
        assert isinstance(event.error, DiskFull)
        with pytest.raises(DiskFull):
            await on.timelapses.start(Job(name="fence", interval=60))
        assert [status.job.name for status in on.timelapses.jobs] == ["garden"]
        assert len(Memory(on.archive).load()) == 1
        (disk / "film.mp4").unlink()
        await on.time.run(600)
        assert on.status().error is None
        assert len(frames(on)) == 3
        assert all(data.endswith(b"\xff\xd9") for data in frames(on))
        assert len(on.events) == 1


async def test_a_disk_that_may_only_be_read(disk: Path) -> None:
    async with stage(disk) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(10)
        run("mount", "-o", "remount,ro", str(disk))
        try:
            await on.time.run(600)
            (event,) = on.events
            assert isinstance(event, Failed)
            assert isinstance(event.error, NotWritable)
            finished = await on.timelapses.stop("garden", render=False)
            assert (finished.status.frames, finished.status.missed) == (1, 2)
        finally:
            run("mount", "-o", "remount,rw", str(disk))
        await on.time.run(600, sleepers=1)
        await on.time.asleep(1)
        assert Memory(on.archive).load() == []  # what could not be written then is written now
        assert (disk / "garden" / FILE).is_file()
