"""The entities of a camera's publications: a switch, whether the server takes the video, and what it is doing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import publications
from .data import TripodConfigEntry
from .engine.publisher import Publisher, PublisherState, PublisherStatus
from .entity import TripodEntity
from .sentences import describe, describe_server

SWITCH: Final = SwitchEntityDescription(key="publication", translation_key="publication")

CONNECTED: Final = BinarySensorEntityDescription(
    key="publication_connected",
    translation_key="publication_connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

STATE: Final = SensorEntityDescription(
    key="publication_state",
    translation_key="publication_state",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[state.value for state in PublisherState],
)


class PublicationEntity(TripodEntity):
    """An entity of one publication."""

    def __init__(self, entry: TripodConfigEntry, description: EntityDescription, publication: ConfigSubentry) -> None:
        """Show the publication that a subentry describes."""
        super().__init__(entry, description)
        self.publication = publication.subentry_id
        self._attr_unique_id = f"{_prefix(entry, description)}{self.publication}"
        self._attr_translation_placeholders = {"name": publication.title}

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the publisher."""
        await super().async_added_to_hass()
        self.async_on_remove(self.entry.runtime_data.camera.publications.listen(self.async_write_ha_state))

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the camera's numbers are not shown here."""

    @property
    def publisher(self) -> Publisher | None:
        """What publishes; None once it is deleted."""
        return self.entry.runtime_data.camera.publications.publishers.get(self.publication)

    @property
    def published(self) -> PublisherStatus | None:
        """How it is now."""
        return self.publisher.status if self.publisher else None


class PublicationSwitch(PublicationEntity, SwitchEntity):
    """On: the video goes to the server whenever there is any. Off: nothing does."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is switched on."""
        return self.publisher.on if self.publisher else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Publish."""
        await self._switch(on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """End the connection."""
        await self._switch(on=False)

    async def _switch(self, *, on: bool) -> None:
        if self.publisher:
            await publications.switch(self.hass, self.publication, self.publisher, on=on)
            self.async_write_ha_state()


class PublicationConnected(PublicationEntity, BinarySensorEntity):
    """Whether the server takes the video; unknown while that is switched off."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it does."""
        if self.published is None or self.published.state is PublisherState.STOPPED:
            return None
        return self.published.state is PublisherState.PUBLISHING


class PublicationState(PublicationEntity, SensorEntity):
    """What the publication is doing, and why it does not publish."""

    @property
    @override
    def native_value(self) -> str | None:
        """Return the state."""
        return self.published.state.value if self.published else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return the reason, in words, and what went to the server."""
        if (status := self.published) is None or self.publisher is None:
            return {}
        found: dict[str, Any] = {"server": self.publisher.publication.address, "restarts": status.restarts}
        if status.error is not None:
            away = status.state is PublisherState.WAITING
            found["reason"] = (describe if away else describe_server)(self.hass, status.error)
        return found


@dataclass(frozen=True, slots=True)
class _Kind:
    """The entities of one platform."""

    description: EntityDescription
    make: Callable[[TripodConfigEntry, EntityDescription, ConfigSubentry], PublicationEntity]


KINDS: Final = {
    "binary_sensor": _Kind(CONNECTED, PublicationConnected),
    "sensor": _Kind(STATE, PublicationState),
    "switch": _Kind(SWITCH, PublicationSwitch),
}
"""What a publication has, by platform."""


@callback
def add_publications(
    platform: str, hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Have the entity of a platform for each publication, now and when they are added or deleted."""
    kind = KINDS[platform]
    added: set[str] = set()

    @callback
    def look() -> None:
        subentries = publications.configured(entry)
        _forget_others(hass, entry, _prefix(entry, kind.description), set(subentries))
        new = [kind.make(entry, kind.description, item) for name, item in subentries.items() if name not in added]
        added.clear()
        added.update(subentries)
        async_add_entities(new)

    async def changed(_hass: HomeAssistant, _entry: TripodConfigEntry) -> None:
        look()

    look()
    entry.async_on_unload(entry.add_update_listener(changed))


def _prefix(entry: TripodConfigEntry, description: EntityDescription) -> str:
    return f"{entry.entry_id}_{description.key}_"


def _forget_others(hass: HomeAssistant, entry: TripodConfigEntry, prefix: str, kept: set[str]) -> None:
    """Forget the entities of publications that were deleted: they belong to the camera's device, which stays."""
    registry = er.async_get(hass)
    for known in _known(registry, entry, prefix):
        if known.unique_id.removeprefix(prefix) not in kept:
            registry.async_remove(known.entity_id)


def _known(registry: er.EntityRegistry, entry: TripodConfigEntry, prefix: str) -> Iterator[er.RegistryEntry]:
    for known in er.async_entries_for_config_entry(registry, entry.entry_id):
        if known.unique_id.startswith(prefix) and known.unique_id.count("_") == prefix.count("_"):
            yield known
