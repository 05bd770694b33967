"""Frames whose order can be read back from a video, and judges of what becomes of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
import json
from pathlib import Path
import struct
import subprocess
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import JpegSplitter
from custom_components.tripod.engine.timelapse import Look, RenderRequest, render
from tests.engine.media import ffmpeg

BERLIN = ZoneInfo("Europe/Berlin")
JOB = "site"
HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 19, tzinfo=BERLIN)
NOW = datetime(2026, 11, 21, 12, tzinfo=BERLIN)

LEVELS = 24
"""Frames that differ from each other: each is of one grey, a step lighter than the one before."""

_DARKEST, _STEP = 34, 8
"""Of 16 to 235, which JPEGs widen to 0 to 255."""


@cache
def greys(size: str = "160x120") -> list[bytes]:
    """Return JPEGs of one grey each."""
    level = f"{_DARKEST}+{_STEP}*N"
    source = f"color=black:size={size}:rate=25,format=yuvj420p,geq=lum='{level}':cb=128:cr=128"
    encoder = ("-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg")
    stream = ffmpeg("-f", "lavfi", "-i", source, "-frames:v", str(LEVELS), *encoder)
    return JpegSplitter().feed(stream)


def seen(video: Path, crop: str = "16:16") -> list[int]:
    """Return which of the greys each frame of a video shows in the middle."""
    levels = [16 + value * 219 / 255 for value in brightness(video, crop)]
    return [round((level - _DARKEST) / _STEP) for level in levels]


def brightness(video: Path, crop: str = "16:16") -> bytes:
    """Return how bright the middle of each frame is, 0 to 255."""
    filters = f"crop={crop},scale=1:1,format=gray"
    command = ["ffmpeg", "-v", "error", "-i", str(video), "-vf", filters, "-fps_mode", "passthrough"]
    run = subprocess.run([*command, "-f", "rawvideo", "pipe:1"], check=True, capture_output=True, timeout=60)
    assert run.stderr == b"", run.stderr.decode()
    return run.stdout


def probed(video: Path) -> dict[str, Any]:
    """Return what ffprobe says of a video's one stream, having decoded all of it."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(video)]
    run = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert run.stderr == b"", run.stderr.decode()
    (stream,) = json.loads(run.stdout)["streams"]
    return dict(stream)


def atoms(video: Path) -> list[str]:
    """Return the names of an MP4's top-level atoms."""
    names, data = [], video.read_bytes()
    while data:
        size, name = struct.unpack(">I4s", data[:8])
        names.append(name.decode())
        data = data[size:]
    return names


class Site:
    """An archive with a timelapse in it, and a clock."""

    def __init__(self, root: Path, now: datetime, zone: ZoneInfo = BERLIN) -> None:
        self.now = now
        self.archive = Archive(root, "yard", zone=zone, floor=0, clock=self.clock)
        self.archive.open()
        self.ffmpeg = Ffmpeg()
        self.progress: list[float] = []

    def clock(self) -> float:
        return self.now.timestamp()

    def add(self, at: datetime, jpeg: bytes, job: str = JOB) -> Item:
        """Keep a frame."""
        return self.archive.publish(Kind.FRAME, at, jpeg, suffix=".jpg", job=job)

    def fill(
        self, start: datetime, count: int, step: timedelta = HOUR, size: str = "160x120", job: str = JOB
    ) -> list[Item]:
        """Keep frames at equal distances, grey after grey."""
        # in absolute time, for a day may have an hour more or less
        moments = [start.timestamp() + number * step.total_seconds() for number in range(count)]
        shades = greys(size)
        return [
            self.add(datetime.fromtimestamp(moment, start.tzinfo), shades[number % LEVELS], job)
            for number, moment in enumerate(moments)
        ]

    def prune(self, day: date, job: str = JOB) -> None:
        """Remove a day's frames."""
        for item in self.archive.items(Kind.FRAME, day, job):
            self.archive.remove(item)

    def chunks(self, job: str = JOB) -> list[Path]:
        """Return all chunks."""
        return sorted((self.archive.root / "timelapse" / job / "chunks").glob("*/*.mp4"))

    async def render(self, start: date, end: date, job: str = JOB, **wishes: Any) -> Item:
        """Render, and note the progress."""
        self.progress = []
        look = wishes.pop("look", Look())
        request = RenderRequest(job=job, start=start, end=end, look=look, **wishes)
        return await render(request, self.archive, self.ffmpeg, self.progress.append, clock=self.clock)

    def facts(self, item: Item) -> dict[str, Any]:
        """Return what was published with an item."""
        return self.archive.details(item)

    def leftovers(self) -> list[Path]:
        """Return what is still being made."""
        return list((self.archive.root / ".parts").iterdir())
