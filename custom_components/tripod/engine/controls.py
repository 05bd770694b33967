"""What can be turned on a camera while it runs: focus, exposure, white balance and the rest.

A source that has controls makes one `Controls` for its pipeline, which lives as long as the pipeline does. It remembers
what the user set, and the capture puts that back before each start, so that a camera that was unplugged comes back as
it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
import logging

from .errors import ControlInactive, ControlLocked, InvalidControl, TripodError
from .listeners import Listeners

_LOGGER = logging.getLogger(__name__)


class ControlKind(StrEnum):
    """How a control is turned."""

    NUMBER = "number"
    SWITCH = "switch"
    """0 or 1."""
    MENU = "menu"
    """One of `choices`."""
    BUTTON = "button"
    """Has no value; setting it, to whatever, triggers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control as the camera describes it, with the value that it had when it was last read."""

    key: str
    """Stable, in lower case with underscores: `exposure_time_absolute`."""
    name: str
    """As the driver calls it: `Exposure Time, Absolute`."""
    kind: ControlKind
    value: float | None = None
    """None for a button, and for what the camera does not tell."""
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    default: float | None = None
    choices: Mapping[int, str] = field(default_factory=dict)
    """For a menu: the values, which may have gaps, and the driver's names of them."""
    inactive: bool = False
    """Whether the camera itself, in its present mode, ignores this control."""
    governor: str | None = None
    """The key of the control that makes this one inactive, where that is known."""
    governor_value: int | None = None
    """What the governor must be set to before this control takes effect."""

    def words(self, value: float) -> str:
        """Return a value as people read it."""
        if self.kind is ControlKind.SWITCH:
            return "on" if value else "off"
        return self.choices.get(int(value), f"{value:g}")


class Controls(ABC):
    """The controls of one camera. Subclasses read and write them; this remembers, checks and tells listeners."""

    def __init__(self, wanted: Mapping[str, float] | None = None) -> None:
        """Begin with what the user had set before, by key."""
        self.wanted: dict[str, float] = dict(wanted or {})
        """What the user set, which each start of the capture puts back."""
        self.current: dict[str, Control] = {}
        """All controls as last read, by key; empty until the camera was first reached."""
        self._listeners = Listeners()
        self._lock = asyncio.Lock()

    @abstractmethod
    async def _read(self) -> list[Control]:
        """Return all controls with their values; raises why the camera cannot be asked."""

    @abstractmethod
    async def _write(self, values: Mapping[str, float]) -> None:
        """Set these controls in this order; the camera may clamp. Raises what explains the first failure."""

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of `current` or `wanted`; return a function that ends this."""
        return self._listeners.add(callback)

    async def refresh(self) -> None:
        """Read all controls anew; raises a `TripodError` where the camera cannot be asked."""
        async with self._lock:
            await self._refresh()

    async def set(self, values: Mapping[str, float]) -> dict[str, Control]:
        """Set controls now, and again at each start of the capture; return them as read back.

        The camera may clamp a value silently, so the one read back counts. Raises `InvalidControl` for what the
        camera does not have, `ControlInactive` or `ControlLocked` for what it does not take now, and what else
        the device answers; then nothing of this is remembered.
        """
        async with self._lock:
            if not self.current or any(self.obstacle(key, values) for key in values):
                await self._refresh()  # another program may have turned what governs it
            for key, value in values.items():
                self._check(key, value, values)
            await self._write(dict(self._governors_first(values)))
            self.wanted.update({key: value for key, value in values.items() if self._lasts(key)})
            await self._refresh()
        return {key: self.current[key] for key in values if key in self.current}

    async def apply(self) -> None:
        """Put back what the user set, one control at a time, so that one that fails harms no other. Never raises."""
        async with self._lock:
            if not self.current:
                with suppress(TripodError):
                    await self._refresh()
            for key, value in self._governors_first(self.wanted):
                try:
                    await self._write({key: value})
                except TripodError as error:
                    _LOGGER.debug("Cannot put back %s: %s", key, error)
            with suppress(TripodError):
                await self._refresh()

    async def reset(self) -> None:
        """Forget what the user set, and put every control that the camera takes now back to its default.

        Raises a `TripodError` where the camera does not take it; what the user set is forgotten all the same.
        """
        async with self._lock:
            self.wanted.clear()
            await self._refresh()
            changed = {
                control.key: control.default
                for control in self.current.values()
                if control.default is not None and control.value not in (None, control.default) and not control.inactive
            }
            # an automatic comes last: once it is on, the camera ignores what it governs
            await self._write(dict(reversed(self._governors_first(changed))))
            await self._refresh()

    def forget(self, *keys: str) -> None:
        """Leave these controls, or all where none is named, to the camera from now on."""
        for key in keys or tuple(self.wanted):
            self.wanted.pop(key, None)
        self._changed()

    def obstacle(self, key: str, together: Mapping[str, float] | None = None) -> TripodError | None:
        """Return what keeps the control from being set now, alone or `together` with others; None for nothing."""
        control = self.current.get(key)
        if control is None or not control.inactive:
            return None
        governor = self.current.get(control.governor or "")
        if governor is None or control.governor_value is None:
            return ControlLocked(control=control.name)
        if (together or {}).get(governor.key) == control.governor_value:
            return None
        setting = governor.words(control.governor_value)
        return ControlInactive(control=control.name, governor=governor.name, setting=setting)

    async def _refresh(self) -> None:
        self.current = {control.key: control for control in await self._read()}
        self._changed()

    def _governors_first(self, values: Mapping[str, float]) -> list[tuple[str, float]]:
        governors = {control.governor for control in self.current.values()}
        return sorted(values.items(), key=lambda item: item[0] not in governors)

    def _lasts(self, key: str) -> bool:
        return key in self.current and self.current[key].kind is not ControlKind.BUTTON

    def _check(self, key: str, value: float, together: Mapping[str, float]) -> None:
        control = self.current.get(key)
        if control is None:
            raise InvalidControl("the camera has no such control", control=key)
        if control.kind is ControlKind.MENU and value not in control.choices:
            raise InvalidControl(f"it has no value {value:g}", control=control.name)
        if error := self.obstacle(key, together):
            raise error

    def _changed(self) -> None:
        self._listeners.tell()
