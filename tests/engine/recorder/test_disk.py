"""Disks that are full, slow or gone, under a recording that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import errno
from functools import partial
import os
from pathlib import Path
import subprocess
import threading

import pytest

from custom_components.tripod.engine.errors import ArchiveMissing, DiskFull, NotWritable
from custom_components.tripod.engine.recorder import recorder as module, recording as recording_module
from custom_components.tripod.engine.recorder.spool import File, open_file

from .judge import judge
from .reel import RATE, Reel, numbers, pictures
from .studio import studio

DISK = 64 * 2**20

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


@pytest.fixture(autouse=True, scope="module")
def _film() -> None:
    """Make it before a test's time begins."""
    pictures()


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a real file system of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no byte on a disk."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))
    try:
        yield
    finally:
        hog.unlink()


def shown(path: Path) -> list[int]:
    judge(path)
    return numbers(path)


@root_only
async def test_full_disk_loses_nothing_that_memory_holds(disk: Path) -> None:
    async with studio(Reel(), disk) as here:
        recording = await here.recorder.start(duration=2.2)
        await here.until(lambda: recording.duration > 0.6)
        with filled(disk):
            size = recording.size
            await here.until(lambda: recording.whole is False)
            assert recording.size > size
        (recorded,) = await recording.done()
        assert not here.failures
        assert not here.parts
        found = shown(recorded.item.path)
    assert found == list(range(found[0], found[0] + len(found)))
    assert len(found) == pytest.approx(2.2 * RATE, abs=2)
    assert recorded.details["gaps"] == []


@root_only
async def test_disk_that_is_full_to_the_end_keeps_what_it_has_for_later(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_INTERVAL", 0.1)
    monkeypatch.setattr(recording_module, "LAST_TRY", 0.0)
    async with studio(Reel(), disk) as here:
        recording = await here.recorder.start(duration=1.2)
        await here.until(lambda: recording.duration > 0.6)
        with filled(disk):
            with pytest.raises(DiskFull):
                await recording.done()
            assert {type(failed.error) for failed in here.failures} == {DiskFull}
            assert recording.lost > 0
            assert recording.folder.exists()
            assert not here.items
            failures = len(here.failures)
        await here.until(lambda: bool(here.items))
        assert len(here.failures) == failures
        assert not here.parts
        found = shown(here.items[0].path)
    assert found == list(range(found[0], found[0] + len(found)))
    assert len(found) >= 0.3 * RATE


class Faulty:
    """A disk that no machine has: each write asks first what becomes of it."""

    def __init__(self, before_write: Callable[[], object]) -> None:
        self._before_write = before_write

    def open(self, path: Path) -> File:
        inner, before_write = open_file(path), self._before_write

        class Wrapped:
            def write(self, data: memoryview, /) -> int | None:
                before_write()
                return inner.write(data)

            def fileno(self) -> int:
                return inner.fileno()

            def close(self) -> None:
                inner.close()

        return Wrapped()


async def test_disk_that_is_too_slow_costs_what_memory_does_not_hold(tmp_path: Path) -> None:
    free = threading.Event()
    free.set()
    faulty = Faulty(partial(free.wait, 20))
    # the ring keeps less than a second, and the backlog half of one that fell out of it
    recorder = {"open_file": faulty.open, "backlog_limit": 20_000}
    async with studio(Reel(), tmp_path, recorder=recorder, ring_bytes=30_000) as here:
        recording = await here.recorder.start(duration=None)
        await here.until(lambda: recording.duration > 0.6)
        free.clear()
        begun = here.pipeline.packet_feed.frames
        await here.until(lambda: here.pipeline.packet_feed.frames > begun + 3 * RATE)
        free.set()
        await here.until(lambda: recording.lost > 0 and recording.duration > 4)
        recording.stop()
        (recorded,) = await recording.done()
        (failed,) = here.failures
        assert isinstance(failed.error, NotWritable)
        assert failed.name == recording.id
        found = shown(recorded.item.path)
    (gap,) = recorded.details["gaps"]
    (jump,) = [at for at in range(1, len(found)) if found[at] != found[at - 1] + 1]
    missing = (found[jump] - found[jump - 1] - 1) / RATE
    assert gap == {"at": pytest.approx(jump / RATE, abs=0.01), "missing": pytest.approx(missing, abs=0.15)}
    assert recording.lost == pytest.approx(missing, abs=0.15)


async def test_disk_that_fails_for_a_while_is_written_again_from_what_is_certain(tmp_path: Path) -> None:
    broken: list[int] = []

    def before_write() -> None:
        if broken:
            raise OSError(broken.pop(), "made up")

    async with studio(Reel(), tmp_path, recorder={"open_file": Faulty(before_write).open}) as here:
        recording = await here.recorder.start(duration=2.2)
        await here.until(lambda: recording.duration > 0.6)
        # what was written and not synced is as good as lost
        (part,) = recording.folder.glob("*.ts")
        broken += [errno.EIO, errno.ENOSPC]
        await here.until(lambda: not broken)
        assert part.exists()
        (recorded,) = await recording.done()
        assert not here.failures
        found = shown(recorded.item.path)
    assert found == list(range(found[0], found[0] + len(found)))
    assert len(found) == pytest.approx(2.2 * RATE, abs=2)


@root_only
async def test_disk_that_goes_and_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_INTERVAL", 0.1)
    real, mounted = tmp_path / "real", tmp_path / "mounted"
    real.mkdir()
    mounted.mkdir()
    mount = ("mount", "--bind", str(real), str(mounted))
    run(*mount)
    try:
        async with studio(Reel(), mounted) as here:
            recording = await here.recorder.start(duration=1)
            await here.until(lambda: recording.duration > 0.6)
            run("umount", "--lazy", str(mounted))
            with pytest.raises(ArchiveMissing):
                await recording.done()
            assert not list(mounted.iterdir())  # nothing was written beneath the mount point
            run(*mount)
            await here.until(lambda: bool(here.items))
            assert len(shown(here.items[0].path)) > 0.4 * RATE
    finally:
        run("umount", "--lazy", str(mounted))


async def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    async with studio(Reel(), tmp_path / "archive") as here:
        await asyncio.to_thread((tmp_path / "archive").rename, tmp_path / "elsewhere")
        with pytest.raises(ArchiveMissing):
            await here.recorder.start(duration=1)
        assert not here.recorder.recordings
        assert not (tmp_path / "archive").exists()
