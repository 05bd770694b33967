"""What can be turned on a V4L2 device."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
import errno
import math
import re
from typing import TYPE_CHECKING, Any

from ...controls import Control, ControlKind, Controls
from ...errors import ControlLocked, InvalidControl
from .opened import OpenNode, open_node

if TYPE_CHECKING:
    from .ioctls import Node

# enum v4l2_ctrl_type; strings, bit masks and what is newer have no place in a user interface
_INTEGER, _BOOLEAN, _MENU, _BUTTON, _INTEGER64, _INTEGER_MENU = 1, 2, 3, 4, 5, 9

_KINDS = {
    _INTEGER: ControlKind.NUMBER,
    _INTEGER64: ControlKind.NUMBER,
    _BOOLEAN: ControlKind.SWITCH,
    _MENU: ControlKind.MENU,
    _INTEGER_MENU: ControlKind.MENU,
    _BUTTON: ControlKind.BUTTON,
}

# V4L2_CTRL_FLAG_*
_DISABLED, _GRABBED, _READ_ONLY, _INACTIVE, _WRITE_ONLY, _HAS_PAYLOAD = 0x01, 0x02, 0x04, 0x10, 0x40, 0x100

GOVERNORS = {
    "blue_balance": ("white_balance_automatic", 0),
    "brightness": ("brightness_automatic", 0),
    "chroma_gain": ("chroma_agc", 0),
    "exposure": ("auto_exposure", 1),
    "exposure_time_absolute": ("auto_exposure", 1),
    "focus_absolute": ("focus_automatic_continuous", 0),
    "focus_relative": ("focus_automatic_continuous", 0),
    "gain": ("gain_automatic", 0),
    "hue": ("hue_automatic", 0),
    "iris_absolute": ("auto_exposure", 1),
    "iris_relative": ("auto_exposure", 1),
    "iso_sensitivity": ("iso_sensitivity_auto", 0),
    "red_balance": ("white_balance_automatic", 0),
    "white_balance_blue_component": ("white_balance_component_auto", 0),
    "white_balance_red_component": ("white_balance_component_auto", 0),
    "white_balance_temperature": ("white_balance_automatic", 0),
}
"""What makes a control inactive, and the value of that at which it takes effect (exposure: 1 is manual)."""

RENAMED = {
    "autogain": "gain_automatic",
    "exposure_absolute": "exposure_time_absolute",
    "exposure_auto": "auto_exposure",
    "exposure_auto_priority": "exposure_dynamic_framerate",
    "focus_auto": "focus_automatic_continuous",
    "gain_auto": "gain_automatic",
    "hue_auto": "hue_automatic",
    "white_balance_auto": "white_balance_automatic",
    "white_balance_temperature_auto": "white_balance_automatic",
}
"""What kernels before 5.14 called them: a setting must outlive the update."""

_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")


class V4l2Controls(Controls):
    """The controls of one device, which is opened anew each time: that works while another process streams."""

    def __init__(
        self, device: str, wanted: Mapping[str, float] | None = None, *, open_node: OpenNode = open_node
    ) -> None:
        """Begin with what the user had set before, by key."""
        super().__init__(wanted)
        self._device = device
        self._open = open_node

    async def _read(self) -> list[Control]:
        return await asyncio.to_thread(self._read_all)

    async def _write(self, values: Mapping[str, float]) -> None:
        await asyncio.to_thread(self._write_all, values)

    def _read_all(self) -> list[Control]:
        with self._open(self._device) as node:
            found = _found(node)
            return [control for key, raw in found.items() if (control := _described(node, key, raw, found))]

    def _write_all(self, values: Mapping[str, float]) -> None:
        with self._open(self._device) as node:
            found = _found(node)
            for key, value in values.items():
                if key not in found:
                    raise InvalidControl("the camera has no such control", control=key)
                _set(node, found[key], value)


def _found(node: Node) -> dict[str, Any]:
    """Return what the device describes, by key, as far as it can be turned."""
    found: dict[str, Any] = {}
    for raw in node.controls():
        if raw.type in _KINDS and not raw.flags & (_DISABLED | _READ_ONLY | _HAS_PAYLOAD):
            key = _key(_name(raw)) or "control"
            # two of one name happen among a maker's own
            found[f"{key}_{raw.id:08x}" if key in found else key] = raw
    return found


def _described(node: Node, key: str, raw: Any, found: Mapping[str, Any]) -> Control | None:
    """Return the control with its value; None for one that leaves no choice."""
    kind = _KINDS[raw.type]
    choices = node.menu(raw) if kind is ControlKind.MENU else {}
    if (kind is ControlKind.MENU and not choices) or (kind is ControlKind.NUMBER and raw.minimum >= raw.maximum):
        return None
    governor, governor_value = GOVERNORS.get(key, (None, None))
    if governor not in found or raw.flags & _GRABBED:
        governor, governor_value = None, None
    return Control(
        key=key,
        name=_name(raw),
        kind=kind,
        value=_value(node, raw, kind),
        minimum=raw.minimum,
        maximum=raw.maximum,
        step=raw.step or 1,
        default=None if kind is ControlKind.BUTTON else raw.default_value,
        choices=choices,
        inactive=bool(raw.flags & (_INACTIVE | _GRABBED)),
        governor=governor,
        governor_value=governor_value,
    )


def _value(node: Node, raw: Any, kind: ControlKind) -> int | None:
    if kind is ControlKind.BUTTON or raw.flags & _WRITE_ONLY:
        return None
    try:
        return node.value(raw)
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.ENXIO):
            raise
        return None  # one that the camera does not tell must not hide the others


def _set(node: Node, raw: Any, value: float) -> None:
    if not math.isfinite(value):
        raise InvalidControl(f"{value} is no number", control=_name(raw))
    # what does not fit into the field that it travels in would become another number
    number = 1 if raw.type == _BUTTON else max(raw.minimum, min(raw.maximum, round(value)))
    try:
        node.set(raw, number)
    except OSError as error:
        if error.errno in (errno.ERANGE, errno.EINVAL):
            raise InvalidControl(f"the camera does not take {value:g}", control=_name(raw)) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EBUSY):
            raise ControlLocked(control=_name(raw)) from error
        raise


def _name(raw: Any) -> str:
    return str(raw.name.decode(errors="replace")).strip()


def _key(name: str) -> str:
    key = _BETWEEN_WORDS.sub("_", name.lower()).strip("_")
    return RENAMED.get(key, key)
