"""Timelapses that are killed at any instant: nothing half is left, and all goes on. TRIPOD_KILLS says how often."""

import asyncio
from datetime import datetime, timedelta
import json
import os
from pathlib import Path
import random
import signal
import sys

import pytest

from custom_components.tripod.engine.archive import Archive, Kind
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.timelapse.memory import FILE, Memory

from ..media import decoded_frames
from .studio import BERLIN

KILLS = int(os.environ.get("TRIPOD_KILLS", "2"))
BEGIN = datetime(2026, 11, 21, 20, tzinfo=BERLIN)
LONGEST = 2.0
"""Seconds that a process lives at most, once it takes frames: some days of its own time."""


async def lived(folder: Path, begin: datetime, seconds: float) -> dict[str, object]:
    """Let a process live for so long; return what it said went on."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engine.timelapse.mortal", str(folder), str(begin.timestamp())),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        said: dict[str, object] = json.loads(await process.stdout.readline())
        await asyncio.wait([asyncio.create_task(process.wait())], timeout=seconds)
        assert process.returncode is None
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return said


def kept(folder: Path) -> Archive:
    """Return the archive of the camera."""
    return Archive(folder / "garden", "garden", zone=BERLIN, floor=0, known=True)


def whole(folder: Path) -> int:
    """Look at everything that is visible; return how many frames there are."""
    archive = kept(folder)
    archive.open()
    frames = 0
    for job in archive.jobs():
        for day in archive.days(Kind.FRAME, job):
            for item in archive.items(Kind.FRAME, day.date, job):
                data = item.path.read_bytes()
                assert dimensions(data) == (64, 64)
                assert data.endswith(b"\xff\xd9")
                frames += 1
        for day in archive.days(Kind.CHUNK, job):
            assert all(decoded_frames(item.path.read_bytes()) for item in archive.items(Kind.CHUNK, day.date, job))
    for day in archive.days(Kind.VIDEO):
        for item in archive.items(Kind.VIDEO, day.date):
            assert decoded_frames(item.path.read_bytes()) == archive.details(item)["frames"]
    return frames


@pytest.mark.timeout(60 + 60 * KILLS)
async def test_jobs_go_on_and_nothing_is_half(tmp_path: Path) -> None:
    chance = random.Random()  # noqa: S311 - no secret
    expected, renders, frames = ["site"], 0, 0
    for number in range(KILLS):
        said = await lived(tmp_path, BEGIN + number * timedelta(days=20), chance.uniform(0.0, LONGEST))
        assert said == {"jobs": expected, "renders": renders}
        before, frames = frames, await asyncio.to_thread(whole, tmp_path)
        assert frames >= before
        written = json.loads((tmp_path / "garden" / FILE).read_bytes())["jobs"]
        left = Memory(kept(tmp_path)).load()
        assert len(left) == len(written)
        expected = sorted(known.job.name for known in left if known.counts)
        queue = tmp_path / "renders.json"
        renders = len(json.loads(queue.read_bytes())["renders"]) if queue.exists() else 0
        assert not list((tmp_path / "garden").glob("*.part"))
    assert frames
    print(f"{KILLS} kills, {frames} frames")
