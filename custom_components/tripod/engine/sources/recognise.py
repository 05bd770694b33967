"""What serves a webcam under a base address: people type `http://pi:8080`, and the pictures are behind it.

The routes are those of mjpg-streamer, which nearly all that came after it have as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
import json
from typing import Any

from ..errors import FormatNotSupported, NotAPicture, NotFound, SourceFailed, StreamEnded
from .address import Resolve, split
from .base import Source
from .http import HttpClient, Kind
from .motion_in_ocean import MotionInOcean
from .url import Delivery, UrlSource


@dataclass(frozen=True, slots=True)
class Program:
    """A program that says who it is."""

    name: str
    route: str
    """Where it answers with JSON, below the base address."""
    sign: Callable[[Mapping[str, Any]], bool]
    """Whether that is its answer."""
    stream: str
    """Where its pictures are; nothing where it is a kind of source of its own."""


PROGRAMS = (
    Program("motion-in-ocean", "health", lambda said: "app_mode" in said or _wants_token(said), ""),
    Program("µStreamer", "state", lambda said: {"encoder", "source"} <= _keys(said.get("result")), "stream"),
    Program("camera-streamer", "status", lambda said: {"endpoints", "outputs"} <= _keys(said), "stream"),
)

ROUTES: tuple[tuple[str, str, Delivery], ...] = (
    ("mjpg-streamer", "?action=stream", "frames"),
    ("spyglass", "stream", "frames"),
    ("OctoPrint's webcam", "webcam/?action=stream", "frames"),
    ("a webcam", "stream.mjpg", "frames"),
    ("a webcam", "video", "frames"),
    ("mjpg-streamer", "?action=snapshot", "stills"),
    ("a webcam", "snapshot", "stills"),
    ("a webcam", "snapshot.jpg", "stills"),
)
"""Where pictures may be below a base address, the usual places first, and how they come from there."""

_DELIVERIES: dict[Kind, Delivery] = {Kind.MULTIPART: "frames", Kind.JPEG: "stills"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """What answers, and the source that takes its pictures."""

    program: str
    source: Source


def is_base(source: Source) -> bool:
    """Return whether a source's address names a host or a folder, so that its pictures must be behind it."""
    if not isinstance(source, UrlSource):
        return False
    parts = split(source.url)
    return parts.scheme in ("http", "https") and not parts.query and parts.path[-1:] in ("", "/")


async def recognise(source: UrlSource, resolve: Resolve) -> Recognised | None:
    """Return what is behind a base address; None where that is nothing known, or the pictures are right there.

    Raises what keeps the host from being asked at all, such as `Refused` or `Unauthorized`.
    """
    base = source.url if source.url.endswith("/") else f"{source.url}/"
    if await _delivery(source, source.url, resolve):
        return None
    for program in PROGRAMS:
        if program.sign(await _said(source, f"{base}{program.route}", resolve)):
            return Recognised(program.name, _of(program, source, base))
    for name, route, delivery in ROUTES:
        if await _delivery(source, f"{base}{route}", resolve) == delivery:
            return Recognised(name, replace(source, url=f"{base}{route}", delivery=delivery))
    return None


def _of(program: Program, source: UrlSource, base: str) -> Source:
    if program.stream:
        return replace(source, url=f"{base}{program.stream}", delivery="frames")
    return MotionInOcean(url=base, token=source.password, verify_tls=source.verify_tls)


def _client(source: UrlSource, url: str, resolve: Resolve) -> HttpClient:
    return HttpClient(
        url, username=source.username, password=source.password, verify_tls=source.verify_tls, resolve=resolve
    )


async def _said(source: UrlSource, url: str, resolve: Resolve) -> Mapping[str, Any]:
    """Return the JSON object that a URL answers with, also in a refusal; empty where it answers with anything else."""
    try:
        async with _client(source, url, resolve) as client:
            _, body = await client.ask()
        said = json.loads(body)
    except (SourceFailed, StreamEnded, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


async def _delivery(source: UrlSource, url: str, resolve: Resolve) -> Delivery | None:
    """Return how a URL delivers pictures; None where it has none."""
    try:
        async with _client(source, url, resolve) as client, client.get() as answer:
            return _DELIVERIES.get(await answer.kind(), "packets")
    except (NotFound, SourceFailed, NotAPicture, FormatNotSupported, StreamEnded):
        return None


def _wants_token(said: Mapping[str, Any]) -> bool:
    """Return whether this is motion-in-ocean's refusal of a request without its token."""
    error = said.get("error")
    return isinstance(error, dict) and error.get("code") == "UNAUTHORIZED"


def _keys(value: object) -> set[str]:
    return set(value) if isinstance(value, dict) else set()
