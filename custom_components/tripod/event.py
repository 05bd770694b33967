"""What happens to a camera and to what it keeps, as events for automations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.events import Event, Failed, Pruned, RecordingReady, TimelapseReady
from .engine.status import State
from .entity import TripodEntity
from .media_facts import facts
from .sentences import describe

PARALLEL_UPDATES = 0

CHANGE = EventEntityDescription(
    key="change",
    translation_key="change",
    entity_category=EntityCategory.DIAGNOSTIC,
    event_types=[state.value for state in State],
)

CAMERA_LOST: Final = "camera_lost"
CAMERA_BACK: Final = "camera_back"

CONNECTION = EventEntityDescription(
    key="connection",
    translation_key="connection",
    event_types=[CAMERA_LOST, CAMERA_BACK],
)

FAILED: Final = "failed"
PRUNED: Final = "pruned"
RECORDING_READY: Final = "recording_ready"
TIMELAPSE_READY: Final = "timelapse_ready"


@dataclass(frozen=True, kw_only=True)
class KeptEventDescription(EventEntityDescription):
    """What becomes of one kind of files."""

    failures: frozenset[str]
    """What failed, as the engine calls it, that is told here."""


KEPT = (
    KeptEventDescription(
        key="recording",
        translation_key="recording",
        event_types=[RECORDING_READY, FAILED],
        failures=frozenset({"recording"}),
    ),
    KeptEventDescription(
        key="timelapse",
        translation_key="timelapse",
        event_types=[TIMELAPSE_READY, FAILED],
        failures=frozenset({"timelapse", "frame"}),
    ),
    KeptEventDescription(
        key="storage",
        translation_key="storage",
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=[PRUNED, FAILED],
        failures=frozenset({"archive"}),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the events of a camera."""
    async_add_entities(
        [
            ChangeEvent(entry, CHANGE),
            ConnectionEvent(entry, CONNECTION),
            *(KeptEvent(entry, description) for description in KEPT),
        ]
    )


class TripodEvent(TripodEntity, EventEntity):
    """An event that is fired as it happens."""

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: what the coordinator refreshes is no event."""

    @callback
    def fire(self, event_type: str, attributes: Mapping[str, Any]) -> None:
        """Let it happen."""
        self._trigger_event(event_type, dict(attributes))
        self.async_write_ha_state()

    def why(self, error: TripodError | None) -> dict[str, str]:
        """Return the cause, and the reason in words."""
        return {"cause": error.cause, "reason": describe(self.hass, error)} if error else {}


class ChangeEvent(TripodEvent):
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
        before, state = self._before, self.pipeline.state
        if state is not before:
            self._before = state
            self.fire(state.value, {"previous": before.value, **self.why(self.pipeline.error)})


class ConnectionEvent(TripodEvent):
    """An event when the pictures of a camera stay away, and one when they are back."""

    _lost = False

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the camera."""
        await super().async_added_to_hass()
        self._look()
        self.async_on_remove(self.pipeline.listen(self._look))

    @callback
    def _look(self) -> None:
        state, error = self.pipeline.state, self.pipeline.error
        if state is State.RETRYING and error and not self._lost:
            self._lost = True
            self.fire(CAMERA_LOST, self.why(error))
        elif state is State.STREAMING and self._lost:
            self._lost = False
            self.fire(CAMERA_BACK, {})


class KeptEvent(TripodEvent):
    """An event when files are ready, or gone, or could not be made."""

    entity_description: KeptEventDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Hear what becomes of files."""
        await super().async_added_to_hass()
        self.async_on_remove(self.entry.runtime_data.camera.hear(self._hear))

    @callback
    def _hear(self, event: Event) -> None:
        if (told := self._told(event)) and told[0] in self.event_types:
            self.fire(*told)

    def _told(self, event: Event) -> tuple[str, dict[str, Any]] | None:
        match event:
            case RecordingReady(item, details):
                return RECORDING_READY, facts(self.entry, item, details)
            case TimelapseReady(item, details):
                return TIMELAPSE_READY, {"job": item.job, **facts(self.entry, item, details)}
            case Pruned(count, size, kinds):
                return PRUNED, {"count": count, "size": size, **{str(kind): number for kind, number in kinds.items()}}
            case Failed(what, name, error) if what in self.entity_description.failures:
                return FAILED, {"what": what, "name": name, **self.why(error)}
            case _:
                return None
