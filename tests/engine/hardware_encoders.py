"""Encoders whose hardware is not here: streams as they would write them, and an ffmpeg that replays these.

The streams are libx264's, asked for the flaw or robbed of what is missing.
"""

from dataclasses import dataclass, field, replace
import json
from pathlib import Path
import sys
from typing import Any

from custom_components.tripod.engine.encoders import LADDER, SOFTWARE, Encoder
from custom_components.tripod.engine.encoders.trial import BIT_RATE, FRAMES, RATE, SIZE
from custom_components.tripod.engine.ffmpeg import Ffmpeg, mpegts_output

from .media import ffmpeg

FAST = "[info] bench: utime=0.050s stime=0.020s rtime=0.300s\n"
SLOW = "[info] bench: utime=0.050s stime=0.020s rtime=1.900s\n"

V4L2M2M = next(encoder for encoder in LADDER if encoder.name == "h264_v4l2m2m")
NVENC = next(encoder for encoder in LADDER if encoder.name == "h264_nvenc")
VAAPI = next(encoder for encoder in LADDER if encoder.name == "h264_vaapi")

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
NO_SETS = ("-bsf:v", "filter_units=remove_types=7-8")


def encoded(*encoder: str, frames: int = FRAMES, offset: float = 0) -> bytes:
    """Return the trial's picture, encoded as told."""
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}", "-frames:v", str(frames))
    return ffmpeg(*picture, *encoder, *mpegts_output(offset)[:-1])


def good() -> bytes:
    return encoded("-pix_fmt", "yuv420p", *SOFTWARE.encode(BIT_RATE))


def without_parameter_sets() -> bytes:
    """Return what v4l2m2m makes on a Raspberry Pi: SPS and PPS stand at the beginning, and never again."""
    encode = ("-pix_fmt", "yuv420p", *SOFTWARE.encode(BIT_RATE))
    return encoded(*encode, frames=RATE) + encoded(*encode, *NO_SETS, frames=FRAMES - RATE, offset=1)


def with_open_gops() -> bytes:
    return encoded(*X264, "-bf", "2", "-x264-params", f"open-gop=1:keyint={RATE}:min-keyint={RATE}")


def with_b_frames() -> bytes:
    return encoded(*X264, "-bf", "2", "-g", str(RATE), "-keyint_min", str(RATE))


def with_time_going_back() -> bytes:
    encode = ("-pix_fmt", "yuv420p", *SOFTWARE.encode(BIT_RATE))
    return encoded(*encode, frames=FRAMES // 2) + encoded(*encode, frames=FRAMES // 2)


def with_gops_of(frames: int) -> bytes:
    return encoded(*X264, "-bf", "0", "-g", str(frames), "-keyint_min", str(frames))


def that_breaks_off() -> bytes:
    return encoded("-pix_fmt", "yuv420p", *SOFTWARE.encode(BIT_RATE), frames=RATE)


@dataclass
class StandIn:
    """An ffmpeg that has the encoders it is told to have."""

    directory: Path
    version: str = ""
    encoders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program = Path(__file__).with_name("stand_in_ffmpeg.py").read_text()
        self.program.write_text(f"#!{sys.executable}\n{program}")
        self.program.chmod(0o755)
        self._write()

    @property
    def program(self) -> Path:
        return self.directory / "ffmpeg"

    @property
    def ffmpeg(self) -> Ffmpeg:
        return Ffmpeg(str(self.program))

    @property
    def trials(self) -> list[str]:
        """The encoders that were tried, in their order."""
        trials = self.directory / "trials"
        return trials.read_text().split() if trials.exists() else []

    def has(
        self,
        encoder: Encoder,
        stream: bytes,
        *,
        words: str = FAST,
        status: int = 0,
        in_use: str = "works",
        hangs: bool = False,
    ) -> Encoder:
        """Have an encoder that writes `stream` in its trial, and a device node for it; return it with that."""
        recording = self.directory / f"{encoder.name}.ts"
        recording.write_bytes(stream)
        behaviour = {"stream": str(recording), "words": words, "status": status, "in_use": in_use, "hangs": hangs}
        self.encoders[encoder.name] = behaviour
        self._write()
        node = self.directory / f"{encoder.name}.node"
        node.touch()
        return replace(encoder, nodes=(str(node),))

    def becomes(self, version: str) -> None:
        """Be another version from now on."""
        self.version = version
        self._write()

    def _write(self) -> None:
        plan: dict[str, Any] = {"encoders": self.encoders}
        if self.version:
            plan["version"] = self.version
        (self.directory / "plan.json").write_text(json.dumps(plan))
