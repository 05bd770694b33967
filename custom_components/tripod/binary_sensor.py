"""Whether the camera can be reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import TripodConfigEntry
from .engine.status import State, Status
from .entity import TripodEntity
from .publication_entity import add_publications

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class TripodBinarySensorDescription(BinarySensorEntityDescription):
    """A fact about a camera."""

    value_fn: Callable[[Status], bool | None]


def _connected(status: Status) -> bool | None:
    """Return whether pictures come; None while nobody asked for any, so nobody knows."""
    if status.state is State.STREAMING:
        return True
    return None if status.error is None else False


DESCRIPTIONS = (
    TripodBinarySensorDescription(
        key="connectivity",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_connected,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of a camera."""
    async_add_entities(TripodBinarySensor(entry, description) for description in DESCRIPTIONS)
    add_publications("binary_sensor", hass, entry, async_add_entities)


class TripodBinarySensor(TripodEntity, BinarySensorEntity):
    """A fact about a camera."""

    entity_description: TripodBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is so."""
        return self.entity_description.value_fn(self.status)
