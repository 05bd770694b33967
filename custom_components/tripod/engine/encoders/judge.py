"""Whether an encoder's test stream is one that viewers can join at each second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from .. import h264
from ..mpegts import CLOCK_RATE, PACKET_SIZE, Chunk, Parser
from ..psi import payload
from .ladder import GOP

TOLERANCE = 0.1
"""Seconds by which a key frame may miss its time: some drivers obey a frame or two later."""

SHOWN = 6
"""Key frames that a verdict names."""


class Outcome(StrEnum):
    """What the proving of an encoder found."""

    WORKS = "works"
    NOT_IN_FFMPEG = "not_in_ffmpeg"
    NO_DEVICE = "no_device"
    NO_PERMISSION = "no_permission"
    FAILED = "failed"
    FAILED_IN_USE = "failed_in_use"
    FRAMES_LOST = "frames_lost"
    NO_PARAMETER_SETS = "parameter_sets_missing"
    OPEN_GOP = "open_gop"
    TIME_STAMPS = "time_stamps"
    GOP_LENGTH = "gop_length"
    TOO_SLOW = "too_slow"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known about one encoder."""

    outcome: Outcome
    reason: str = ""
    """In technical words, without secrets."""
    device: str = ""
    """The device node that it was tried with."""
    speed: float | None = None
    """Test picture encoded per time taken: 1 is real time."""
    cpu: float | None = None
    """Cores that encoding in real time takes, with drawing the test picture and all."""

    @property
    def works(self) -> bool:
        """Whether the encoder may be used."""
        return self.outcome is Outcome.WORKS


@dataclass(frozen=True, slots=True)
class _Picture:
    idr: bool
    """Decoding can begin here, and nothing later looks back behind it."""
    begins_gop: bool
    """The encoder or the muxer says that decoding can begin here."""
    has_parameter_sets: bool
    pts: int


def judge(stream: bytes, *, frames: int, rate: float) -> Verdict:
    """Look at the MPEG-TS of so many frames at `rate` per second."""
    pictures = list(_pictures(stream))
    if len(pictures) < frames:
        return Verdict(Outcome.FRAMES_LOST, f"{len(pictures)} of {frames} frames came out")
    keys = [number for number, picture in enumerate(pictures) if picture.idr]
    for number in keys:
        if not pictures[number].has_parameter_sets:
            return Verdict(Outcome.NO_PARAMETER_SETS, f"no SPS and PPS with the key frame {number}")
    for number, picture in enumerate(pictures):
        if picture.begins_gop and not picture.idr:
            return Verdict(Outcome.OPEN_GOP, f"the key frame {number} is no IDR picture")
    for number, (before, after) in enumerate(pairwise(pictures), 1):
        if after.pts <= before.pts:
            return Verdict(Outcome.TIME_STAMPS, f"the time stamp of frame {number} is not above the one before")
    times = [(pictures[number].pts - pictures[0].pts) / CLOCK_RATE for number in keys]
    wanted = [index * GOP for index in range(int(frames / rate / GOP) + 1)]
    if len(times) != len(wanted) or any(abs(time - due) > TOLERANCE for time, due in zip(times, wanted, strict=True)):
        shown = ", ".join(f"{time:.2f}" for time in times[:SHOWN]) + (", …" if len(times) > SHOWN else "")
        return Verdict(Outcome.GOP_LENGTH, f"key frames are at {shown} s")
    return Verdict(Outcome.WORKS)


def _pictures(stream: bytes) -> Iterator[_Picture]:
    parser = Parser()
    frame: list[Chunk] = []
    for chunk in parser.feed(stream):
        if chunk.starts_frame and frame:
            yield from _picture(frame, parser.video_pid)
            frame = []
        frame.append(chunk)
    if frame:
        yield from _picture(frame, parser.video_pid)


def _picture(frame: list[Chunk], video_pid: int) -> Iterator[_Picture]:
    """Yield the picture, unless the frame is one of parameter sets alone."""
    data = b"".join(chunk.data for chunk in frame)
    packets = (data[offset : offset + PACKET_SIZE] for offset in range(0, len(data), PACKET_SIZE))
    stream = b"".join(payload(packet) for packet in packets if (packet[1] & 0x1F) << 8 | packet[2] == video_pid)
    kinds = [unit[0] & 0x1F for unit in h264.nal_units(stream[9 + stream[8] :])]
    if any(kind in h264.SLICES for kind in kinds):
        sets = {h264.SPS, h264.PPS} <= set(kinds)
        yield _Picture(h264.IDR in kinds, frame[0].key, sets, frame[0].pts or 0)
