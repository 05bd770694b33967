"""Devices for captures: real ffmpeg processes that draw a picture where a camera would be opened.

What ffmpeg says of a camera that fails is as recorded from real drivers. See tests/hardware for those.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.sources.v4l2 import V4l2

UNPLUGGED = "[video4linux2,v4l2 @ 0x55d7f5a4a900] ioctl(VIDIOC_DQBUF): No such device"
BUSY = "[video4linux2,v4l2 @ 0x55d7f5a4a900] ioctl(VIDIOC_STREAMON): Device or resource busy"
REFUSED = "[video4linux2,v4l2 @ 0x55d7f5a4a900] Cannot open video device /dev/video1: Permission denied"

ENCODERS = {"mjpeg": ["mjpeg"], "h264": ["libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"]}


class Wish(NamedTuple):
    """What ffmpeg was told about the device, and what to do with its pictures."""

    input_format: str
    size: str
    rate: str
    device: str
    output: list[str]


Device = Callable[[Wish], list[str]]


class Drawn(Ffmpeg):
    """ffmpeg that knows some devices, by path."""

    def __init__(self, devices: dict[str, Device]) -> None:
        super().__init__()
        self.devices = devices
        self.wishes: list[Wish] = []

    def argv(self, *arguments: str) -> list[str]:
        if arguments[:2] != ("-f", "v4l2"):
            return super().argv(*arguments)
        said = dict(pairwise(arguments))
        output = list(arguments[arguments.index("-i") + 2 :])
        wish = Wish(said["-input_format"], said["-video_size"], said["-framerate"], said["-i"], output)
        self.wishes.append(wish)
        device = self.devices.get(wish.device)
        return device(wish) if device else super().argv(*arguments)


class AnyDevice(V4l2):
    """A source that may have any path, such as a terminal's."""

    def __post_init__(self) -> None:
        pass


def picture(wish: Wish, *options: str) -> list[str]:
    """Draw what was asked for, at its pace, until stopped."""
    output = list(wish.output)
    if "copy" in output:
        at = output.index("copy")
        output[at : at + 1] = ENCODERS[wish.input_format]
    drawing = ["-re", "-f", "lavfi", *options, "-i", f"testsrc2=size={wish.size}:rate={wish.rate}"]
    return [*Ffmpeg().argv(*drawing), "-pix_fmt", "yuvj420p" if wish.input_format == "mjpeg" else "yuv420p", *output]


def held(wish: Wish) -> list[str]:
    """Draw, and have the device open meanwhile."""
    return ["sh", "-c", 'exec 3<"$0"; exec "$@"', wish.device, *picture(wish)]


def unplugged(wish: Wish) -> list[str]:
    """Draw for a second; then end with status 0, as ffmpeg does."""
    return ["sh", "-c", f'"$@"; echo "{UNPLUGGED}" >&2; exit 0', "sh", *picture(wish, "-t", "1")]


def silent(_wish: Wish) -> list[str]:
    """Show nothing."""
    return ["sleep", "60"]


def failing(message: str, status: int) -> Device:
    """Fail to be opened."""
    return lambda _wish: ["sh", "-c", f'echo "$0" >&2; exit {status}', message]


def bytes_of(file: Path, message: str = UNPLUGGED) -> Device:
    """Send these bytes, whatever is asked for, and end."""
    return lambda _wish: ["sh", "-c", 'cat "$0"; echo "$1" >&2', str(file), message]
