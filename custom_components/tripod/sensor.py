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
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfDataRate, UnitOfInformation, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .data import TripodConfigEntry
from .engine.archive import Kind
from .engine.camera import Camera
from .engine.errors import TripodError
from .engine.status import State, Status
from .engine.timelapse import JobStatus
from .entity import KeptEntity, TripodEntity
from .hand_over import HandOver
from .publication_entity import add_publications
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


@dataclass(frozen=True, kw_only=True)
class KeptSensorDescription(SensorEntityDescription):
    """One number of what is kept of a camera."""

    value_fn: Callable[[Camera], StateType]
    attributes_fn: Callable[[Camera], Mapping[str, Any]] = lambda _: {}


def _storage_used(camera: Camera) -> int | None:
    return camera.kept.size if camera.present else None


def _storage_by_kind(camera: Camera) -> Mapping[str, Any]:
    sizes = dict.fromkeys(map(str, Kind), 0)
    for (kind, _), usage in camera.kept.usage.items():
        sizes[kind] += usage.size
    return {**sizes, "free": camera.kept.free}


def _by_job(camera: Camera, value_fn: Callable[[JobStatus], int]) -> Mapping[str, int]:
    return {status.job.name: value_fn(status) for status in camera.timelapses.jobs}


def _frames_today(camera: Camera) -> Mapping[str, Any]:
    return {
        "jobs": _by_job(camera, lambda status: status.frames_today),
        "missed": _by_job(camera, lambda status: status.missed),
        "skipped": _by_job(camera, lambda status: status.skipped),
    }


def _render_progress(camera: Camera) -> int | None:
    return round(camera.renders[0].progress * 100) if camera.renders else None


def _renders(camera: Camera) -> Mapping[str, Any]:
    return {"renders": [{"render": render.id, "job": render.request.job} for render in camera.renders]}


KEPT = (
    KeptSensorDescription(
        key="recordings",
        translation_key="recordings",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda camera: len(camera.recordings),
        attributes_fn=lambda camera: {"recordings": [recording.id for recording in camera.recordings]},
    ),
    KeptSensorDescription(
        key="timelapses",
        translation_key="timelapses",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda camera: sum(status.running for status in camera.timelapses.jobs),
        attributes_fn=lambda camera: {"jobs": [status.job.name for status in camera.timelapses.jobs if status.running]},
    ),
    KeptSensorDescription(
        key="frames_today",
        translation_key="frames_today",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda camera: sum(status.frames_today for status in camera.timelapses.jobs),
        attributes_fn=_frames_today,
    ),
    KeptSensorDescription(
        key="render_progress",
        translation_key="render_progress",
        native_unit_of_measurement=PERCENTAGE,
        value_fn=_render_progress,
        attributes_fn=_renders,
    ),
    KeptSensorDescription(
        key="storage_used",
        translation_key="storage_used",
        device_class=SensorDeviceClass.DATA_SIZE,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.GIGABYTES,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=2,
        value_fn=_storage_used,
        attributes_fn=_storage_by_kind,
    ),
    KeptSensorDescription(
        key="storage_forecast",
        translation_key="storage_forecast",
        device_class=SensorDeviceClass.DURATION,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.DAYS,
        suggested_display_precision=0,
        value_fn=lambda camera: camera.kept.forecast,
    ),
)


HAND_OVER = SensorEntityDescription(
    key="hand_over",
    translation_key="hand_over",
    entity_category=EntityCategory.DIAGNOSTIC,
    state_class=SensorStateClass.MEASUREMENT,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of a camera."""
    async_add_entities(TripodSensor(entry, description) for description in DESCRIPTIONS)
    async_add_entities(KeptSensor(entry, description) for description in KEPT)
    add_publications("sensor", hass, entry, async_add_entities)
    if hand_over := entry.runtime_data.hand_over:
        async_add_entities([HandOverSensor(entry, hand_over)])


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


class KeptSensor(KeptEntity, SensorEntity):
    """One number of what is kept of a camera."""

    entity_description: KeptSensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """Return the value."""
        return self.entity_description.value_fn(self.camera)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return what the value is made of."""
        return self.entity_description.attributes_fn(self.camera)


class HandOverSensor(TripodEntity, SensorEntity):
    """How many files a node still keeps of its camera, while they come here."""

    def __init__(self, entry: TripodConfigEntry, hand_over: HandOver) -> None:
        """Show what `hand_over` does."""
        super().__init__(entry, HAND_OVER)
        self._hand_over = hand_over

    @override
    async def async_added_to_hass(self) -> None:
        """Follow it."""
        await super().async_added_to_hass()
        self.async_on_remove(self._hand_over.listen(self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> int:
        """Return how many are left."""
        return self._hand_over.waiting

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Return how many came, how many stay there, and why the others do not come."""
        hand_over = self._hand_over
        counts = {"taken": hand_over.taken, "refused": hand_over.refused}
        return {**counts, "reason": describe(self.hass, hand_over.error)} if hand_over.error else counts
