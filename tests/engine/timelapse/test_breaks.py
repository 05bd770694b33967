"""Renders that are cancelled, killed, or run out of disk: nothing half is ever visible, and nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
import os
from pathlib import Path
import random
import subprocess
import sys
import threading
from typing import Any

import pytest

from custom_components import tripod
from custom_components.tripod.engine.archive import Item
from custom_components.tripod.engine.errors import ArchiveMissing, DiskFull, LowSpace
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.timelapse import Look, make_chunk
from tests.volumes import Volume, needs_root, tmpfs

from .footage import JOB, MIDNIGHT, NOW, Site, greys, probed, seen

KILLS = int(os.environ.get("TRIPOD_KILLS", "3"))
"""More by hand: each takes a second or two."""

SEED = 4
ENGINE = Path(tripod.__file__).parent
RENDERING = Path(__file__).with_name("rendering.py")
SLOW_FFMPEG = Path(__file__).with_name("slow_ffmpeg.py")

FIRST, SECOND, LAST = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)
PER_DAY = 12


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "yard", NOW)
    site.fill(MIDNIGHT, 2 * PER_DAY + 3, timedelta(hours=24 / PER_DAY))
    return site


def children() -> set[int]:
    """Return the processes that this one started and that run."""
    pids = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if int(parent) == os.getpid() and state != "Z":
                pids.add(int(stat.parent.name))
    return pids


def files(site: Site) -> set[str]:
    root = site.archive.root
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("stage", ["chunk", "join"])
async def test_cancelled_in_the_middle_nothing_is_left(site: Site, tmp_path: Path, stage: str) -> None:
    if stage == "join":
        await site.render(FIRST, FIRST)
        await site.render(FIRST, SECOND)
    before, running = files(site), children()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    slow = tmp_path / "ffmpeg"
    slow.write_text(
        f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("slow_ffmpeg.py")} {stage} {pipe} "$@"\n'
    )
    slow.chmod(0o755)
    site.ffmpeg = Ffmpeg(str(slow))
    rendering = asyncio.create_task(site.render(FIRST, SECOND))
    assert await asyncio.to_thread(pipe.read_bytes) == b"!"
    rendering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rendering
    assert children() == running
    assert site.leftovers() == []
    assert {path for path in files(site) - before if not path.endswith("look.json")} == set()
    site.ffmpeg = Ffmpeg()
    assert seen((await site.render(FIRST, FIRST)).path) == list(range(PER_DAY))


async def test_cancelled_while_it_is_published_the_video_is_taken_back(site: Site) -> None:
    began = threading.Event()
    publish = site.archive.publish

    def slow(*args: Any, **options: Any) -> Item:
        began.set()
        return publish(*args, **options)

    site.archive.publish = slow  # type: ignore[method-assign]
    rendering = asyncio.create_task(site.render(FIRST, FIRST))
    await asyncio.to_thread(began.wait)
    rendering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rendering
    assert [path for path in files(site) if path.startswith(("videos", ".details"))] == []
    assert site.leftovers() == []


def test_killed_at_any_moment_nothing_half_is_visible(site: Site) -> None:
    chance = random.Random(SEED)  # noqa: S311
    for _ in range(KILLS):
        render_and_kill(site.archive.root, chance.uniform(0, 2.5))
        for video in (site.archive.root / "videos").glob("*/*.mp4"):
            item = site.archive.find(str(video.relative_to(site.archive.root)))
            assert probed(video)["nb_read_frames"] == str(site.facts(item)["frames"]) == "27"
            site.archive.remove(item)
        for chunk in site.chunks():
            assert probed(chunk)["nb_read_frames"] == str(PER_DAY)
    assert working_on(site.archive.root) == []
    again = Site(site.archive.root, NOW)
    again.archive.clear_parts()
    assert again.leftovers() == []
    assert [path for path in files(again) if "part" in path] == []
    assert seen(asyncio.run(again.render(FIRST, LAST)).path) == [*range(24), 0, 1, 2]


def working_on(root: Path) -> list[str]:
    """Return the command lines of all processes that name a file below `root`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(root) in (command := path.read_text(errors="replace")):
                found.append(command)
    return found


def render_and_kill(root: Path, delay: float) -> None:
    """Kill a process after so many seconds of rendering."""
    command = [sys.executable, str(RENDERING), str(root), str(FIRST), str(LAST), str(NOW.timestamp())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ENGINE)}) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        with suppress(subprocess.TimeoutExpired):
            process.wait(delay)
            pytest.fail("it ended by itself")
        process.kill()
        process.stdout.read()


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with tmpfs(tmp_path / "disk") as volume:
        yield volume


@needs_root
async def test_a_full_disk_ends_a_render_with_its_name_and_nothing_half(volume: Volume) -> None:
    """With less and less room: not for a chunk, not for the video, not for its poster."""
    site = Site(volume.path / "yard", NOW)
    noise = os.urandom(60_000)
    for shade, at in enumerate(range(6)):
        site.add(MIDNIGHT + at * timedelta(hours=1), greys("1280x720")[shade] + noise)
    item = await site.render(FIRST, FIRST)
    need = item.size + sum(path.stat().st_size for path in site.chunks())
    site.archive.remove(item)
    for chunk in site.chunks():
        chunk.unlink()
    before = files(site)
    failed = 0
    for share in (0, 0.3, 0.6, 0.9):
        volume.fill(leave=int(need * share))
        with suppress(DiskFull):
            await site.render(FIRST, FIRST)
            failed -= 1
        failed += 1
        volume.drain()
        assert site.leftovers() == []
        assert {path for path in files(site) - before if path.endswith(".mp4")} <= {
            str(path.relative_to(site.archive.root)) for path in site.chunks()
        }
        for chunk in site.chunks():
            assert probed(chunk)["nb_read_frames"] == "6"
            chunk.unlink()
    assert failed == 4
    assert seen((await site.render(FIRST, FIRST)).path) == list(range(6))


async def test_a_disk_at_its_floor_or_away_is_said_before_anything_is_done(site: Site) -> None:
    site.archive.floor = 1 << 60
    with pytest.raises(LowSpace):
        await site.render(FIRST, FIRST)
    with pytest.raises(LowSpace):
        await make_chunk(site.archive, site.ffmpeg, JOB, FIRST, Look())
    site.archive.floor = 0
    site.archive.root.rename(site.archive.root.with_name("elsewhere"))
    with pytest.raises(ArchiveMissing):
        await site.render(FIRST, FIRST)
    assert not site.archive.root.exists()
