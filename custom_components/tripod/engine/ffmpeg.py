"""The ffmpeg program: how it is called, and what its last words mean.

Works with ffmpeg 5.1 to 9. Options are named after ffmpeg's own; https://ffmpeg.org/ffmpeg-all.html describes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
import errno
import re

from . import errors
from .errors import TripodError
from .process import Process

ONE_SHOT_TIMEOUT = 10.0
"""Seconds for a conversion of one picture, which takes a tenth of a second on a PC and half a one on a Pi."""

NOT_STARTED = 127
"""Exit status of `guard` when the program could not be run."""

STOPPED_BY_SIGNAL = 255
"""ffmpeg's exit status after SIGTERM or SIGINT."""


class Ffmpeg:
    """One ffmpeg program on this machine."""

    def __init__(self, binary: str = "ffmpeg") -> None:
        """Use the program `binary`, a path or a name on PATH."""
        self.binary = binary
        self._version: str | None = None
        self._filters: frozenset[str] | None = None
        self._hides: bool | None = None

    def argv(self, *arguments: str) -> list[str]:
        """Return a command line: quiet but for errors, never reading the terminal."""
        return [self.binary, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", *arguments]

    async def version(self) -> str:
        """Return the version, such as `5.1.9-0+deb12u1`; raises `FfmpegMissing`."""
        if self._version is None:
            output = await self.run([self.binary, "-hide_banner", "-version"])
            match = re.search(rb"version (\S+)", output)
            if not match:
                raise errors.FfmpegMissing(self.binary)
            self._version = match[1].decode(errors="replace")
        return self._version

    async def filters(self) -> frozenset[str]:
        """Return the names of the filters that it was built with; raises `FfmpegMissing`."""
        if self._filters is None:
            output = await self.run([self.binary, "-hide_banner", "-filters"])
            self._filters = frozenset(
                name.decode() for name in re.findall(rb"^ ?[A-Z.|]{2,3} (\w+) ", output, re.MULTILINE)
            )
        return self._filters

    async def hides(self) -> bool:
        """Return whether it takes options for an output from a file (`-fpre`), where no command line shows them.

        Tried once: newer versions read the file, and forget what is in it. Raises `FfmpegMissing`.
        """
        if self._hides is None:
            silence = ("-f", "s16le", "-ar", "8000", "-i", "pipe:0")
            argv = self.argv(*silence, "-fpre", Process.SIDE_INPUT, "-f", "s16le", "pipe:1")
            try:
                await self._run(argv, bytes(160), ONE_SHOT_TIMEOUT, b"protocol_whitelist=none\n")
                self._hides = False
            except errors.FormatNotSupported:  # for it may not open the pipe
                self._hides = True
            except errors.FfmpegMissing:
                raise
            except TripodError:
                self._hides = False
        return self._hides

    async def run(self, argv: Sequence[str], data: bytes | None = None, timeout: float = ONE_SHOT_TIMEOUT) -> bytes:
        """Run a short job: `data` into its stdin, return its stdout; raises what explains its failure.

        One that takes more than `timeout` seconds raises `WorkerFailed`.
        """
        return await self._run(argv, data, timeout)

    async def _run(self, argv: Sequence[str], data: bytes | None, timeout: float, side_input: bytes = b"") -> bytes:
        output = bytearray()
        stdin = data is not None
        async with Process(argv, on_output=output.extend, explain=explain, stdin=stdin, side_input=side_input) as child:
            try:
                async with asyncio.timeout(timeout):
                    if data is not None:
                        await child.write(data)
                        child.close_stdin()
                    await child.wait()
            except TimeoutError:
                raise errors.WorkerFailed(f"not done after {timeout:g} s") from None
            except TripodError:
                if child.returncode != 0:
                    raise
        return bytes(output)


def mpegts_output(timestamp_offset: float) -> list[str]:
    """Return the output options of every packet worker: MPEG-TS to stdout, each frame as soon as it is there."""
    return [
        "-output_ts_offset",
        f"{timestamp_offset:.6f}",  # ffmpeg rejects 3.6e-06
        "-muxdelay",
        "0",
        "-muxpreload",
        "0",
        "-flush_packets",
        "1",
        # The demuxer of whoever reads knows where a frame ends without waiting for the next one.
        "-omit_video_pes_length",
        "0",
        "-f",
        "mpegts",
        "pipe:1",
    ]


def mjpeg_output() -> list[str]:
    """Return the output options of every frame worker: JPEG after JPEG to stdout."""
    return ["-flush_packets", "1", "-f", "mjpeg", "pipe:1"]


def jpeg_quality(percent: int) -> str:
    """Return ffmpeg's `-q:v` (2 best, 31 worst) for a quality in percent."""
    return str(round(31 - 29 * (max(1, min(100, percent)) / 100)))


def filter_value(text: str) -> str:
    """Return `text` as the value of a filter's option, which no character of it can end.

    Escaped twice, for the option and for the graph around it: https://ffmpeg.org/ffmpeg-filters.html, 4.1.
    """
    for special in (r"([\\':])", r"([\\'\[\],;])"):
        text = re.sub(special, r"\\\1", text)
    return text


def mjpeg(quality: int) -> list[str]:
    """Return encoder options: JPEGs of a quality in percent, each as soon as its picture is there."""
    # threads by frame, the default, hold back a frame each
    return ["-c:v", "mjpeg", "-thread_type:v", "slice", "-pix_fmt", "yuvj420p", "-q:v", jpeg_quality(quality)]


_MEANINGS: dict[type[TripodError], str] = {
    errors.FfmpegMissing: r"cannot run \S*ffmpeg",
    errors.Unauthorized: r"40[13] (unauthorized|forbidden)|authorization failed|authentication fail"
    r"|incorrect passphrase|password required",
    errors.NotFound: r"404 not found|stream not found",
    errors.SourceFailed: r"method \w+ failed: [45]\d\d|server returned [45]xx"
    r"|rtmp handshake|response validating failed|^server error:",
    errors.HostNotFound: r"failed to resolve|name or service not known|no address associated|in name resolution",
    errors.Refused: r"connection refused",
    errors.Unreachable: r"timed out|no route to host|network is unreachable|host is unreachable"
    r"|srt://\S+ failed",  # libsrt gives no reason
    errors.TlsFailed: r"certificate|handshake|gnutls|\btls\b|\bssl\b",
    errors.DeviceBusy: r"device or resource busy",
    errors.NoPermission: r"permission denied|operation not permitted",
    errors.DeviceMissing: r"no such device|cannot open (video|audio) device.*no such file",
    errors.DiskFull: r"no space left|disk quota exceeded",
    errors.EncoderFailed: r"(initializing|opening) (the )?encoder|unknown encoder|encoder .*not found"
    r"|could not open encoder|submitting .*frame to the encoder|video encoding failed",
    errors.NoVideo: r"matches no streams|does not contain any stream|could not find .*video stream",
    errors.FormatNotSupported: r"proper format for codec|(no such|unknown) input format|inappropriate ioctl"
    r"|not a video capture device|protocol .* not (on|in) .*whitelist|invalid data found|could not find codec"
    r"|not currently supported|unsupported codec|could not write header|invalid argument",
    errors.StreamEnded: r"end of file|input/output error|connection reset|broken pipe",
}
"""What ffmpeg's words mean, the most telling first: one failure prints several lines."""

_PATTERNS = [(error, re.compile(pattern, re.IGNORECASE)) for error, pattern in _MEANINGS.items()]

_ERRNO: dict[int, type[TripodError]] = {
    errno.ENOENT: errors.DeviceMissing,
    errno.ENODEV: errors.DeviceMissing,
    errno.ENXIO: errors.DeviceMissing,
    errno.EBUSY: errors.DeviceBusy,
    errno.EACCES: errors.NoPermission,
    errno.EPERM: errors.NoPermission,
    errno.ENOSPC: errors.DiskFull,
    errno.ECONNREFUSED: errors.Refused,
    errno.ETIMEDOUT: errors.Unreachable,
    errno.EHOSTUNREACH: errors.Unreachable,
    errno.ENETUNREACH: errors.Unreachable,
    errno.EINVAL: errors.FormatNotSupported,
}
"""What ffmpeg 8 and newer say by exit status, which is 256 minus the errno."""

_PREFIX = re.compile(r"^(\[[^\]]*\]\s*)+")
_USERINFO = re.compile(r"://[^/@\s]+@")


def explain(lines: Sequence[str], returncode: int) -> TripodError:
    """Return the one error that a dead ffmpeg's last words and exit status mean."""
    words = [_USERINFO.sub("://***@", _PREFIX.sub("", line)) for line in lines]
    for error, pattern in _PATTERNS:
        for line in words:
            if pattern.search(line):
                return error(line)
    detail = words[-1] if words else ""
    if returncode == NOT_STARTED:
        return errors.FfmpegMissing(detail)
    if returncode < 0:
        return errors.WorkerFailed(f"ended by signal {-returncode}")
    if returncode in (0, STOPPED_BY_SIGNAL):
        return errors.StreamEnded(detail)
    if error_by_status := _ERRNO.get(256 - returncode):
        return error_by_status(detail)
    return errors.WorkerFailed(detail or f"exit status {returncode}")
