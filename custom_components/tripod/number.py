"""Controls of a camera that are numbers: focus, zoom, exposure time, brightness."""

from typing import override

from homeassistant.components.number import NumberEntity, NumberEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control_entity import ControlEntity, add_controls
from .data import TripodConfigEntry
from .engine.controls import ControlKind

PARALLEL_UPDATES = 1

PLACES = 3
"""Decimals shown: libcamera's numbers have no end."""


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the numbers of a camera."""
    add_controls(entry, ControlKind.NUMBER, ControlNumber, async_add_entities)


class ControlNumber(ControlEntity, NumberEntity):
    """A control with a range."""

    description = NumberEntityDescription

    @property
    @override
    def native_min_value(self) -> float:
        """Return the least value."""
        return self._shown(self.control.minimum)

    @property
    @override
    def native_max_value(self) -> float:
        """Return the greatest value."""
        return self._shown(self.control.maximum)

    @property
    @override
    def native_step(self) -> float | None:
        """Return how far values lie apart; None where the camera does not say."""
        return self.control.step / self.about.scale or None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the unit, where it is known."""
        return self.about.unit

    @property
    @override
    def native_value(self) -> float | None:
        """Return the value."""
        return None if self.reading is None else self._shown(self.reading)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the value."""
        wanted = value * self.about.scale
        await self.turn(round(wanted) if float(self.control.step).is_integer() else wanted)

    def _shown(self, value: float) -> float:
        return round(value / self.about.scale, PLACES)
