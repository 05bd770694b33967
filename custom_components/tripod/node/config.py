"""What a node is told: everything that its file, its flags and its environment may say, checked and frozen.

Raises `InvalidConfiguration`, whose `where` names the table; whoever read the file puts its name before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
import logging
from pathlib import Path
import re
from typing import TypeVar
from urllib.parse import urlsplit

from ..engine.archive import DEFAULT_FLOOR, Retention
from ..engine.errors import InvalidConfiguration
from ..engine.mqtt import check_prefix
from ..engine.options import Options
from ..engine.publisher import Publication
from ..engine.sources import Source
from ..engine.timelapse import Job

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8089
MQTT_PORT, MQTTS_PORT = 1883, 8883
LOG_FORMATS = ("text", "json")
LOG_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""Python's levels, by our names."""

LONGEST_NAME = 100
"""Characters of a name or a title, which stand in lists and in zeroconf's labels."""

_T = TypeVar("_T", bound=Hashable)

_ID = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_ORIGIN = re.compile(r"\*|https?://[^/\s]+")
_EXCLUSIVE = frozenset({"csi", "v4l2"})
"""Kinds of source that can be opened once only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """The Home Assistant to which the node tells that it is there, where multicast does not reach."""

    url: str
    """Where Home Assistant answers, such as `http://homeassistant.local:8123`."""
    token: str = field(repr=False)
    """A long-lived access token of it."""
    verify_tls: bool = True

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for what is no URL, or for an empty token."""
        where = "[announce]"
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        except ValueError:
            usable = False
        _require(usable, where, "url is not the address of a Home Assistant, such as http://homeassistant.local:8123")
        _require(bool(self.token) and self.token.isprintable(), where, "token is empty or has control characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The MQTT broker from which the node takes commands."""

    host: str
    port: int = 0
    """0 for the usual one, with or without TLS."""
    tls: bool = False
    ca: Path | None = None
    """The authority that signed the broker's certificate; None for those that the system trusts."""
    certificate: Path | None = None
    """The node's own certificate with its chain, where the broker asks for one."""
    key: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    prefix: str = "tripod"
    """What all topics begin with."""

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for what cannot be."""
        where = "[mqtt]"
        _require(bool(self.host) and self.host.isprintable() and " " not in self.host, where, "host is empty")
        _require(0 <= self.port <= 0xFFFF, where, f"there is no port {self.port}")
        _require((self.certificate is None) == (self.key is None), where, "certificate and key belong together")
        _require(self.tls or not (self.ca or self.certificate), where, "certificates are used with tls = true only")
        _require(bool(self.username) or not self.password, where, "a password needs a username")
        check_prefix(self.prefix, where)
        if not self.port:
            object.__setattr__(self, "port", MQTTS_PORT if self.tls else MQTT_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPaths:
    """The programs of the system that a node runs: paths, or names on PATH."""

    ffmpeg: str = "ffmpeg"
    python: str = "/usr/bin/python3"
    """The system's Python, for which libcamera's binding is built."""
    rpicam_vid: str = "rpicam-vid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """One camera, and what the node does with it."""

    id: str
    """What addresses, folders and topics call it: small letters, digits, `-` and `_`."""
    title: str = ""
    """What people call it; the id where nothing is said."""
    source: Source
    options: Options = field(default_factory=Options)
    retention: Retention = field(default_factory=Retention)
    record_while_away: bool = False
    """Whether it records while no Home Assistant is connected."""
    learns: bool = False
    """Whether its source is to be looked at first, because nothing says how it delivers pictures."""
    jobs: tuple[Job, ...] = ()
    """Its timelapses."""
    publications: tuple[Publication, ...] = ()
    """The servers that its video is pushed to."""
    controls: Mapping[str, float] = field(default_factory=dict)
    """What its controls are set to at the start, by key."""
    mqtt_prefix: str = ""
    """What its MQTT topics begin with; empty for the broker's prefix and the id."""

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for what cannot be."""
        _require(
            bool(_ID.fullmatch(self.id)), f"camera {self.id!r}", "an id is of small letters, digits, - and _, up to 63"
        )
        where = f"camera {self.id!r}"
        object.__setattr__(self, "title", self.title or self.id)
        _check_name(self.title, "title", where)
        if self.mqtt_prefix:
            check_prefix(self.mqtt_prefix, where)
        for name in _twice(job.name for job in self.jobs):
            raise InvalidConfiguration(f"two timelapses are named {name!r}", where=where)
        for address in _twice(publication.address for publication in self.publications):
            raise InvalidConfiguration(f"it is published twice to {address}", where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """A whole node."""

    name: str
    """What people call it."""
    host: str = DEFAULT_HOST
    """The address to listen on; `::` or `0.0.0.0` for all."""
    port: int = DEFAULT_PORT
    """0 for any that is free."""
    state: Path
    """The folder of what the node remembers: its id, tokens, links."""
    archive: Path
    """The folder below which each camera keeps its files, in one of its own."""
    certificate: Path | None = None
    """For HTTPS: the node's certificate with its chain."""
    key: Path | None = None
    client_ca: Path | None = None
    """The authority that has to have signed the certificate of each client; None where clients need none."""
    trust_loopback: bool = True
    """Whether who asks from this machine may do all without a token."""
    zeroconf: bool = True
    """Whether the node makes itself known in its network."""
    announce: Announce | None = None
    mqtt: Broker | None = None
    cors: tuple[str, ...] = ("*",)
    """The origins whose pages may show pictures and streams."""
    floor: int = DEFAULT_FLOOR
    """Bytes of the disk that stay free."""
    max_size: int = 0
    """Bytes that all cameras together may keep; 0 for no limit."""
    log_level: str = "info"
    log_format: str = "text"
    """`json` writes one object a line, for what collects logs."""
    log_file: Path | None = None
    """Where messages go besides stderr; it is rotated, and never larger than a few MiB."""
    tools: ToolPaths = field(default_factory=ToolPaths)
    cameras: tuple[CameraConfig, ...] = ()

    def __post_init__(self) -> None:
        """Raise `InvalidConfiguration` for what cannot be."""
        where = "top level"
        _check_name(self.name, "name", where)
        _require(bool(self.host), where, "listen has no address; 0.0.0.0 or [::] means all")
        _require(0 <= self.port <= 0xFFFF, where, f"there is no port {self.port}")
        _require(
            self.log_level in LOG_LEVELS, where, f"log_level is {self.log_level!r}, and none of {', '.join(LOG_LEVELS)}"
        )
        _require(self.log_format in LOG_FORMATS, where, f"log_format is {self.log_format!r}, and neither text nor json")
        for origin in self.cors:
            _require(bool(_ORIGIN.fullmatch(origin)), where, f"cors: {origin!r} is neither * nor a page's origin")
        _require(self.floor >= 0 and self.max_size >= 0, "[storage]", "a size is negative")
        _require((self.certificate is None) == (self.key is None), "[tls]", "certificate and key belong together")
        _require(bool(self.certificate) or not self.client_ca, "[tls]", "client_ca needs certificate and key")
        self._check_cameras()

    def _check_cameras(self) -> None:
        for name in _twice(camera.id for camera in self.cameras):
            raise InvalidConfiguration("two cameras have this id", where=f"camera {name!r}")
        for kind, address in _twice((camera.source.kind, camera.source.address) for camera in self.cameras):
            if kind in _EXCLUSIVE:
                same = [camera.id for camera in self.cameras if camera.source.address == address]
                raise InvalidConfiguration(f"cameras {' and '.join(same)} are one device", where=address)
        for prefix in _twice(self.mqtt_prefix(camera) for camera in self.cameras):
            raise InvalidConfiguration(f"two cameras have the MQTT prefix {prefix!r}", where="mqtt_prefix")

    def mqtt_prefix(self, camera: CameraConfig) -> str:
        """Return what the MQTT topics of `camera` begin with."""
        return camera.mqtt_prefix or f"{self.mqtt.prefix if self.mqtt else 'tripod'}/{camera.id}"


def _require(met: bool, where: str, detail: str) -> None:  # noqa: FBT001  # an assertion's condition
    if not met:
        raise InvalidConfiguration(detail, where=where)


def _check_name(name: str, key: str, where: str) -> None:
    _require(0 < len(name) <= LONGEST_NAME and name.isprintable(), where, f"{key} is empty, too long or unprintable")


def _twice(items: Iterable[_T]) -> list[_T]:
    """Return what occurs more than once."""
    return [item for item, count in Counter(items).items() if count > 1]
