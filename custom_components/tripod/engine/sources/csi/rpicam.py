"""rpicam-vid, where Picamera2 is not there: H.264 and nothing else, with settings fixed at the start.

It takes `--inline` (parameter sets at each key frame) for the encoder of Pi 0 to 4; on a Pi 5 `h264` means libav, which
repeats them anyway, and cannot tell the format of `-o -` by itself. It catches SIGINT, not SIGTERM.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import re
import signal
import time
from typing import TYPE_CHECKING, NoReturn

from ... import errors
from ...errors import TripodError, WorkerFailed
from ...ffmpeg import NOT_STARTED
from ...h264 import AccessUnits
from ...mpegts_writer import MpegTsWriter
from ...process import Process
from ..base import Sink, Tools
from .boards import Board, board
from .camera import CsiCamera, Program

if TYPE_CHECKING:
    from .source import Csi

LIST_TIMEOUT = 15.0
"""Seconds for the list of cameras."""

_CAMERA = re.compile(r"^(\d+) : (\S+) \[(\d+)x(\d+)[^\]]*\] \((.+)\)$")
_MODE = re.compile(r"\b(\d+)x(\d+) \[[\d.]+ fps")

_MEANINGS: dict[type[TripodError], str] = {
    errors.NoPicamera2: r"cannot run \S*rpicam-vid",
    errors.DeviceBusy: r"failed to acquire camera|in use by another|resource busy",
    errors.DeviceMissing: r"no cameras available|selected camera is not available|no such device",
    errors.NoPermission: r"permission denied",
    errors.EncoderFailed: r"failed to start (output|capture) streaming|failed to open .*codec|/dev/video11"
    r"|unable to (find|open) .*codec|libav: ",
    errors.FormatNotSupported: r"unrecognised option|failed to (generate|valid)|configuration",
    errors.Stalled: r"frontend has timed out|dequeue timer",
}
_PATTERNS = [(error, re.compile(pattern, re.IGNORECASE)) for error, pattern in _MEANINGS.items()]


async def list_cameras(tools: Tools) -> list[CsiCamera]:
    """Return the cameras that rpicam-vid knows; raises `NoPicamera2` without it, `DeviceMissing` without one."""
    output = bytearray()
    child = Process([tools.rpicam_vid, "--list-cameras"], on_output=output.extend, explain=explain)
    async with child:
        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                await child.wait()
        except TimeoutError:
            raise WorkerFailed(f"rpicam-vid did not answer in {LIST_TIMEOUT:g} s") from None
        except TripodError:
            if child.returncode != 0:
                raise
    # some versions write the list to stderr
    cameras = parse_list("\n".join([output.decode(errors="replace"), *child.last_words]))
    if not cameras:
        raise errors.DeviceMissing("no camera is connected")
    return cameras


def parse_list(text: str) -> list[CsiCamera]:
    """Return the cameras in the text of `--list-cameras`, in its order, whose numbers `--camera` takes."""
    found: list[CsiCamera] = []
    sizes: list[tuple[int, int]] = []
    for line in [*text.splitlines(), ""]:
        if match := _CAMERA.match(line.strip()):
            sizes = [(int(match[3]), int(match[4]))]
            found.append(CsiCamera(id=match[5], model=match[2], sizes=tuple(sizes), program=Program.RPICAM_VID))
        elif found and (modes := _MODE.findall(line)):
            sizes += [(int(width), int(height)) for width, height in modes]
            found[-1] = found[-1].with_sizes(sizes)
    return found


async def capture(source: Csi, tools: Tools, sink: Sink) -> NoReturn:
    """Run rpicam-vid and pass on its H.264, stamped as it comes."""
    number = await _number(source.camera, tools)
    began = time.monotonic()
    units, writer = AccessUnits(), MpegTsWriter()

    def deliver(data: bytes) -> None:
        for unit, key in units.feed(data):
            sink.packets(writer.write(unit, sink.timestamp_offset + time.monotonic() - began, key=key))

    argv = command(source, tools, number, await board())
    async with Process(argv, on_output=deliver, explain=explain, stop_signal=signal.SIGINT) as child:
        await child.wait()


async def _number(camera: str, tools: Tools) -> int:
    known = [known.id for known in await list_cameras(tools)]
    if camera not in known:
        raise errors.DeviceMissing(f"{camera} (there: {', '.join(known)})")
    return known.index(camera)


def command(source: Csi, tools: Tools, number: int, board: Board) -> list[str]:
    """Return the command line that streams H.264 to stdout."""
    options: dict[str, str | int] = {
        "--camera": number,
        "--timeout": 0,
        "--width": source.width,
        "--height": source.height,
        "--framerate": f"{source.rate:g}",
        "--codec": "h264",
        "--bitrate": source.bit_rate,
        "--intra": max(1, round(source.rate)),
        "--output": "-",
    }
    if board is Board.PI_5:
        options["--libav-format"] = "h264"
    flags = {"--hflip": source.hflip, "--vflip": source.vflip, "--low-latency": board is Board.PI_5}
    return [
        tools.rpicam_vid,
        *("--nopreview", "--inline", "--flush"),
        *(str(word) for option in options.items() for word in option),
        *(flag for flag, wanted in flags.items() if wanted),
    ]


def explain(lines: Sequence[str], returncode: int) -> TripodError:
    """Return the one error that a dead rpicam-vid's last words and exit status mean."""
    for error, pattern in _PATTERNS:
        for line in lines:
            if pattern.search(line):
                return error(line)
    detail = lines[-1] if lines else ""
    if returncode == NOT_STARTED:
        return errors.NoPicamera2(detail)
    if returncode == 0:
        return errors.StreamEnded(detail)
    return WorkerFailed(detail or f"rpicam-vid ended with status {returncode}")
