"""Where a camera's video is pushed to, as the user configured it.

A server's address often is the credential: RTMP's ends in a stream key, SRT's holds a passphrase and a stream id. They
move to fields of their own, so that what is left of the address may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode

from ..errors import CannotPublish, InvalidSource
from ..sources.address import hidden, masked, split

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt")

MAX_SECRET = 512
"""Characters of a stream key or stream id: SRT takes no more, and ffmpeg reads it from a line of 1000 bytes."""

PASSPHRASE = range(10, 80)
"""Characters that SRT takes for a passphrase."""

SRT_OPTIONS = frozenset({"latency", "maxbw", "pbkeylen"})
"""What may be said about an SRT connection, in ffmpeg's words and units: the latency is in microseconds."""


class Sound(StrEnum):
    """What is to be heard."""

    CAMERA = "camera"
    """What the camera has, if anything."""
    SILENCE = "silence"
    """A silent track instead: some sites refuse video without one."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A server that takes the video of a camera, by RTSP, RTMP or SRT.

    What of `url` is a secret moves to the other fields: a user and password, RTMP's stream key (what follows the
    application) and SRT's stream id to `key`, SRT's passphrase to `password`.
    """

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    sound: Sound = Sound.CAMERA
    verify_tls: bool = True

    def __post_init__(self) -> None:
        """Raise `CannotPublish` for what is no address of a server."""
        self._check_types()
        try:
            parts = split(self.url)
        except InvalidSource as error:
            raise CannotPublish(error.placeholders["detail"]) from error
        if parts.scheme not in SCHEMES:
            raise CannotPublish(f"the address must begin with one of {', '.join(f'{name}://' for name in SCHEMES)}")
        parts = self._without_user(parts)
        parts = {"rtmp": self._rtmp, "rtmps": self._rtmp, "srt": self._srt}.get(parts.scheme, self._rtsp)(parts)
        self._set(url=parts.geturl(), sound=Sound(self.sound))
        for secret in (self.username, self.password, self.key):
            if len(secret) > MAX_SECRET or not secret.isprintable():
                raise CannotPublish("the password or stream key is too long, or holds control characters")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Publication:
        """Return the publication that `as_dict` wrote; raises `CannotPublish`."""
        if unknown := data.keys() - {known.name for known in fields(cls)}:
            raise CannotPublish(f"there is no {min(unknown)[:40]}")
        if "url" not in data:
            raise CannotPublish("the address is missing")
        return cls(**data)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration, secrets and all, as JSON-able data."""
        return {**asdict(self), "sound": self.sound.value}

    @property
    def scheme(self) -> str:
        """The protocol: `rtsp`, `rtsps`, `rtmp`, `rtmps` or `srt`."""
        return split(self.url).scheme

    @property
    def host(self) -> str:
        """The server's name or address."""
        return split(self.url).hostname or ""

    @property
    def address(self) -> str:
        """The address for people, without what is or could be a secret."""
        return masked(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must be masked wherever a worker might echo them, plain and percent-encoded."""
        plain = [secret for secret in (self.password, self.key, *hidden(self.url)) if secret]
        return tuple(dict.fromkeys([*plain, *(quote(secret, safe="") for secret in plain)]))

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _check_types(self) -> None:
        for name in ("url", "username", "password", "key", "sound"):
            if not isinstance(getattr(self, name), str):
                raise CannotPublish(f"{name} must be text")
        if not isinstance(self.verify_tls, bool):
            raise CannotPublish("verify_tls must be true or false")
        if self.sound not in set(Sound):
            raise CannotPublish(f"sound must be one of {', '.join(Sound)}")

    def _without_user(self, parts: SplitResult) -> SplitResult:
        if parts.username is None:
            return parts
        userinfo, _, host = parts.netloc.rpartition("@")
        user, _, password = userinfo.partition(":")
        self._set(username=self.username or unquote(user), password=self.password or unquote(password))
        return parts._replace(netloc=host)

    def _rtsp(self, parts: SplitResult) -> SplitResult:
        if self.key:
            raise CannotPublish("RTSP has no stream key: it belongs into the path of the address")
        if parts.fragment:
            raise CannotPublish("an address of RTSP has no part after a #")
        return parts

    def _rtmp(self, parts: SplitResult) -> SplitResult:
        """Part the application from the stream key, which is the last piece of the path with all that follows."""
        path = parts.path.strip("/") if self.key else parts.path.lstrip("/")
        follows = "".join((parts.query and f"?{parts.query}", parts.fragment and f"#{parts.fragment}"))
        if self.key and follows:
            raise CannotPublish("what follows the ? or # of the address belongs to the stream key")
        application, _, last = (path, "", "") if self.key else path.rpartition("/")
        if not application or not (self.key or last):
            raise CannotPublish("an address of RTMP has an application and a stream key: rtmp://host/application/key")
        self._set(key=self.key or unquote(last) + follows)
        return parts._replace(path=f"/{application}", query="", fragment="")

    def _srt(self, parts: SplitResult) -> SplitResult:
        if self.username:
            raise CannotPublish("SRT has no user name: what the server wants to know belongs into the stream id")
        if parts.port is None:
            raise CannotPublish("an address of SRT has a port: srt://host:port")
        # a stream id as SRT's access control writes it begins with #!:: and is often not encoded
        query = parts.query + (parts.fragment and f"%23{parts.fragment}")
        options = dict(parse_qsl(query, keep_blank_values=True))
        if options.pop("mode", "caller") != "caller":
            raise CannotPublish("Tripod calls the server: mode=caller is the only one")
        self._set(key=options.pop("streamid", "") or self.key, password=options.pop("passphrase", "") or self.password)
        if unknown := options.keys() - SRT_OPTIONS:
            raise CannotPublish(f"{min(unknown)[:40]} is no option for SRT, which has {', '.join(sorted(SRT_OPTIONS))}")
        if not all(value.isascii() and value.isdigit() for value in options.values()):
            raise CannotPublish("the options for SRT are numbers")
        if self.password and len(self.password) not in PASSPHRASE:
            raise CannotPublish(f"a passphrase of SRT has {PASSPHRASE.start} to {PASSPHRASE.stop - 1} characters")
        return parts._replace(path="", query=urlencode(options), fragment="")
