"""Controls of a camera that are menus, and who decides about its exposure."""

from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control_entity import ControlEntity, add_controls
from .data import TripodConfigEntry
from .engine.controls import ControlKind
from .engine.errors import TripodError
from .engine.exposure import Exposure
from .entity import TripodEntity
from .exposure import CameraExposure
from .sentences import translated

PARALLEL_UPDATES = 1

EXPOSURE = SelectEntityDescription(key="exposure", translation_key="exposure", entity_category=EntityCategory.CONFIG)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the menus of a camera."""
    add_controls(entry, ControlKind.MENU, ControlSelect, async_add_entities)
    exposure = entry.runtime_data.exposure
    if exposure is None:
        return
    added = False

    @callback
    def add() -> None:
        nonlocal added
        if exposure.modes and not added:
            added = True
            async_add_entities([ExposureSelect(entry, exposure)])

    add()
    entry.async_on_unload(exposure.listen(add))


class ControlSelect(ControlEntity, SelectEntity):
    """A control with a menu, in the driver's own words."""

    description = SelectEntityDescription

    @property
    def _labels(self) -> dict[int, str]:
        """The menu's values and what they are called, each differently."""
        labels: dict[int, str] = {}
        for value, name in self.control.choices.items():
            label = name.strip() or str(value)
            labels[value] = f"{label} ({value})" if label in labels.values() else label
        return labels

    @property
    @override
    def options(self) -> list[str]:
        """Return the menu."""
        return list(self._labels.values())

    @property
    @override
    def current_option(self) -> str | None:
        """Return the entry that is chosen."""
        return None if self.reading is None else self._labels.get(int(self.reading))

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose an entry."""
        await self.turn(next(value for value, label in self._labels.items() if label == option))


class ExposureSelect(TripodEntity, SelectEntity):
    """Who decides how long pictures are exposed."""

    def __init__(self, entry: TripodConfigEntry, exposure: CameraExposure) -> None:
        """Show the exposure mode of `entry`'s camera."""
        super().__init__(entry, EXPOSURE)
        self._exposure = exposure

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the mode."""
        await super().async_added_to_hass()
        self.async_on_remove(self._exposure.listen(self.async_write_ha_state))

    @property
    @override
    def options(self) -> list[str]:
        """Return the modes that the camera's controls allow."""
        return [mode.value for mode in self._exposure.modes]

    @property
    @override
    def current_option(self) -> str | None:
        """Return the mode; None where the user turned the controls by hand since."""
        mode = self._exposure.current
        return mode and mode.value

    @override
    async def async_select_option(self, option: str) -> None:
        """Set the mode, until the sun or the entity of the options changes it."""
        try:
            await self._exposure.set(Exposure(option))
        except TripodError as error:
            raise translated(error) from error
