"""What a recording left on the disk: unbroken stretches of MPEG-TS, and which of them can be one file.

Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
import os
from pathlib import Path

from .. import h265
from ..h264 import SequenceParameters
from ..mpegts import CLOCK_RATE, PACKET_SIZE, Chunk, Parser

SUFFIX = ".ts"

LOOK = 2**20
"""Bytes at either end of a file that usually tell what it is; where they do not, more are read."""

LONE_FRAME = 0.04
"""Seconds that a stretch of one frame lasts."""

_WRAP = 1 << 33
_SYNC = 0x47
_STARTS_FRAME = 0x40


@dataclass(frozen=True, slots=True)
class Format:
    """What must be equal in all that is put into one file."""

    codec: str | None
    """ffmpeg's name."""
    profile: str | bytes
    width: int | None
    height: int | None

    @classmethod
    def of(cls, codec: str | None, sps: bytes | None) -> Format:
        """Read a sequence parameter set."""
        try:
            if codec == "hevc" and sps:
                return cls(codec, sps, *h265.picture_size(sps))
            parameters = SequenceParameters.parse(sps or b"")
        except ValueError:
            return cls(codec, sps or b"", None, None)
        return cls(codec, parameters.codec, parameters.width, parameters.height)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One unbroken piece."""

    path: Path
    offset: float
    """Seconds from the recording's beginning."""
    duration: float
    """Seconds."""
    format: Format
    audio_codec: str | None

    @property
    def end(self) -> float:
        """Seconds from the recording's beginning."""
        return self.offset + self.duration


def name(offset: float) -> str:
    """Return the name of a stretch that begins so many seconds after the recording: names sort by time."""
    return f"{round(offset * 1000):012}{SUFFIX}"


def scan(folder: Path, *, whole: bool) -> list[list[Stretch]]:
    """Return the stretches in `folder`, together what can be one file. Raises `OSError`.

    Where it is not known that they end with `whole` frames, a last frame that may be cut is taken off.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.stem.isdecimal())
    stretches = (_read(path, whole=whole) for path in paths)
    found: Iterable[Stretch] = (stretch for stretch in stretches if stretch)
    return [list(group) for _, group in groupby(found, key=lambda stretch: stretch.format)]


def _read(path: Path, *, whole: bool) -> Stretch | None:
    """None where no frame is in it."""
    size = path.stat().st_size
    for look in _looks(size):
        with path.open("rb") as file:
            head = file.read(look)
            file.seek(_aligned(size - look))
            tail = file.read()
        parser, frames = _frames(head)
        if not whole:
            cut = _last_frame(tail, parser.video_pid)
            size -= len(tail) - cut
            tail = tail[:cut]
            if look >= path.stat().st_size:
                frames = _frames(tail)[1]
        last = [frame.pts for frame in _frames(tail)[1] if frame.pts is not None]
        if frames and frames[0].pts is not None and (len(last) > 1 or look >= size):
            os.truncate(path, size)
            return Stretch(
                path=path,
                offset=int(path.stem) / 1000,
                duration=_duration(frames[0].pts, sorted(last)),
                format=Format.of(parser.video_codec, frames[0].sps),
                audio_codec=parser.audio_codec,
            )
    return None


def _looks(size: int) -> Iterator[int]:
    """Yield how much of either end to look at, up to the whole."""
    look = LOOK
    while look < size:
        yield look
        look *= 4
    yield size


def _aligned(position: int) -> int:
    return max(0, position) // PACKET_SIZE * PACKET_SIZE


def _frames(data: bytes) -> tuple[Parser, list[Chunk]]:
    parser = Parser()
    return parser, [chunk for chunk in parser.feed(data) if chunk.starts_frame]


def _last_frame(data: bytes, video_pid: int) -> int:
    """Return where the last frame begins, in whole packets; 0 where none does."""
    for offset in range(_aligned(len(data) - PACKET_SIZE), -1, -PACKET_SIZE):
        pid = (data[offset + 1] & 0x1F) << 8 | data[offset + 2]
        if data[offset] == _SYNC and pid == video_pid and data[offset + 1] & _STARTS_FRAME:
            return offset
    return 0


def _duration(first: int, last: list[int]) -> float:
    """Return the seconds from the first time stamp to the end of the last frame; time stamps may have wrapped."""
    if not last:
        return LONE_FRAME
    step = last[-1] - last[-2] if len(last) > 1 else round(LONE_FRAME * CLOCK_RATE)
    return ((last[-1] - first) % _WRAP + step) / CLOCK_RATE
