"""Each change of what a camera does, as an event for automations."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import TripodConfigEntry
from .engine.status import State
from .entity import TripodEntity
from .sentences import describe

PARALLEL_UPDATES = 0

CHANGE = EventEntityDescription(
    key="change",
    translation_key="change",
    entity_category=EntityCategory.DIAGNOSTIC,
    event_types=[state.value for state in State],
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the event of a camera."""
    async_add_entities([ChangeEvent(entry, CHANGE)])


class ChangeEvent(TripodEntity, EventEntity):
    """An event for each change of the camera's state, with what was before and why."""

    _before: State

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the camera."""
        await super().async_added_to_hass()
        self._before = self.pipeline.state
        self.async_on_remove(self.pipeline.listen(self._look))

    @callback
    def _look(self) -> None:
        before, state, error = self._before, self.pipeline.state, self.pipeline.error
        if state is before:
            return
        self._before = state
        why = {"cause": error.cause, "reason": describe(self.hass, error)} if error else {}
        self._trigger_event(state.value, {"previous": before.value, **why})
        self.async_write_ha_state()
