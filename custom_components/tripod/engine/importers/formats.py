"""Which programs' set-ups can be read, and which of them a text is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
import re

from ..errors import NotUnderstood
from . import byggeplass, core, crowsnest, motion_in_ocean, octocam
from .base import Import

MAX_TEXT = 1 << 20
"""Characters that are read: set-ups are small, and what is larger is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a text does not say itself."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """What a compose file's `${…}` stand for: its `.env`."""
    csi: str = ""
    """Libcamera's Id of this host's CSI camera; empty where it has none."""
    pictures: Path | None = None
    """Where the pictures of before are on this host."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of set-up."""

    title: str
    read: Callable[[str, Around], Import]
    signs: re.Pattern[str]
    """What only such a text has."""


def _signs(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


FORMATS: dict[str, Format] = {
    "octocam": Format(
        "Octocam",
        lambda text, around: octocam.read(text, around.variables),
        _signs(r"\b(FFMPEG_ARGS|V4L_ARGS)\s*[:=]"),
    ),
    "motion_in_ocean": Format(
        "motion-in-ocean",
        lambda text, around: motion_in_ocean.read(text, around.variables, csi=around.csi),
        _signs(r"\b(MIO_\w+|MOTION_IN_OCEAN_\w+|MOCK_CAMERA|MANAGEMENT_AUTH_TOKEN)\s*[:=]"),
    ),
    "motion_in_ocean_nodes": Format(
        "motion-in-ocean's list of nodes",
        lambda text, around: motion_in_ocean.read_registry(text),
        _signs(r'\A\s*[{\[](?=[\s\S]*"base_url")'),
    ),
    "byggeplass": Format(
        "Byggeplass Kamera",
        lambda text, around: byggeplass.read(text, around.variables, pictures=around.pictures),
        _signs(r"\b(IMAGE_URL|SOURCES)\s*[:=]"),
    ),
    "crowsnest": Format(
        "crowsnest", lambda text, around: crowsnest.read(text), _signs(r"^\[(crowsnest|webcamd|cam\b[^\]]*)\]")
    ),
    "core": Format(
        "Home Assistant's cameras",
        lambda text, around: core.read(text),
        _signs(r"^[\s-]*platform\s*:\s*[\"']?(generic|mjpeg|ffmpeg)\b"),
    ),
}


def recognise(text: str) -> str:
    """Return the key of the format that `text` is in; raises `NotUnderstood`."""
    for key, known in FORMATS.items():
        if known.signs.search(text):
            return key
    raise NotUnderstood("nothing in it belongs to a program that is known here", what="a set-up")


def read(text: str, kind: str = "", around: Around | None = None) -> Import:
    """Read a set-up of a `kind`, or of whatever kind it is; raises `NotUnderstood`."""
    if len(text) > MAX_TEXT:
        raise NotUnderstood(f"it has more than {MAX_TEXT} characters", what="a set-up")
    return FORMATS[kind or recognise(text)].read(text, around or Around())
