"""What all entities of a camera share."""

from typing import override

from homeassistant.const import CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import TripodCoordinator
from .data import TripodConfigEntry
from .engine.camera import Camera
from .engine.pipeline import Pipeline
from .engine.status import Status

BRAND = "Tripod"

MODELS = {
    "csi": "CSI camera",
    "motion_in_ocean": "motion-in-ocean camera",
    "node": "Node camera",
    "test_pattern": "Test pattern",
    "url": "Network camera",
    "v4l2": "V4L2 camera",
}
"""What a device is called, by its kind of source: a proper name, which Home Assistant does not translate."""


class TripodEntity(CoordinatorEntity[TripodCoordinator]):
    """An entity that shows a pipeline's status."""

    _attr_has_entity_name = True

    def __init__(self, entry: TripodConfigEntry, description: EntityDescription) -> None:
        """Show the part of `entry`'s camera that `description` names."""
        super().__init__(entry.runtime_data.coordinator)
        self.entity_description = description
        self.entry: TripodConfigEntry = entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            manufacturer=BRAND,
            model=MODELS[self.pipeline.source.kind],
            configuration_url=entry.data[CONF_URL] if self.pipeline.source.kind == "node" else None,
        )

    @property
    @override
    def available(self) -> bool:
        """Stay available: core's actions skip what is not, and a camera that failed must be startable."""
        return True

    @property
    def pipeline(self) -> Pipeline:
        """The camera's pipeline."""
        return self.coordinator.pipeline

    @property
    def status(self) -> Status:
        """The camera's status as last published."""
        return self.coordinator.data


class KeptEntity(TripodEntity):
    """An entity that shows what is kept of a camera."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is kept."""
        await super().async_added_to_hass()
        self.async_on_remove(self.camera.listen(self.show))

    @property
    def camera(self) -> Camera:
        """The camera, with what it keeps."""
        return self.entry.runtime_data.camera

    @callback
    def show(self) -> None:
        """Show what changed."""
        self.async_write_ha_state()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write nothing: the pipeline's numbers are not shown here."""
