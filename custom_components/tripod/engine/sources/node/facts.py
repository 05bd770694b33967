"""What a node says about itself, its cameras and what it keeps: read strictly, for it is somebody else's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
import math
import re
from typing import Any, TypeVar

from ...controls import Control, ControlKind
from ...errors import NodeVersion, NotANode
from ..base import Medium

PROTOCOL = 1
"""The version of the node's HTTP protocol that is spoken here."""

STOPPED = "stopped"
"""The state of a camera that starts only when it is asked to."""

MAX_TEXT = 1000
"""Characters of a title or sentence."""

MAX_KEY = 500
"""Characters of an item's key: folders and a name of 200 bytes."""

MAX_CAMERAS = 256
MAX_CONTROLS = 500
MAX_CHOICES = 500

CAMERA_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NODE_ID = re.compile(r"[0-9a-f]{32}")
_CAUSE = re.compile(r"[a-z0-9_]{0,64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFacts:
    """One camera of a node, as it was when it was asked."""

    id: str
    title: str
    kind: str = ""
    """Of its source, there."""
    native: Medium = Medium.FRAMES
    delivers: frozenset[Medium] = frozenset()
    """The media that it has without transcoding."""
    state: str = ""
    cause: str = ""
    """Of the error that keeps it away; empty where there is none."""
    message: str = ""
    """That error's sentence."""
    placeholders: Mapping[str, str] = field(default_factory=dict)
    """What that sentence names."""
    codec: str = ""
    width: int = 0
    """0 where it is not known yet, as are height and rate."""
    height: int = 0
    frames_per_second: float = 0.0
    controls: bool = False
    warms_up: bool = False
    interval: float = 0.0
    """Seconds between pictures, where they are meant to come slowly."""
    still: bool = False
    """Whether it takes a picture of the sensor's full size beside the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """A node; its cameras only for those whom it knows."""

    id: str
    name: str
    version: str = ""
    cameras: tuple[CameraFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeItem:
    """One finished file that a node keeps."""

    kind: str
    key: str
    captured_at: datetime
    size: int
    """Bytes."""
    suffix: str
    job: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: bool = False
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvent:
    """Something that happened on a node."""

    name: str
    """`status`, with facts; `item`, with an item; or another one, of which only `data` tells."""
    camera: str
    facts: CameraFacts | None = None
    item: NodeItem | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def node_facts(data: Any) -> NodeFacts:
    """Read an answer of `/node`; raises `NotANode` for what is none, `NodeVersion` for one of another protocol."""
    fields = _Fields(data, "node")
    protocol = fields.get("protocol", int, 0)
    if protocol < 1:
        raise NotANode("it does not say which protocol it speaks")
    if protocol != PROTOCOL:
        raise NodeVersion(theirs=str(protocol), ours=str(PROTOCOL))
    cameras = fields.get("cameras", list, [])
    if len(cameras) > MAX_CAMERAS:
        raise NotANode(f"it claims to have {len(cameras)} cameras")
    return NodeFacts(
        id=fields.matching("id", _NODE_ID),
        name=fields.text("name"),
        version=fields.text("version"),
        cameras=tuple(map(camera_facts, cameras)),
    )


def camera_facts(data: Any) -> CameraFacts:
    """Read what a node says of one camera; raises `NotANode`."""
    fields = _Fields(data, "camera")
    return CameraFacts(
        id=fields.matching("id", CAMERA_ID),
        title=fields.text("title"),
        kind=fields.text("kind"),
        native=_medium(fields.get("native", str, "frames")),
        delivers=frozenset(map(_medium, fields.get("delivers", list, []))),
        state=fields.text("state"),
        cause=fields.matching("cause", _CAUSE),
        message=fields.text("message"),
        placeholders=texts(fields.get("placeholders", dict, {})),
        codec=fields.text("codec"),
        width=fields.get("width", int, 0),
        height=fields.get("height", int, 0),
        frames_per_second=fields.number("frames_per_second"),
        controls=fields.get("controls", bool, False),
        warms_up=fields.get("warms_up", bool, False),
        interval=fields.number("interval"),
        still=fields.get("still", bool, False),
    )


def node_item(data: Any) -> NodeItem:
    """Read what a node says of one file; raises `NotANode`."""
    fields = _Fields(data, "item")
    key = fields.get("key", str, "")
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise NotANode("a file has no key")
    if (size := fields.get("size", int, -1)) < 0:
        raise NotANode("a file has no size")
    return NodeItem(
        kind=fields.text("kind"),
        key=key,
        captured_at=_time(fields.get("captured_at", str, "")),
        size=size,
        suffix=fields.matching("suffix", _SUFFIX),
        job=fields.text("job"),
        details=fields.get("details", dict, {}),
        thumbnail=fields.get("thumbnail", bool, False),
        pinned=fields.get("pinned", bool, False),
    )


def node_event(name: str, data: Any) -> NodeEvent:
    """Read an event; raises `NotANode`."""
    fields = _Fields(data, "event")
    return NodeEvent(
        name=name,
        camera=fields.matching("camera", CAMERA_ID),
        facts=camera_facts({"id": fields.get("camera", str, ""), **data}) if name == "status" else None,
        item=node_item(fields.get("item", dict, {})) if name == "item" else None,
        data=data,
    )


def controls(data: Any) -> tuple[list[Control], dict[str, float]]:
    """Read an answer of `/controls`: the controls, and what the user set; raises `NotANode`."""
    fields = _Fields(data, "answer about controls")
    found = fields.get("controls", list, [])
    if len(found) > MAX_CONTROLS:
        raise NotANode(f"it claims to have {len(found)} controls")
    return [_control(_Fields(each, "control")) for each in found], _numbers(fields.get("wanted", dict, {}))


def texts(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that are short texts."""
    return {
        str(name)[:MAX_TEXT]: value[:MAX_TEXT]
        for name, value in data.items()
        if isinstance(value, str) and value.isprintable()
    }


def _control(fields: _Fields) -> Control:
    kind = fields.get("kind", str, "")
    if kind not in tuple(ControlKind):
        raise NotANode(f"a control of kind {kind[:40]!r}")
    choices = fields.get("choices", dict, {})
    if len(choices) > MAX_CHOICES or not all(_is_whole(value) for value in choices):
        raise NotANode("a control's choices are none")
    governor = fields.matching("governor", _CAUSE)
    governor_value = fields.optional("governor_value")
    return Control(
        key=fields.matching("key", _CAUSE),
        name=fields.text("name"),
        kind=ControlKind(kind),
        value=fields.optional("value"),
        minimum=fields.number("minimum"),
        maximum=fields.number("maximum"),
        step=fields.optional("step") or 1,
        default=fields.optional("default"),
        choices={int(value): str(name)[:MAX_TEXT] for value, name in choices.items()},
        inactive=fields.get("inactive", bool, False),
        governor=governor or None,
        governor_value=None if governor_value is None else int(governor_value),
    )


class _Fields:
    """A JSON object whose fields must be of their types, or null, or not there."""

    def __init__(self, data: Any, what: str) -> None:
        if not isinstance(data, dict):
            raise NotANode(f"what should be a {what} is none")
        self._data: dict[str, Any] = data
        self._what = what

    def get(self, name: str, kind: type[_T], default: _T) -> _T:
        value = self._data.get(name)
        if value is None:
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise NotANode(f"{name} of a {self._what} is not as it should be")
        return value

    def text(self, name: str) -> str:
        value = self.get(name, str, "")
        return "".join(letter if letter.isprintable() else " " for letter in value[:MAX_TEXT])

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self.get(name, str, "")
        if not pattern.fullmatch(value):
            raise NotANode(f"{name} of a {self._what} is not as it should be")
        return value

    def optional(self, name: str) -> float | None:
        value = self._data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise NotANode(f"{name} of a {self._what} is no number")
        return value

    def number(self, name: str) -> float:
        return self.optional(name) or 0.0


def _medium(name: Any) -> Medium:
    if name not in tuple(Medium):
        raise NotANode(f"a medium {str(name)[:40]!r}")
    return Medium(name)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - without a zone, and so none
    if found.tzinfo is None:
        raise NotANode("a file's time is none")
    return found


def _is_whole(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"-?[0-9]{1,10}", text) is not None


def _numbers(data: Mapping[str, Any]) -> dict[str, float]:
    return {
        key: value
        for key, value in data.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    }
