"""Network streams through ffmpeg: how each protocol is opened, and what is in it.

ffmpeg may speak the one protocol it is given and what that rides on, nothing else: no playlist or redirect can make it
read a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
import re
import ssl
from urllib.parse import urlsplit

from ..errors import FormatNotSupported, NoVideo, SourceFailed, TripodError, Unreachable
from ..ffmpeg import Ffmpeg, explain
from ..process import Process
from .address import Resolve, find
from .http import FIRST_BYTE_TIMEOUT, connection_error, tls_context, tls_error

SOCKET_TIMEOUT = 10.0
"""Seconds that ffmpeg waits for a connection or for the next bytes; the stall limit is usually shorter."""

_DESCRIBE_TIMEOUT = 10.0
"""Seconds for a look at what a stream carries; ffmpeg takes up to five to be sure of its codecs."""

_WHITELISTS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsp,rtsps,rtp,srtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tcp,tls",
    "srt": "srt",
    "http": "http,https,tcp,tls,crypto",
    "https": "http,https,tcp,tls,crypto",
}
# Frame rates need no guessing: it would hold the first picture back by 20 frames and more.
_START = ("-fpsprobesize", "0", "-fflags", "+genpts")
# Where codecs are announced at the beginning, a second shows which streams there are; ffmpeg would take five.
_SHORT_LOOK = ("-analyzeduration", "1000000")
_TLS_PORTS = {"rtsps": 322, "rtmps": 443}
_STREAM = re.compile(r"Stream #0:\d+\S*: (Video|Audio): (\w+)")


@dataclass(frozen=True, slots=True)
class Streams:
    """What a source carries, by ffmpeg's names."""

    video: str
    audio: str | None


def protocols(scheme: str) -> str:
    """Return the protocols that ffmpeg may speak for an address of this scheme, as its whitelist."""
    return _WHITELISTS[scheme]


def network_input(url: str, rtsp_transport: str) -> list[str]:
    """Return the input options for `url`, whose user and password are in it."""
    scheme = urlsplit(url).scheme
    options = ["-protocol_whitelist", protocols(scheme)]
    timeout = str(round(SOCKET_TIMEOUT * 1_000_000))
    if scheme in ("rtsp", "rtsps"):
        # TLS has no UDP; the media types leave out ONVIF's metadata, which nobody here reads
        transport = rtsp_transport if scheme == "rtsp" else "tcp"
        options += ["-rtsp_transport", transport, "-allowed_media_types", "video+audio", "-timeout", timeout]
    elif scheme in ("http", "https"):
        options += ["-f", "hls", "-live_start_index", "-1", "-rw_timeout", timeout]
    elif scheme == "srt":
        options += ["-f", "mpegts", "-timeout", timeout]
    else:
        options += ["-f", "flv", *_SHORT_LOOK, "-rw_timeout", timeout]
    return [*options, *_START, "-i", url]


def pipe_input(container: str) -> list[str]:
    """Return the input options for a stream that is written to ffmpeg's stdin, from a key frame on."""
    return ["-protocol_whitelist", "pipe", "-f", container, *_SHORT_LOOK, *_START, "-i", "pipe:0"]


def packet_copy(url: str, audio: str) -> list[str]:
    """Return the output options: video as it is, and audio as told (`copy`, `none`, or an encoder)."""
    options = ["-map", "0:v:0", "-c:v", "copy"]
    if audio != "none":
        options += ["-map", "0:a:0?", "-c:a", audio]
    if urlsplit(url).scheme in ("rtsp", "rtsps"):
        # many cameras send parameter sets in the SDP only
        options += ["-bsf:v", "dump_extra=freq=keyframe"]
    return options


async def check(url: str, *, verify_tls: bool, resolve: Resolve) -> None:
    """Check where `url` leads, and its certificate, before ffmpeg opens it.

    ffmpeg 5 to 7 cannot verify an RTSP server's certificate, so it is done here, right before.
    """
    parts = urlsplit(url)
    place = await find(parts.hostname or "", resolve=resolve)
    if parts.scheme not in _TLS_PORTS:
        return
    context = await asyncio.to_thread(tls_context, verify=verify_tls)
    try:
        async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
            _, writer = await asyncio.open_connection(
                place.addresses[0], parts.port or _TLS_PORTS[parts.scheme], ssl=context, server_hostname=place.host
            )
    except TimeoutError as error:
        raise Unreachable(place.host) from error
    except ssl.SSLError as error:
        raise tls_error(error, place.host) from error
    except OSError as error:
        raise connection_error(error, place.host) from error
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


async def describe(ffmpeg: Ffmpeg, inputs: Sequence[str], secrets: Sequence[str]) -> Streams:
    """Let ffmpeg say what a source carries. Raises `NoVideo`, and what explains why it cannot be opened."""
    argv = ffmpeg.argv("-loglevel", "info", *inputs)  # without an output ffmpeg only looks
    async with Process(argv, on_output=_ignore, explain=explain, secrets=secrets) as child:
        try:
            async with asyncio.timeout(_DESCRIBE_TIMEOUT):
                await child.wait()
        except TimeoutError as error:
            raise Unreachable("nothing came to tell what the stream carries") from error
        except TripodError as error:
            found = _streams(child.last_words)
            if not found and isinstance(error, FormatNotSupported):
                raise SourceFailed(
                    "what answers on this port does not speak this protocol, or only inside TLS"
                ) from error
            if not found:
                raise
            if "Video" not in found:
                raise NoVideo(found["Audio"]) from None
    return Streams(found["Video"], found.get("Audio"))


def _streams(lines: Iterable[str]) -> dict[str, str]:
    """Return the codec of the first stream of each type."""
    found: dict[str, str] = {}
    for line in lines:
        if match := _STREAM.search(line):
            found.setdefault(match[1], match[2])
    return found


def _ignore(data: bytes) -> None:
    """Nothing is written without an output."""
