"""The built-in test pattern: a moving picture with a clock, for trying everything out without a camera."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from ..encoders import SOFTWARE
from ..errors import InvalidSource
from ..ffmpeg import filter_value, mjpeg, mjpeg_output, mpegts_output
from ..fonts import FONT
from .base import Found, Medium, Sink, Source, Tools
from .look import look
from .workers import capture_frames, capture_packets

MIN_SIDE = 64
MAX_PIXELS = 3840 * 2160
MAX_RATE = 60
QUALITY = 85
"""Percent, of the JPEGs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPattern(Source):
    """A picture that ffmpeg draws, as a camera that delivers H.264 or JPEG."""

    kind: ClassVar[str] = "test_pattern"
    __test__: ClassVar[bool] = False  # its name is not meant for pytest

    width: int = 1280
    height: int = 720
    rate: int = 25
    format: Literal["h264", "mjpeg"] = "h264"
    bit_rate: int = 2_000_000
    """Bits per second of the H.264 stream."""

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for a size or rate that no encoder takes."""
        if (
            min(self.width, self.height) < MIN_SIDE
            or self.width * self.height > MAX_PIXELS
            or self.width % 2
            or self.height % 2
        ):
            raise InvalidSource(f"size {self.width}x{self.height}")
        if not 1 <= self.rate <= MAX_RATE:
            raise InvalidSource(f"rate {self.rate}")
        if self.format not in ("h264", "mjpeg"):
            raise InvalidSource(f"format {self.format}")

    @property
    def native(self) -> Medium:
        """Frames for JPEG, packets for H.264."""
        return Medium.FRAMES if self.format == "mjpeg" else Medium.PACKETS

    @property
    def address(self) -> str:
        """The size, rate and format, there being no place."""
        return f"{self.width}x{self.height}, {self.rate}/s, {self.format}"

    async def probe(self, tools: Tools) -> Found:
        """Draw the first pictures and say what they are."""
        return await look(self, tools)

    async def capture(self, tools: Tools, sink: Sink) -> None:
        """Draw in real time."""
        pattern = f"testsrc2=size={self.width}x{self.height}:rate={self.rate}"
        clock = (
            f"drawtext=fontfile={filter_value(str(FONT))}:text='%{{localtime\\:%H\\\\\\:%M\\\\\\:%S}}':fontsize=h/8"
            ":fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=12:x=(w-tw)/2:y=(h-th)/2"
        )
        # -re paces by each frame's time; the rest of the line is the same for both formats
        draw = tools.ffmpeg.argv("-re", "-f", "lavfi", "-i", pattern, "-vf")
        if self.format == "mjpeg":
            await capture_frames([*draw, clock, *mjpeg(QUALITY), *mjpeg_output()], sink)
        else:
            # a pattern needs no hardware, and is the same everywhere
            encode = [f"{clock},{SOFTWARE.pictures}", *SOFTWARE.encode(self.bit_rate)]
            await capture_packets([*draw, *encode, *mpegts_output(sink.timestamp_offset)], sink)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}
