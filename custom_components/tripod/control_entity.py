"""What all entities of a camera's controls share: which of them are shown, in which unit, and why one cannot be set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, override

from homeassistant.const import (
    DEGREE,
    STATE_OFF,
    STATE_ON,
    EntityCategory,
    Platform,
    UnitOfTemperature,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_cached_translations

from .camera_controls import CameraControls
from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.controls import Control, ControlKind
from .engine.errors import ControlInactive, TripodError
from .entity import TripodEntity
from .sentences import describe, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What we know about a control beyond what the camera tells."""

    everyday: bool = False
    """Whether most people want it."""
    unit: str | None = None
    scale: float = 1
    """How much of the camera's own unit one of `unit` is."""


_MILLISECONDS = Known(everyday=True, unit=UnitOfTime.MILLISECONDS, scale=10)
"""V4L2 counts exposure in 100 µs."""

_DEGREES = Known(everyday=True, unit=DEGREE, scale=3600)
"""V4L2 counts angles in seconds of arc."""

_KELVIN = Known(everyday=True, unit=UnitOfTemperature.KELVIN)

_EVERYDAY = Known(everyday=True)

_SELDOM = Known()

KNOWN: dict[str, Known] = {
    # V4L2
    "auto_exposure": _EVERYDAY,
    "backlight_compensation": _SELDOM,
    "brightness": _EVERYDAY,
    "contrast": _SELDOM,
    "exposure_dynamic_framerate": _SELDOM,
    "exposure_time_absolute": _MILLISECONDS,
    "focus_absolute": _EVERYDAY,
    "focus_automatic_continuous": _EVERYDAY,
    "gain": _EVERYDAY,
    "gain_automatic": _EVERYDAY,
    "gamma": _SELDOM,
    "horizontal_flip": _SELDOM,
    "hue": _SELDOM,
    "led1_frequency": _SELDOM,
    "led1_mode": _SELDOM,
    "pan_absolute": _DEGREES,
    "power_line_frequency": _SELDOM,
    "saturation": _SELDOM,
    "sharpness": _SELDOM,
    "tilt_absolute": _DEGREES,
    "vertical_flip": _SELDOM,
    "white_balance_automatic": _EVERYDAY,
    "white_balance_temperature": _KELVIN,
    "zoom_absolute": _EVERYDAY,
    # libcamera
    "ae_constraint_mode": _SELDOM,
    "ae_enable": _EVERYDAY,
    "ae_exposure_mode": _SELDOM,
    "ae_metering_mode": _SELDOM,
    "af_mode": _EVERYDAY,
    "af_range": _SELDOM,
    "af_speed": _SELDOM,
    "af_trigger": _EVERYDAY,
    "analogue_gain": _EVERYDAY,
    "awb_enable": _EVERYDAY,
    "awb_mode": _EVERYDAY,
    "colour_temperature": _KELVIN,
    "exposure_time": Known(everyday=True, unit=UnitOfTime.MICROSECONDS),
    "exposure_value": _EVERYDAY,
    "frame_rate": Known(unit="fps"),
    "lens_position": Known(everyday=True, unit="dpt"),
    "noise_reduction_mode": _SELDOM,
}
"""The controls whose names are translated, by key."""


class ControlEntity(TripodEntity):
    """One control."""

    description: type[EntityDescription] = EntityDescription

    def __init__(self, entry: TripodConfigEntry, control: Control) -> None:
        """Show `control` of `entry`'s camera."""
        self.about = KNOWN.get(control.key, _SELDOM)
        description = self.description(
            key=f"control_{control.key}",
            translation_key=control.key if control.key in KNOWN else None,
            name=control.name,  # where there is no translation
            entity_category=EntityCategory.CONFIG,
            entity_registry_enabled_default=self.about.everyday,
        )
        super().__init__(entry, description)
        self.controls = controls_of(entry)
        self._described = control

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the control, which the camera or another control may change."""
        await super().async_added_to_hass()
        self.async_on_remove(self.controls.listen(self.async_write_ha_state))

    @property
    def control(self) -> Control:
        """The control, as last known: Home Assistant asks for the range of what is gone, too."""
        return self.controls.known.get(self._described.key, self._described)

    @property
    @override
    def available(self) -> bool:
        """Return whether the camera has the control: another one in its place may not."""
        return self._described.key in self.controls.known

    @property
    def reading(self) -> float | None:
        """The value in the camera's own unit; of a camera that is away, what it will be set to, if anything."""
        value = self.control.value
        return self.controls.engine.wanted.get(self.control.key) if value is None else value

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what keeps the control from being set now."""
        error = self.controls.engine.obstacle(self.control.key)
        return {"reason": describe(self.hass, self._named(error))} if error else None

    async def turn(self, value: float) -> None:
        """Set the control now, and for each start of the camera; raises `HomeAssistantError`."""
        try:
            await self.controls.engine.set({self.control.key: value})
        except TripodError as error:
            raise translated(self._named(error)) from error

    def _named(self, error: TripodError) -> TripodError:
        """Return the error with the controls called as their entities are, where the driver's words stand."""
        control, known = self.control, self.controls.known
        if not isinstance(error, ControlInactive) or control.governor is None or control.governor_value is None:
            return error
        governor = known[control.governor]
        return ControlInactive(
            control=_name(self.hass, control),
            governor=_name(self.hass, governor),
            setting=_setting(self.hass, governor, control.governor_value),
        )


_PLATFORMS = {
    ControlKind.NUMBER: Platform.NUMBER,
    ControlKind.SWITCH: Platform.SWITCH,
    ControlKind.MENU: Platform.SELECT,
    ControlKind.BUTTON: Platform.BUTTON,
}


def _name(hass: HomeAssistant, control: Control) -> str:
    """Return what the control's entity is called before the user renames it."""
    texts = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    return texts.get(f"component.{DOMAIN}.entity.{_PLATFORMS[control.kind]}.{control.key}.name", control.name)


def _setting(hass: HomeAssistant, control: Control, value: int) -> str:
    """Return what the control's entity shows for a value."""
    if control.kind is not ControlKind.SWITCH:
        return control.words(value)
    texts = async_get_cached_translations(hass, hass.config.language, "entity_component", Platform.SWITCH)
    state = STATE_ON if value else STATE_OFF
    return texts.get(f"component.{Platform.SWITCH}.entity_component._.state.{state}", control.words(value))


def controls_of(entry: TripodConfigEntry) -> CameraControls:
    """Return the controls of a camera that has some."""
    controls = entry.runtime_data.controls
    assert controls is not None
    return controls


@callback
def add_controls(
    entry: TripodConfigEntry,
    kind: ControlKind,
    make: Callable[[TripodConfigEntry, Control], ControlEntity],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add an entity for each control of `kind`, now and when more become known; each once."""
    controls, added = entry.runtime_data.controls, set[str]()
    if controls is None:
        return

    @callback
    def add() -> None:
        new = [control for control in controls.known.values() if control.kind is kind and control.key not in added]
        if new:
            added.update(control.key for control in new)
            async_add_entities([make(entry, control) for control in new])

    add()
    entry.async_on_unload(controls.listen(add))
