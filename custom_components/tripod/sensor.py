"""What a camera is doing, in words and numbers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import time
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfDataRate, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.status import State, Status
from .entity import TripodEntity
from .sentences import describe

PARALLEL_UPDATES = 0

NO_ERROR = "none"


def causes(error: type[TripodError] = TripodError) -> Iterator[str]:
    """Yield the cause of every error there is."""
    for kind in error.__subclasses__():
        yield kind.cause
        yield from causes(kind)


@dataclass(frozen=True, kw_only=True)
class TripodSensorDescription(SensorEntityDescription):
    """One value of a camera's status."""

    value_fn: Callable[[Status], StateType]
    error_fn: Callable[[Status], TripodError | None] | None = None
    """The error that an attribute explains."""


def _frame_age(status: Status) -> float | None:
    return None if status.frame_at is None else max(0.0, time.time() - status.frame_at)


DESCRIPTIONS = (
    TripodSensorDescription(
        key="state",
        translation_key="state",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=[state.value for state in State],
        value_fn=lambda status: status.state.value,
        error_fn=lambda status: status.error,
    ),
    TripodSensorDescription(
        key="last_error",
        translation_key="last_error",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=[NO_ERROR, *causes()],
        value_fn=lambda status: status.last_error.cause if status.last_error else NO_ERROR,
        error_fn=lambda status: status.last_error,
    ),
    TripodSensorDescription(
        key="frame_rate",
        translation_key="frame_rate",
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement="fps",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        # changes with every reading while the camera runs
        entity_registry_enabled_default=False,
        value_fn=lambda status: round(status.frames_per_second, 1),
    ),
    TripodSensorDescription(
        key="frame_age",
        translation_key="frame_age",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        # changes with every reading while the camera runs
        entity_registry_enabled_default=False,
        value_fn=_frame_age,
    ),
    TripodSensorDescription(
        key="bit_rate",
        translation_key="bit_rate",
        device_class=SensorDeviceClass.DATA_RATE,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfDataRate.BITS_PER_SECOND,
        suggested_unit_of_measurement=UnitOfDataRate.MEGABITS_PER_SECOND,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        # changes with every reading while the camera runs
        entity_registry_enabled_default=False,
        value_fn=lambda status: round(status.bit_rate),
    ),
    TripodSensorDescription(
        key="viewers",
        translation_key="viewers",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda status: len(status.viewers),
    ),
    TripodSensorDescription(
        key="restarts",
        translation_key="restarts",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda status: status.restarts,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of a camera."""
    async_add_entities(TripodSensor(entry, description) for description in DESCRIPTIONS)


class TripodSensor(TripodEntity, SensorEntity):
    """One value of a camera's status."""

    entity_description: TripodSensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """Return the value."""
        return self.entity_description.value_fn(self.status)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the reason, in words, where the value has one."""
        explain = self.entity_description.error_fn
        if explain is None or (error := explain(self.status)) is None:
            return None
        return {"reason": describe(self.hass, error)}
