"""Whether the camera may run, controls of it that are on or off, and its standing timelapses."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import control
from .control_entity import ControlEntity, add_controls
from .data import TripodConfigEntry
from .engine.controls import ControlKind
from .engine.status import State
from .entity import TripodEntity
from .publication_entity import add_publications
from .timelapse_switch import add_timelapses

PARALLEL_UPDATES = 1

STREAM = SwitchEntityDescription(key="stream", translation_key="stream")


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches of a camera."""
    async_add_entities([StreamSwitch(entry, STREAM)])
    add_controls(entry, ControlKind.SWITCH, ControlSwitch, async_add_entities)
    add_timelapses(hass, entry, async_add_entities)
    add_publications("switch", hass, entry, async_add_entities)


class StreamSwitch(TripodEntity, SwitchEntity):
    """On: the camera runs when it is wanted. Off: it is stopped until it is switched on."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the camera may run."""
        return self.status.state is not State.STOPPED

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Start the camera."""
        await control.start(self.hass, self.entry)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop the camera."""
        await control.stop(self.hass, self.entry)


class ControlSwitch(ControlEntity, SwitchEntity):
    """A control that is on or off, such as autofocus."""

    description = SwitchEntityDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is on."""
        return None if self.reading is None else bool(self.reading)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch it on."""
        await self.turn(1)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch it off."""
        await self.turn(0)
