"""The publications of a camera as they are configured: servers that its video is pushed to."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant

from .const import SUBENTRY_PUBLICATION
from .data import TripodConfigEntry
from .engine.errors import CannotPublish
from .engine.publisher import Publication, Publisher
from .shared import SHARED


def configured(entry: ConfigEntry) -> dict[str, ConfigSubentry]:
    """Return the publications of a camera that can be, by id."""
    return {item.subentry_id: item for item in entry.get_subentries_of_type(SUBENTRY_PUBLICATION) if _of(item)}


def _of(subentry: ConfigSubentry) -> Publication | None:
    try:
        return Publication.from_dict(subentry.data)
    except CannotPublish:  # as an older or newer Tripod stored it
        return None


async def stand(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Have the publications that are configured now and no others, but for those that are switched off."""
    storage, subentries = hass.data[SHARED].storage, configured(entry)
    await entry.runtime_data.camera.publications.stand(
        {name: Publication.from_dict(item.data) for name, item in subentries.items()},
        off={name for name in subentries if storage.unpublished(name)},
        titles={name: item.title for name, item in subentries.items()},
    )


async def switch(hass: HomeAssistant, publication: str, publisher: Publisher, *, on: bool) -> None:
    """Switch a publication on or off, also for after a restart."""
    if on:
        publisher.start()
    else:
        await publisher.stop()
    hass.data[SHARED].storage.set_unpublished(publication, not on)


def diagnostics(entry: TripodConfigEntry) -> list[dict[str, Any]]:
    """Return what is published where, without secrets."""
    publishers = entry.runtime_data.camera.publications.publishers
    return [
        {
            "address": publisher.publication.address,
            "sound": publisher.publication.sound,
            "state": publisher.status.state,
            "error": publisher.status.error and publisher.status.error.cause,
            "frames": publisher.status.frames,
            "bytes": publisher.status.bytes,
            "dropped": publisher.status.dropped,
            "restarts": publisher.status.restarts,
        }
        for publisher in publishers.values()
    ]
