"""A camera with a URL: RTSP, RTMP, SRT, and over HTTP multipart JPEG, stills, HLS, MPEG-TS and FLV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from itertools import dropwhile
from typing import Any, ClassVar, Literal, NoReturn, get_args
from urllib.parse import quote, unquote

from ..errors import FormatNotSupported, InvalidSource, NoVideo, StreamEnded
from ..ffmpeg import explain, mjpeg_output, mpegts_output
from ..mpegts import Parser
from ..process import Process
from .address import hidden, masked, split
from .base import Found, Medium, Sink, Source, Tools
from .http import Answer, HttpClient, Kind
from .http_pictures import capture_stills, capture_stream
from .look import TIMEOUT, look
from .network_streams import check, describe, network_input, packet_copy, pipe_input
from .workers import capture_frames, capture_packets

Delivery = Literal["packets", "frames", "stills"]
Audio = Literal["copy", "aac", "none"]
Transport = Literal["tcp", "udp"]

MIN_INTERVAL, MAX_INTERVAL = 0.1, 3600.0
"""Seconds between two requests of a still."""

MIN_LOOK = 5.0
"""Seconds that are left to see pictures in, however long it took to learn what comes."""

_PACKET_CODECS = frozenset({"h264", "hevc"})
_MPEGTS_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3"})
"""Audio that players find in MPEG-TS; what else comes, G.711 mostly, becomes AAC."""
_DELIVERIES: dict[Kind, Delivery] = {Kind.MULTIPART: "frames", Kind.JPEG: "stills"}
_CONTAINERS = {Kind.MPEGTS: "mpegts", Kind.FLV: "flv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlSource(Source):
    """What answers under a URL. User and password typed inside the URL move to their own fields."""

    kind: ClassVar[str] = "url"

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    verify_tls: bool = True
    rtsp_transport: Transport = "tcp"
    delivery: Delivery = "packets"
    """How pictures come; a probe finds out."""
    audio: Audio = "copy"
    """What becomes of the sound of a packet stream; a probe finds out what is needed."""
    still_interval: float = 1.0
    """Seconds between two requests of a still."""

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for what is no camera's URL."""
        parts = split(self.url)
        if parts.username is not None:
            userinfo, _, host = parts.netloc.rpartition("@")
            user, _, password = userinfo.partition(":")
            object.__setattr__(self, "url", parts._replace(netloc=host).geturl())
            object.__setattr__(self, "username", self.username or unquote(user))
            object.__setattr__(self, "password", self.password or unquote(password))
        for name, choices in (("rtsp_transport", Transport), ("delivery", Delivery), ("audio", Audio)):
            if getattr(self, name) not in get_args(choices):
                raise InvalidSource(name)
        if self.delivery == "stills" and not self._is_http:
            raise InvalidSource("stills come over HTTP only")
        if not MIN_INTERVAL <= self.still_interval <= MAX_INTERVAL:
            raise InvalidSource(f"an interval of {self.still_interval} s")

    @property
    def native(self) -> Medium:
        """Packets for video streams, frames for JPEG."""
        return Medium.PACKETS if self.delivery == "packets" else Medium.FRAMES

    @property
    def interval(self) -> float:
        """Seconds between stills; 0 for a stream."""
        return self.still_interval if self.delivery == "stills" else 0.0

    @property
    def address(self) -> str:
        """The URL without what could be a secret in its query."""
        return masked(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password and what the query hides, plain and percent-encoded."""
        plain = [secret for secret in (self.password, *hidden(self.url)) if secret]
        return tuple(dict.fromkeys([*plain, *(quote(secret, safe="") for secret in plain)]))

    @property
    def _is_http(self) -> bool:
        return split(self.url).scheme in ("http", "https")

    def _with_password(self, url: str) -> str:
        """Return `url` as ffmpeg wants it."""
        if not self.username and not self.password:
            return url
        parts = split(url)
        userinfo = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}"
        return parts._replace(netloc=f"{userinfo}@{parts.netloc}").geturl()

    def _client(self, tools: Tools) -> HttpClient:
        return HttpClient(
            self.url,
            username=self.username,
            password=self.password,
            verify_tls=self.verify_tls,
            resolve=tools.resolve,
        )

    # --- probe -----------------------------------------------------------------------------------------------------

    async def probe(self, tools: Tools) -> Found:
        """Open the URL, find out how it delivers pictures, and look at them."""
        clock = asyncio.get_running_loop().time
        began = clock()
        settled = await self._settle(tools)
        found = await look(settled, tools, max(MIN_LOOK, TIMEOUT - (clock() - began)))
        if found.medium is Medium.PACKETS and found.codec not in _PACKET_CODECS:
            raise FormatNotSupported(found.codec)
        rate = None if settled.delivery == "stills" else found.rate
        return replace(found, rate=rate, learned={"delivery": settled.delivery, "audio": settled.audio})

    async def _settle(self, tools: Tools) -> UrlSource:
        """Return this source with what only a look can tell."""
        if self._is_http:
            async with self._client(tools) as client, client.get() as answer:
                return replace(self, delivery=_DELIVERIES.get(await answer.kind(), "packets"))
        if split(self.url).scheme not in ("rtsp", "rtsps"):
            return replace(self, delivery="packets")
        await check(self.url, verify_tls=self.verify_tls, resolve=tools.resolve)
        streams = await describe(tools.ffmpeg, self._input(), self.secrets)
        if streams.video == "mjpeg":
            return replace(self, delivery="frames")
        if streams.video not in _PACKET_CODECS:
            raise FormatNotSupported(streams.video)
        playable = streams.audio is None or streams.audio in _MPEGTS_AUDIO
        wanted: Audio = "copy" if playable else "aac"
        return replace(self, delivery="packets", audio="none" if self.audio == "none" else wanted)

    # --- capture ---------------------------------------------------------------------------------------------------

    async def capture(self, tools: Tools, sink: Sink) -> NoReturn:
        """Capture until cancelled, as the probe found it."""
        if not self._is_http:
            await check(self.url, verify_tls=self.verify_tls, resolve=tools.resolve)
            await self._run_ffmpeg(tools, sink, self._input())
        async with self._client(tools) as client:
            if self.delivery == "stills":
                await capture_stills(client, sink, self.still_interval)
            if self.delivery == "frames":
                await capture_stream(client, sink)
            await self._capture_http_packets(client, tools, sink)

    async def _run_ffmpeg(self, tools: Tools, sink: Sink, inputs: list[str]) -> NoReturn:
        if self.delivery == "frames":
            argv = tools.ffmpeg.argv(*inputs, "-map", "0:v:0", "-c:v", "copy", *mjpeg_output())
            await capture_frames(argv, sink, self.secrets)
        output = [*packet_copy(self.url, self.audio), *mpegts_output(sink.timestamp_offset)]
        await capture_packets(tools.ffmpeg.argv(*inputs, *output), sink, self.secrets)

    def _input(self) -> list[str]:
        return network_input(self._with_password(self.url), self.rtsp_transport)

    async def _capture_http_packets(self, client: HttpClient, tools: Tools, sink: Sink) -> NoReturn:
        async with client.get() as answer:
            kind = await answer.kind()
            if kind in _CONTAINERS:
                await self._remux(answer, _CONTAINERS[kind], tools, sink)
        if kind is not Kind.HLS:
            raise FormatNotSupported(f"{kind.value} where a video stream was expected")
        # ffmpeg reads playlists and segments itself, from where the redirects ended
        url = self._with_password(answer.url) if answer.own else answer.url
        await self._run_ffmpeg(tools, sink, network_input(url, self.rtsp_transport))

    async def _remux(self, answer: Answer, container: str, tools: Tools, sink: Sink) -> NoReturn:
        output = [*packet_copy(self.url, self.audio), *mpegts_output(sink.timestamp_offset)]
        argv = tools.ffmpeg.argv(*pipe_input(container), *output)
        pass_on = _from_key_frame() if container == "mpegts" else bytes
        async with Process(argv, on_output=sink.packets, explain=explain, secrets=self.secrets, stdin=True) as child:
            while data := await answer.read():
                await child.write(pass_on(data))
            raise StreamEnded(answer.host)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}


def _from_key_frame() -> Callable[[bytes], bytes]:
    """Return a filter that holds an MPEG-TS stream back until a key frame, where ffmpeg finds all that it looks for."""
    parser, begun = Parser(), False

    def pass_on(data: bytes) -> bytes:
        nonlocal begun
        chunks = parser.feed(data)
        if parser.has_tables and parser.video_codec is None:
            raise NoVideo(parser.audio_codec or "")
        if not begun:
            chunks = list(dropwhile(lambda chunk: not chunk.key, chunks))
            begun = bool(chunks)
        return b"".join(chunk.data for chunk in chunks)

    return pass_on
