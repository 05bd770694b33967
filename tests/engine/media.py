"""Real media for tests, made by ffmpeg."""

from collections.abc import Sequence
from functools import cache
import subprocess

TESTSRC = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15")
SINE = ("-f", "lavfi", "-i", "sine=frequency=440")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p")


@cache
def ffmpeg(*arguments: str) -> bytes:
    """Run ffmpeg and return what it writes to its standard output."""
    command = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", *arguments, "pipe:1")
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def mpegts(*options: str, seconds: float = 4, inputs: Sequence[str] = TESTSRC, encoder: Sequence[str] = X264) -> bytes:
    """Return an MPEG-TS stream of a moving picture."""
    return ffmpeg(*inputs, "-t", str(seconds), *encoder, *options, "-f", "mpegts")


def jpegs(*options: str, frames: int = 5, size: str = "320x240") -> bytes:
    """Return JPEGs one after the other."""
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15")
    return ffmpeg(*source, "-frames:v", str(frames), *options, "-c:v", "mjpeg", "-f", "image2pipe")


def decoded_frames(stream: bytes) -> int:
    """Return how many pictures ffmpeg decodes; fails on any complaint of it."""
    command = ("ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-i", "pipe:0", "-map", "0:v", "-f", "rawvideo")
    run = subprocess.run(
        (*command, "-pix_fmt", "gray", "-s", "16x16", "pipe:1"),
        input=stream,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert run.stderr == b"", run.stderr.decode()
    return len(run.stdout) // 256
