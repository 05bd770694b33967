"""How fast a timelapse becomes a video, and what that takes; no Home Assistant."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time

from custom_components import tripod
from custom_components.tripod.engine.archive import Archive, Kind
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.timelapse import Look, RenderRequest, make_chunk, render
from custom_components.tripod.engine.timelapse.encode import Encoding

from .harness import Benchmark, Key, Values
from .processes import Process

DAYS, PER_DAY = 730, 288
"""Two years, a frame every five minutes."""

FIRST = datetime(2024, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = (FIRST + (DAYS + 1) * DAY).timestamp()

SIZE = "1920x1080"
SMALL, LARGE = 1_000, 20_000
"""Frames of the two renders whose memory is compared; all of one day, as no others are in memory at once."""

RUNS = 3
"""Of which the fastest counts: whatever else the machine does makes them slower only."""

ALONE = Path(__file__).with_name("render_alone.py")

LOOK = Look()
JOB = "bench"


def _run() -> Values:
    # on a disk: what is in memory is written too fast
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> Values:
    frames = _drawn(folder / "frames", SIZE, PER_DAY)
    archive = _opened(folder / "archive")
    for number, frame in enumerate(frames):
        archive.publish(Kind.FRAME, FIRST + number * DAY / PER_DAY, frame.read_bytes(), suffix=".jpg", job=JOB)
    chunks, plains = [], []
    for _ in range(RUNS):
        chunks.append(await _timed_chunk(archive))
        plains.append(await asyncio.to_thread(_timed_plain, folder))
    join = await _timed_join(archive)
    small, large = [await asyncio.to_thread(_peak, folder / str(count), count) for count in (SMALL, LARGE)]
    return {
        "chunk_ratio": min(chunks) / min(plains),
        "chunk_s": min(chunks),
        "two_year_join_s": join["seconds"],
        "video_gib": join["bytes"] / 2**30,
        "speedup": min(plains) * DAYS / join["seconds"],
        "mem_ratio": large / small,
        "mem_small_mib": small,
        "mem_large_mib": large,
    }


def _drawn(folder: Path, size: str, count: int) -> list[Path]:
    folder.mkdir()
    source = f"testsrc2=size={size}:rate=25,noise=alls=3:allf=t"
    _ffmpeg(
        "-f", "lavfi", "-i", source, "-frames:v", str(count), "-c:v", "mjpeg", "-q:v", "4", str(folder / "%05d.jpg")
    )
    return sorted(folder.iterdir())


def _opened(root: Path) -> Archive:
    archive = Archive(root, "bench", zone=UTC, floor=0)
    archive.open()
    return archive


async def _timed_chunk(archive: Archive) -> float:
    began = time.monotonic()
    await make_chunk(archive, Ffmpeg(), JOB, FIRST.date(), LOOK)
    return time.monotonic() - began


def _timed_plain(folder: Path) -> float:
    """Return the seconds that ffmpeg alone takes for the same pictures, with the same encoder."""
    began = time.monotonic()
    output = Encoding(LOOK, 0, 0).output
    _ffmpeg(
        "-framerate",
        "25",
        "-i",
        str(folder / "frames" / "%05d.jpg"),
        "-pix_fmt",
        "yuv420p",
        *output,
        str(folder / "plain.mp4"),
    )
    return time.monotonic() - began


async def _timed_join(archive: Archive) -> dict[str, float]:
    """Join two years of the day that was encoded; each is a file of its own by name, its frames are pruned."""
    (chunk,) = archive.root.glob("timelapse/*/chunks/*/*.mp4")
    index = json.loads(chunk.with_suffix(".json").read_bytes())
    for number in range(1, DAYS):
        path = chunk.with_stem(str((FIRST + number * DAY).date()))
        os.link(chunk, path)
        shift = number * int(DAY.total_seconds()) * 1000
        path.with_suffix(".json").write_text(json.dumps({**index, "times": [at + shift for at in index["times"]]}))
    for item in archive.items(Kind.FRAME, FIRST.date(), JOB):
        archive.remove(item)
    began = time.monotonic()
    last = (FIRST + (DAYS - 1) * DAY).date()
    item = await render(RenderRequest(job=JOB, start=FIRST.date(), end=last), archive, Ffmpeg(), clock=lambda: NOW)
    seconds = time.monotonic() - began
    if (count := archive.details(item)["frames"]) != DAYS * PER_DAY:
        raise RuntimeError(f"{count} frames were joined")
    archive.remove(item)
    return {"seconds": seconds, "bytes": item.size}


def _peak(root: Path, count: int) -> float:
    """Return the most memory that a process and its workers take while they render a day of `count` frames, in MiB."""
    archive = _opened(root)
    frames = [frame.read_bytes() for frame in _drawn(root / "drawn", "320x240", 25)]
    for number in range(count):
        at = FIRST + number * DAY / count
        archive.publish(Kind.FRAME, at, frames[number % len(frames)], suffix=".jpg", job=JOB)
    archive.close()
    command = [sys.executable, str(ALONE), str(root), JOB, str(FIRST.date()), str(NOW)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path(tripod.__file__).parent)}) as process:
        peak = 0.0
        tree = Process(process.pid)
        while process.poll() is None:
            peak = max(peak, tree.resident_mib() + sum(Process(pid).resident_mib() for pid in tree.descendants()))
            time.sleep(0.05)
    if process.returncode:
        raise RuntimeError("the render failed")
    return peak


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["/usr/bin/ffmpeg", "-v", "error", "-y", *arguments], check=True)


BENCHMARK = Benchmark(
    name="timelapse",
    text=f"{DAYS * PER_DAY} frames of {SIZE}, a chunk a day; no Home Assistant",
    keys={
        "chunk_ratio": Key(text="encoding a day, times plain ffmpeg with the same encoder", at_most=1.2),
        "chunk_s": Key(text=f"encoding a day of {PER_DAY} frames", unit="s"),
        "two_year_join_s": Key(text="rendering two years from chunks", unit="s", at_most=60),
        "video_gib": Key(text="that the video of two years has", unit="GiB"),
        "speedup": Key(text="of that over one straight encode, scaled up from a day", at_least=50),
        "mem_ratio": Key(text=f"most memory of a render of {LARGE} frames, times that of {SMALL}", at_most=1.1),
        "mem_small_mib": Key(text=f"most memory of a render of {SMALL} frames", unit="MiB"),
        "mem_large_mib": Key(text=f"most memory of a render of {LARGE} frames", unit="MiB"),
    },
    run=_run,
)
