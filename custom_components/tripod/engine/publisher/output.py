"""How ffmpeg is told to push a camera's packets to a server: always a copy of the video.

What is secret stays out of the command line, which every user of the machine may read, where ffmpeg has an option for
it and takes that from a file (`Ffmpeg.hides`). A user name and password for RTSP or RTMP it takes in the address only.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ..errors import CannotPublish
from ..ffmpeg import Ffmpeg
from ..process import Process
from ..sources.network_streams import pipe_input, protocols
from .publication import Publication, Sound

REPORTS = 0.5
"""Seconds between two reports of ffmpeg's progress."""

APART = 1_000_000
"""Microseconds that video may wait for sound that does not come; ffmpeg would hold it back for ten seconds."""

AAC = ("-c:a", "aac", "-b:a", "64k", "-ac", "2", "-ar", "44100")
"""What every site takes."""

SILENCE = ("-f", "lavfi", "-i", "anullsrc=channel_layout=stereo:sample_rate=44100")


@dataclass(frozen=True, slots=True)
class _Protocol:
    container: tuple[str, ...]
    video: frozenset[str]
    audio: frozenset[str]
    """What is copied; everything else becomes AAC."""


_RTSP = _Protocol(
    ("-f", "rtsp", "-rtsp_transport", "tcp"),
    frozenset({"h264", "hevc"}),
    # MPEG-TS does not hold AAC's configuration apart, and RTSP must announce it before the first packet
    frozenset({"mp3", "ac3"}),
)
_RTMP = _Protocol(("-f", "flv", "-flvflags", "no_duration_filesize"), frozenset({"h264"}), frozenset({"aac"}))
_SRT = _Protocol(
    ("-f", "mpegts", "-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1"),
    frozenset({"h264", "hevc"}),
    frozenset({"aac", "mp3", "ac3", "eac3"}),
)
_PROTOCOLS = {"rtsp": _RTSP, "rtsps": _RTSP, "rtmp": _RTMP, "rtmps": _RTMP, "srt": _SRT}

_NAMES = {"hevc": "H.265", "h264": "H.264"}


@dataclass(frozen=True, slots=True)
class Command:
    """A worker: its command line, and the options that it reads from a pipe."""

    argv: list[str]
    hidden: bytes


def command(ffmpeg: Ffmpeg, publication: Publication, video: str | None, audio: str | None, *, hide: bool) -> Command:
    """Return the worker that pushes what comes to its stdin, of the codecs `video` and `audio` by ffmpeg's names.

    With `hide`, secrets are not in its command line. Raises `CannotPublish` where the protocol does not carry the
    video.
    """
    protocol = _PROTOCOLS[publication.scheme]
    if video not in protocol.video:
        name = publication.scheme.upper()
        raise CannotPublish(f"the camera sends {_NAMES.get(video or '', video)}, and {name} does not take that")
    inputs, sound = _sound(publication, protocol, audio)
    secret = _secret_options(publication)
    shown = [part for name, value in secret.items() for part in (f"-{name}", value)]
    argv = ffmpeg.argv(
        *pipe_input("mpegts"),
        *inputs,
        *("-progress", "pipe:1", "-stats_period", str(REPORTS)),
        *("-map", "0:v:0", "-c:v", "copy", *sound),
        *("-max_interleave_delta", str(APART)),
        *(("-fpre", Process.SIDE_INPUT) if hide and secret else shown),
        *protocol.container,
        *("-protocol_whitelist", protocols(publication.scheme)),
        _target(publication),
    )
    hidden = "".join(f"{name}={value}\n" for name, value in secret.items()) if hide else ""
    return Command(argv, hidden.encode())


def _sound(publication: Publication, protocol: _Protocol, audio: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the options for one more input, and those for what is heard."""
    if publication.sound is Sound.SILENCE:
        # the silence has no end, and must not outlive the video
        return SILENCE, ("-map", "1:a:0", *AAC, "-shortest")
    if publication.sound is Sound.NONE or audio is None:
        return (), ("-an",)
    return (), ("-map", "0:a:0?", *(("-c:a", "copy") if audio in protocol.audio else AAC))


def _secret_options(publication: Publication) -> dict[str, str]:
    """Return the options that hold secrets."""
    options: dict[str, str] = {}
    if publication.scheme in ("rtmp", "rtmps"):
        options = {"rtmp_app": urlsplit(publication.url).path.lstrip("/"), "rtmp_playpath": publication.key}
    elif publication.scheme == "srt":
        options = {"srt_streamid": publication.key, "passphrase": publication.password}
    return {name: value for name, value in options.items() if value}


def _target(publication: Publication) -> str:
    """Return the address as ffmpeg wants it."""
    parts = urlsplit(publication.url)
    if publication.scheme == "srt" or not (publication.username or publication.password):
        return parts.geturl()
    userinfo = f"{quote(publication.username, safe='')}:{quote(publication.password, safe='')}"
    return parts._replace(netloc=f"{userinfo}@{parts.netloc}").geturl()
