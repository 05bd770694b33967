"""The last pictures that were kept of a camera."""

from dataclasses import dataclass
from pathlib import Path
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import TripodConfigEntry
from .engine.archive import Item, Kind, files
from .engine.errors import TripodError
from .entity import KeptEntity
from .sentences import translated

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class KeptImageDescription(ImageEntityDescription):
    """The newest picture of one kind."""

    kind: Kind


DESCRIPTIONS = (
    KeptImageDescription(key="last_snapshot", translation_key="last_snapshot", kind=Kind.SNAPSHOT),
    KeptImageDescription(key="last_timelapse_frame", translation_key="last_timelapse_frame", kind=Kind.FRAME),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: TripodConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the pictures of a camera."""
    async_add_entities(KeptImage(hass, entry, description) for description in DESCRIPTIONS)


class KeptImage(KeptEntity, ImageEntity):
    """The newest picture of one kind that is kept."""

    entity_description: KeptImageDescription

    def __init__(self, hass: HomeAssistant, entry: TripodConfigEntry, description: KeptImageDescription) -> None:
        """Show what `description` names of the camera of `entry`."""
        super().__init__(entry, description)
        ImageEntity.__init__(self, hass)
        self._item: Item | None = None
        self._take()

    @callback
    @override
    def show(self) -> None:
        """Show the newest."""
        if self._take():
            self.async_write_ha_state()

    def _take(self) -> bool:
        """Take the newest over, and return whether it is another one."""
        item = self.camera.kept.newest.get(self.entity_description.kind)
        if item == self._item:
            return False
        self._item = item
        self._attr_image_last_updated = item.captured_at if item else None
        return True

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture; None where there is none."""
        if self._item is None:
            return None
        try:
            return await self.hass.async_add_executor_job(_read, self._item.path)
        except TripodError as error:
            raise translated(error) from error


def _read(path: Path) -> bytes:
    with files.explained(path):
        return path.read_bytes()
