"""ZIPs of frames: judged by Python's zipfile and by unzip."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, date, datetime
from pathlib import Path
import subprocess
import zipfile

import pytest

from custom_components.tripod.engine.archive import Item, Kind
from custom_components.tripod.engine.timelapse import zipped

from .footage import HOUR, JOB, MIDNIGHT, NOW, Site

DAY = date(2026, 11, 19)
MANY = 66_000
"""Files: more than a ZIP without ZIP64 can count."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "yard", NOW)


async def written(items: Iterator[Item], path: Path) -> int:
    """Write a ZIP as a server would send it; return the size of the largest piece."""
    largest = 0
    with path.open("wb") as file:
        async for block in zipped(items):
            file.write(block)
            largest = max(largest, len(block))
    return largest


def memory(field: str) -> int:
    """Return what this process takes, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))


def unzip(option: str, path: Path) -> str:
    command = ["/usr/bin/unzip", option, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


async def test_frames_come_out_as_they_went_in(site: Site, tmp_path: Path) -> None:
    items = site.fill(MIDNIGHT, 5)
    await written(iter(items), tmp_path / "frames.zip")
    assert "-rw-r--r--" in unzip("-Z", tmp_path / "frames.zip")
    assert "No errors detected" in unzip("-t", tmp_path / "frames.zip")
    with zipfile.ZipFile(tmp_path / "frames.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"2026-11-19/{item.path.name}" for item in items]
        assert [archive.read(name) for name in archive.namelist()] == [item.path.read_bytes() for item in items]
        assert [entry.date_time for entry in archive.infolist()] == [(2026, 11, 19, hour, 0, 0) for hour in range(5)]


async def test_nothing_is_a_zip_too(tmp_path: Path) -> None:
    await written(iter([]), tmp_path / "empty.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip") as archive:
        assert archive.namelist() == []


async def test_what_is_gone_meanwhile_is_left_out(site: Site, tmp_path: Path) -> None:
    items = site.fill(MIDNIGHT, 3)

    def going() -> Iterator[Item]:
        yield items[0]
        site.archive.remove(items[1])
        yield from items[1:]

    await written(going(), tmp_path / "frames.zip")
    with zipfile.ZipFile(tmp_path / "frames.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2


async def test_very_many_files_take_no_memory(site: Site, tmp_path: Path) -> None:
    small = site.add(MIDNIGHT, b"small")
    moments = (datetime.fromtimestamp(MIDNIGHT.timestamp() + number, UTC) for number in range(MANY))
    items = (Item(Kind.FRAME, str(number), small.path, at, small.size, JOB) for number, at in enumerate(moments))
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak begins anew
    before = memory("VmRSS")
    largest = await written(items, tmp_path / "many.zip")
    assert memory("VmHWM") - before < 8 << 20
    assert largest < 1 << 20
    with zipfile.ZipFile(tmp_path / "many.zip") as archive:
        assert len(archive.infolist()) == MANY
        assert archive.read(archive.infolist()[-1]) == b"small"


async def test_who_hangs_up_leaves_no_file_open(site: Site) -> None:
    items = site.fill(MIDNIGHT, 3, HOUR)
    items[0].path.write_bytes(bytes(5 << 20))
    async with aclosing(zipped(iter(items))) as blocks:
        await anext(blocks)
        reading = asyncio.create_task(anext(blocks))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    assert str(items[0].path) not in [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()]
