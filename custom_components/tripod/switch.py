"""Whether the camera may run."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import control
from .data import TripodConfigEntry
from .engine.status import State
from .entity import TripodEntity

PARALLEL_UPDATES = 1

STREAM = SwitchEntityDescription(key="stream", translation_key="stream")


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switch of a camera."""
    async_add_entities([StreamSwitch(entry, STREAM)])


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
