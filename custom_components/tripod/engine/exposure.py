"""How long and how sensitively a camera looks: left to it, held as it is now, or slow for the night.

One table says by which controls each kind of camera does it; a camera has the modes that its controls allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .controls import Control, ControlKind, Controls

LONGEST = 0.25
"""Seconds a picture may be exposed at night: with more, who walks by is a smear, and fewer than 4 come each second."""

HIGH_GAIN = 0.75
"""Share of the range of gain that is used at night: the last quarter brings more noise than picture."""


class Exposure(StrEnum):
    """Who decides how long pictures are exposed."""

    AUTO = "auto"
    """The camera."""
    LOCKED = "locked"
    """Nobody: exposure, gain and white balance stay as they were when this was set."""
    NIGHT = "night"
    """The camera, which may take long over a picture; where it cannot, it is long and sensitive throughout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """The keys of one kind of camera's controls; empty for what it does not have."""

    automatic: str
    time: str
    second: float
    """A second, in the unit of `time`."""
    automatic_gain: str = ""
    gain: str = ""
    automatic_white: str = ""
    white: str = ""
    slower: str = ""
    """A switch by which the camera may lower its rate to expose longer."""
    rate: str = ""
    """Frames per second, which limit the exposure."""
    metering: str = ""
    """A menu with a choice called long."""


_V4L2 = _Family(
    automatic="auto_exposure",
    time="exposure_time_absolute",
    second=10_000,
    automatic_gain="gain_automatic",
    gain="gain",
    automatic_white="white_balance_automatic",
    white="white_balance_temperature",
    slower="exposure_dynamic_framerate",
)

_LIBCAMERA = _Family(
    automatic="ae_enable",
    time="exposure_time",
    second=1_000_000,
    gain="analogue_gain",
    automatic_white="awb_enable",
    rate="frame_rate",
    metering="ae_exposure_mode",
)

_MANUAL = (1, 2)
"""The entries of V4L2's menu of automatic exposure that leave the time to us: manual, and shutter priority."""

_AUTOMATIC = (3, 0)
"""Those by which the camera finds the time itself: aperture priority, which nearly all webcams have, and automatic."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The controls of a family that a camera has."""

    known: Mapping[str, Control]
    family: _Family

    def switch(self, key: str, *, on: bool) -> dict[str, float]:
        """Return the setting that puts an automatic on or off; nothing where the camera has no such choice."""
        control = self.known.get(key)
        if control is None:
            return {}
        if control.kind is not ControlKind.MENU:
            return {control.key: int(on)}
        values = [value for value in (_AUTOMATIC if on else _MANUAL) if value in control.choices]
        return {control.key: control.default if control.default in values else values[0]} if values else {}

    def held(self, key: str) -> dict[str, float]:
        """Return the setting that keeps a value as it is; nothing where it is not known."""
        control = self.known.get(key)
        if control is None or control.value is None or control.value < control.minimum:
            return {}
        return {control.key: control.value}

    def automatic(self) -> dict[str, float]:
        """Let the camera decide."""
        return {
            **self.switch(self.family.automatic, on=True),
            **self.switch(self.family.automatic_gain, on=True),
        }

    def manual(self) -> dict[str, float]:
        """Let the camera decide nothing about exposure."""
        return {
            **self.switch(self.family.automatic, on=False),
            **self.switch(self.family.automatic_gain, on=False),
        }

    def locked(self) -> dict[str, float]:
        """Hold exposure, gain and white balance."""
        manual = self.manual()
        if not manual:
            return {}
        return {
            **manual,
            **(self.held(self.family.time) if self.switch(self.family.automatic, on=False) else {}),
            **self.held(self.family.gain),
            **(white := self.switch(self.family.automatic_white, on=False)),
            **(self.held(self.family.white) if white else {}),
        }

    def metered_night(self) -> dict[str, float]:
        """Let the camera expose as long as it finds right; nothing where it cannot be let."""
        slower = {
            **self.switch(self.family.slower, on=True),
            **self._slow_rate(),
            **self._long_metering(),
        }
        return {**self.automatic(), **slower} if slower else {}

    def fixed_night(self) -> dict[str, float]:
        """Expose long and sensitively, whatever the light."""
        manual, time = self.switch(self.family.automatic, on=False), self.known.get(self.family.time)
        if not manual or time is None:
            return {}
        values = {**self.manual(), time.key: _within(time, LONGEST * self.family.second)}
        if gain := self.known.get(self.family.gain):
            values[gain.key] = _within(gain, gain.minimum + HIGH_GAIN * (gain.maximum - gain.minimum))
        return values

    def _slow_rate(self) -> dict[str, float]:
        rate = self.known.get(self.family.rate)
        return {rate.key: _within(rate, 1 / LONGEST)} if rate else {}

    def _long_metering(self) -> dict[str, float]:
        menu = self.known.get(self.family.metering)
        values = [value for value, name in menu.choices.items() if name.lower() == "long"] if menu else []
        return {menu.key: values[0]} if menu and values else {}

    def of(self, mode: Exposure) -> dict[str, float]:
        """Return the settings that make up `mode`, what governs before what is governed; empty where there are none."""
        if mode is Exposure.AUTO:
            return self.automatic()
        if mode is Exposure.LOCKED:
            return self.locked()
        return self.metered_night() or self.fixed_night()


def modes(known: Mapping[str, Control]) -> tuple[Exposure, ...]:
    """Return the modes of a camera with these controls, by key; none where there is no choice."""
    found = tuple(mode for mode in Exposure if _settings(mode, known))
    return found if len(found) > 1 and Exposure.AUTO in found else ()


def holds(mode: Exposure, known: Mapping[str, Control]) -> bool:
    """Whether the camera is as `mode` left it, as far as its automatics tell: the user may have turned them since."""
    for family in (_V4L2, _LIBCAMERA):
        parts = _Parts(known, family)
        automatics = {*parts.automatic(), *parts.manual()}
        settings = parts.of(mode)
        for key in automatics & settings.keys():
            if known[key].value not in (None, settings[key]):
                return False
    return True


async def apply(mode: Exposure, controls: Controls, before: Exposure | None = None) -> None:
    """Set `mode`, now and for each start of the capture, and take back what the mode `before` had set.

    Raises a `TripodError` where the camera does not take it.
    """
    await controls.refresh()
    settings = _settings(mode, controls.current)
    released = [key for key in _settings(before, controls.current) if key not in settings] if before else []
    defaults = {
        key: default
        for key in released
        if (default := controls.current[key].default) is not None and controls.obstacle(key) is None
    }
    # what an automatic governs is put back before the automatic is on, which then ignores it
    ordered = sorted(defaults, key=lambda key: key in _governors(controls.current))
    await controls.set({**{key: defaults[key] for key in ordered}, **settings})
    if released:
        controls.forget(*released)


def _settings(mode: Exposure, known: Mapping[str, Control]) -> dict[str, float]:
    return {key: value for family in (_V4L2, _LIBCAMERA) for key, value in _Parts(known, family).of(mode).items()}


def _governors(known: Mapping[str, Control]) -> set[str | None]:
    return {control.governor for control in known.values()}


def _within(control: Control, value: float) -> float:
    """Return `value`, or the next below that the control has."""
    value = min(max(value, control.minimum), control.maximum)
    if control.step < 1:  # libcamera's, which take any value
        return value
    return control.minimum + (value - control.minimum) // control.step * control.step
