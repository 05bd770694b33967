"""Settings as they come: `control value`, in the camera's words or in everyday ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..controls import Control, ControlKind, Controls
from ..errors import ControlInactive, ControlLocked, InvalidCommand, InvalidControl, TripodError
from ..sources.v4l2.controls import RENAMED
from .commands import SHOWN, number, switch

WORDS: Mapping[str, tuple[str, ...]] = {
    "autoexposure": ("auto_exposure", "ae_enable"),
    "autofocus": ("focus_automatic_continuous", "af_mode"),
    "auto_white_balance": ("white_balance_automatic", "awb_enable"),
    "exposure": ("exposure_time_absolute", "exposure_time"),
    "focus": ("focus_absolute", "lens_position"),
    "pan": ("pan_absolute",),
    "tilt": ("tilt_absolute",),
    "white_balance": ("white_balance_temperature", "colour_temperature"),
    "zoom": ("zoom_absolute",),
}
"""What people call controls, and the keys that it stands for: of a webcam, and of a CSI module."""

DEFAULT = "default"

_NAMED = (ControlInactive, ControlLocked, InvalidControl)


def parse(text: str, given: dict[str, Any] | None) -> dict[str, Any]:
    """Return the settings in `text`, one a line, or in its JSON where it is `given`; raises `InvalidCommand`."""
    if given is None:
        lines = (line.split(maxsplit=1) for line in text.splitlines())
        given = {line[0]: line[1].strip() if len(line) > 1 else None for line in lines if line}
    if not given:
        raise InvalidCommand("it names no control")
    if any(isinstance(value, dict | list) for value in given.values()):
        raise InvalidCommand("a control has one value")
    return given


def resolve(controls: Controls, given: Mapping[str, Any]) -> dict[str, float]:
    """Return the values by the camera's own keys; raises `InvalidControl`."""
    return {key: _value(control, value) for name, value in given.items() for key, control in [_find(controls, name)]}


def called(controls: Controls, key: str) -> str:
    """Return what people call a control, where that is a word that only means this one."""
    for word, keys in WORDS.items():
        if word not in controls.current and key == next((one for one in keys if one in controls.current), None):
            return word
    return key


def renamed(controls: Controls, error: TripodError) -> TripodError:
    """Return the error with the controls called as a command calls them, where the driver's words stand."""
    if not isinstance(error, _NAMED):
        return error
    names = {control.name: called(controls, key) for key, control in controls.current.items()}
    return type(error)(**{key: names.get(value, value) for key, value in error.placeholders.items()})


def _find(controls: Controls, name: str) -> tuple[str, Control]:
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    for key in (plain, RENAMED.get(plain, plain), *WORDS.get(plain, ())):
        if control := controls.current.get(key):
            return key, control
    raise InvalidControl("the camera has no such control", control=name[:SHOWN])


def _value(control: Control, value: Any) -> float:
    if control.kind is ControlKind.BUTTON:
        return 1.0
    if value == DEFAULT and control.default is not None:
        return control.default
    try:
        if control.kind is ControlKind.SWITCH:
            return float(switch(int(value) if isinstance(value, float) else value))
        if control.kind is ControlKind.MENU and isinstance(value, str):
            return _choice(control, value)
        return number(value)
    except (ValueError, OverflowError) as error:
        raise InvalidControl(f"its value is {error}", control=control.name) from None


def _choice(control: Control, word: str) -> float:
    """Return the value of a menu that `word` names, by number or by name or by how the name begins."""
    names = {name.lower(): value for value, name in control.choices.items()}
    wanted = word.strip().lower()
    if wanted in names:
        return float(names[wanted])
    begun = [value for name, value in names.items() if name.startswith(wanted)]
    if len(begun) == 1:
        return float(begun[0])
    try:
        return number(word)
    except ValueError:
        raise ValueError(f"one of {', '.join(control.choices.values())}") from None
