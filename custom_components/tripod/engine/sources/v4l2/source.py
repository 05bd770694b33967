"""A V4L2 device: a USB webcam, a capture card, anything under /dev/video*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
import re
import time
from typing import Any, ClassVar, NoReturn

from ...controls import Controls
from ...errors import DeviceBusy, InvalidSource, NoPermission
from ...ffmpeg import mjpeg, mjpeg_output, mpegts_output
from ..base import Found, Medium, Sink, Source, Tools
from ..look import look
from ..workers import capture_frames, capture_packets
from .controls import V4l2Controls
from .holders import explained

# udev makes names of what devices say of themselves
_DEVICE = re.compile(r"/dev/(video\d+|v4l/by-(id|path)/[^./\x00-\x1f][^/\x00-\x1f]*)")
MAX_SIDE = 16384
MAX_RATE = 1000
CONTROLS_LIMIT = 10.0
"""Seconds that controls may take before each start: each that a faulty camera does not answer to takes five."""

COPIED = ("h264", "mjpeg")
"""What is passed on untouched."""

_FORMAT = re.compile(r"[a-z0-9_]{1,20}")
_MICROPHONE = re.compile(r"([a-z][\w:=,.+-]{0,100})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class V4l2(Source):
    """One capture node with the format, size and rate to ask it for."""

    kind: ClassVar[str] = "v4l2"

    device: str
    input_format: str = "mjpeg"
    """ffmpeg's name: `mjpeg` and `h264` are passed on untouched, raw formats (`yuyv422`, `nv12`) become JPEG."""
    width: int = 1280
    height: int = 720
    rate: float = 30
    """Frames per second asked for; the device may choose the nearest that it has."""
    quality: int = 85
    """JPEG quality in percent, for raw formats."""
    microphone: str = ""
    """ALSA's name of the microphone whose sound goes with the video, such as `plughw:CARD=C920,DEV=0`; or empty."""

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for what is no device node or no format."""
        if not _DEVICE.fullmatch(self.device):
            raise InvalidSource(f"device {self.device!r}")
        if not _FORMAT.fullmatch(self.input_format):
            raise InvalidSource(f"format {self.input_format!r}")
        if not (0 < self.width <= MAX_SIDE and 0 < self.height <= MAX_SIDE and 0 < self.rate <= MAX_RATE):
            raise InvalidSource(f"{self.width}x{self.height} at {self.rate}/s")
        if not _MICROPHONE.fullmatch(self.microphone):
            raise InvalidSource(f"microphone {self.microphone!r}")

    @property
    def native(self) -> Medium:
        """Packets where the device encodes H.264 itself, else frames."""
        return Medium.PACKETS if self.input_format == "h264" else Medium.FRAMES

    @property
    def warms_up(self) -> bool:
        """A webcam's first pictures may be dark."""
        return True

    def controls(self, wanted: Mapping[str, float]) -> Controls:
        """Return the device's controls."""
        return V4l2Controls(self.device, wanted)

    @property
    def address(self) -> str:
        """The device's path."""
        return self.device

    def attached(self) -> bool:
        """Whether the device node exists."""
        return Path(self.device).exists()

    async def probe(self, tools: Tools) -> Found:
        """Open the device and say what it really delivers: a size or rate is a wish that drivers may change."""
        return await look(self, tools)

    async def capture(self, tools: Tools, sink: Sink) -> None:
        """Hold the device open and pass on what comes."""
        if sink.controls:
            with suppress(TimeoutError):
                async with asyncio.timeout(CONTROLS_LIMIT):
                    await sink.controls.apply()
        try:
            await self._run(tools, sink)
        except (DeviceBusy, NoPermission) as error:
            raise await asyncio.to_thread(explained, error, self.device) from error

    async def _run(self, tools: Tools, sink: Sink) -> NoReturn:
        # the kernel stamps pictures by the monotonic clock, and the sound is placed by it
        began = time.monotonic()
        clock = ("-copyts", "-itsoffset", f"-{began:.6f}") if sink.audio and self.native is Medium.PACKETS else ()
        argv = tools.ffmpeg.argv(
            *clock,
            "-f",
            "v4l2",
            "-input_format",
            self.input_format,
            "-video_size",
            f"{self.width}x{self.height}",
            "-framerate",
            f"{self.rate:g}",
            "-i",
            self.device,
            *self._encoding(sink.timestamp_offset),
        )
        if self.native is Medium.PACKETS:
            await capture_packets(argv, sink, zero=began - sink.timestamp_offset)
        else:
            await capture_frames(argv, sink)

    def _encoding(self, timestamp_offset: float) -> Sequence[str]:
        if self.input_format == "h264":
            return ["-c:v", "copy", "-bsf:v", "dump_extra=freq=keyframe", *mpegts_output(timestamp_offset)]
        if self.input_format == "mjpeg":
            return ["-c:v", "copy", *mjpeg_output()]
        return [*mjpeg(self.quality), *mjpeg_output()]

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}
