"""Where pictures come from: one module per kind of source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidSource
from .base import Found, Medium, Sink, Source, Tools, Wanted
from .csi import Csi
from .motion_in_ocean import MotionInOcean
from .node import NodeSource
from .test_pattern import TestPattern
from .url import UrlSource
from .v4l2 import V4l2

__all__ = [
    "Csi",
    "Found",
    "Medium",
    "MotionInOcean",
    "NodeSource",
    "Sink",
    "Source",
    "TestPattern",
    "Tools",
    "UrlSource",
    "V4l2",
    "Wanted",
    "kinds",
    "load",
    "settle",
]

_KINDS: dict[str, type[Csi | MotionInOcean | NodeSource | TestPattern | UrlSource | V4l2]] = {
    source.kind: source for source in (Csi, MotionInOcean, NodeSource, TestPattern, UrlSource, V4l2)
}


def kinds() -> Mapping[str, type[Source]]:
    """Return every kind of source by its name, as the dataclass that describes it."""
    return _KINDS


def load(data: Mapping[str, Any]) -> Source:
    """Return the source that `data` describes, as `Source.as_dict` gave it; raises `InvalidSource`."""
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind not in _KINDS:
        raise InvalidSource(f"kind {kind!r}")
    try:
        return _KINDS[kind](**fields)
    except TypeError as error:
        raise InvalidSource(str(error)) from error


def settle(source: Source, found: Found) -> Source:
    """Return `source` with what a live look learned about it."""
    return load({**source.as_dict(), **found.learned})
