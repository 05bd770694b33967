"""A camera that plays a known film in real time, so that each frame of a recording can be told by its picture."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
import subprocess
import time
from typing import Any

from custom_components.tripod.engine.errors import StreamEnded
from custom_components.tripod.engine.h264 import AccessUnits
from custom_components.tripod.engine.mpegts_writer import MpegTsWriter
from custom_components.tripod.engine.sources import Found, Medium, Sink, Source, Tools
from tests.engine.media import ffmpeg

RATE = 25
GOP = 10
SECONDS = 24
ENCODER = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p")


@cache
def film(size: str = "160x120", gop: int = GOP) -> list[tuple[bytes, bool]]:
    """Return its access units, and which of them are key frames."""
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={RATE}", "-t", str(SECONDS))
    stream = ffmpeg(*picture, *ENCODER, "-g", str(gop), "-f", "h264")
    units = AccessUnits()
    # the last one is whole when another begins
    return units.feed(stream + b"\x00\x00\x00\x01\x09\xf0\x00")


@cache
def pictures(size: str = "160x120", gop: int = GOP) -> dict[str, int]:
    """Return the number of each frame by its picture's hash."""
    stream = b"".join(unit for unit, _ in film(size, gop))
    return {hashed: number for number, hashed in enumerate(_hashes("-f", "h264", "-i", "pipe:0", data=stream))}


def numbers(path: Path, size: str = "160x120") -> list[int]:
    """Return which frames a file shows, in their order; fails on any complaint of ffmpeg's, and on any other frame."""
    known = pictures(size)
    return [known[hashed] for hashed in _hashes("-i", str(path))]


def first_number(path: Path, gop: int) -> int:
    """Return which frame a file begins with."""
    (hashed,) = _hashes("-i", str(path), "-frames:v", "1")
    return pictures(gop=gop)[hashed]


def _hashes(*source: str, data: bytes | None = None) -> list[str]:
    command = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", *source, "-map", "0:v", "-fps_mode", "passthrough")
    run = subprocess.run((*command, "-f", "framemd5", "-"), input=data, check=True, capture_output=True, timeout=60)
    assert run.stderr == b"", run.stderr.decode()
    lines = run.stdout.decode().splitlines()
    return [line.rpartition(",")[2].strip() for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel(Source):
    """Plays the film from its beginning, over and over; a frame that is due while it is away is skipped."""

    first_pts: float = 0.0
    """Seconds."""
    sizes: list[str] = field(default_factory=lambda: ["160x120"])
    """Of the film, run after run; the last one stays."""
    taken: dict[int, float] = field(default_factory=dict)
    """When each frame was taken, by its number since the start: monotonic time."""
    orders: list[str] = field(default_factory=list)
    """`end`: break off in the middle of a frame. `hang`: send nothing more."""
    gop: int = GOP
    """Frames."""
    away: float = 0.0
    """Seconds from a break to the next picture."""
    began: list[float] = field(default_factory=list)

    @property
    def native(self) -> Medium:
        return Medium.PACKETS

    @property
    def address(self) -> str:
        return "reel"

    async def probe(self, tools: Tools) -> Found:  # noqa: ARG002
        raise AssertionError

    async def capture(self, tools: Tools, sink: Sink) -> None:  # noqa: ARG002
        run = len(self.began)
        units = film(self.sizes[min(run, len(self.sizes) - 1)], self.gop)
        if run:
            await asyncio.sleep(self.away)
        now = time.monotonic()
        self.began.append(now)
        writer = MpegTsWriter()
        number = round((now - self.began[0]) * RATE)
        number += -number % self.gop if run else 0
        while True:
            due = self.began[0] + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            unit, key = units[number % len(units)]
            data = writer.write(unit, self.first_pts + number / RATE, key=key)
            if self.orders:
                if self.orders.pop() == "end":
                    sink.packets(data[: len(data) // 376 * 188])
                    raise StreamEnded("told to")
                await asyncio.Event().wait()
            self.taken[number] = due
            sink.packets(data)
            number += 1

    def as_dict(self) -> dict[str, Any]:
        return {}
