"""The encoders that ffmpeg may have, in the order in which they are preferred, and how each is asked for live video.

All have in common: a key frame each second whatever the frame rate is, no B-frames, and a bit rate. The MPEG-TS muxer
repeats the parameter sets before each key frame, where the encoder tells them to ffmpeg apart from the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..parameter_sets import ParameterSetRepeater

GOP = 1.0
"""Seconds between key frames: what a viewer waits who joins, and what an HLS segment lasts."""

NEVER = "600"
"""Frames after which an encoder makes a key frame by itself: only the clock shall decide, up to 600 frames a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """One of ffmpeg's H.264 encoders, and how it is called; `{device}` stands for the device node."""

    name: str
    """ffmpeg's."""
    options: tuple[str, ...] = ()
    pictures: str = "format=yuv420p"
    """The filters that hand it pictures in the form that it takes."""
    setup: tuple[str, ...] = ()
    """Options that stand before the input."""
    nodes: tuple[str, ...] = ()
    """Patterns of the device nodes that it works with."""
    needs_node: bool = False
    """Whether it need not be tried where there is no such node."""
    tells_sets_once: bool = False
    """Whether it may say its parameter sets at the beginning only: they are then repeated for it."""
    device: str = ""
    """The node that it uses, of those that are there."""
    hardware: bool = True

    def using(self, device: str) -> Encoder:
        """Return the encoder for one device node."""
        return replace(self, device=device)

    def mend(self) -> Callable[[bytes], bytes]:
        """Return what to pass the encoder's MPEG-TS through, from its first byte on."""
        return ParameterSetRepeater().feed if self.tells_sets_once else bytes

    @property
    def before_input(self) -> list[str]:
        """The options that stand before the input."""
        return [option.format(device=self.device) for option in self.setup]

    def encode(self, bit_rate: int) -> list[str]:
        """Return the encoder options for so many bits per second."""
        rate = str(bit_rate)
        return [
            *("-c:v", self.name),
            *self.options,
            *("-bf", "0", "-g", NEVER, "-force_key_frames", f"expr:gte(t,n_forced*{GOP:g})"),
            *("-b:v", rate, "-maxrate", rate, "-bufsize", rate),
        ]


SOFTWARE = Encoder(
    name="libx264",
    options=("-preset", "ultrafast", "-tune", "zerolatency", "-sc_threshold", "0"),
    hardware=False,
)
"""The one that needs no hardware, and the processor instead."""

LADDER = (
    # Raspberry Pi 0 to 4, where ffmpeg does not ask the driver to repeat what it says
    Encoder(name="h264_v4l2m2m", nodes=("/dev/video11",), needs_node=True, tells_sets_once=True),
    Encoder(name="h264_rkmpp", pictures="format=nv12", nodes=("/dev/mpp_service",), needs_node=True),
    # Intel and AMD
    Encoder(
        name="h264_vaapi",
        setup=("-init_hw_device", "vaapi=hw:{device}", "-filter_hw_device", "hw"),
        pictures="format=nv12,hwupload",
        options=("-async_depth", "1"),
        nodes=("/dev/dri/renderD*",),
        needs_node=True,
    ),
    Encoder(
        name="h264_qsv",
        setup=("-init_hw_device", "vaapi=va:{device}", "-init_hw_device", "qsv=hw@va"),
        pictures="format=nv12",
        options=("-async_depth", "1", "-forced_idr", "1"),
        nodes=("/dev/dri/renderD*",),
        needs_node=True,
    ),
    # its driver decides what it needs: WSL has no node of NVIDIA's
    Encoder(
        name="h264_nvenc",
        options=("-tune", "ull", "-zerolatency", "1", "-delay", "0", "-forced-idr", "1"),
        nodes=("/dev/nvidia[0-9]*", "/dev/dxg"),
    ),
    SOFTWARE,
)
"""The best first: what is made for the task, what shares a graphics processor, and what takes the processor's time."""
