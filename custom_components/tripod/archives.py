"""Where a camera's archive is: in the media directory, or in a folder that the user allowed."""

from collections.abc import Callable
from pathlib import Path

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util, slugify

from . import settings
from .const import CONF_FOLDER, DOMAIN
from .data import TripodConfigEntry
from .engine.archive import Archive
from .engine.errors import NotWritable
from .shared import SHARED
from .storage import ArchivePlace

NOT_ALLOWED = "the folder is not in allowlist_external_dirs"


def make(hass: HomeAssistant, entry: TripodConfigEntry) -> Archive:
    """Return the archive of a camera, which may not be there yet."""
    place = _place(hass, entry)
    root = _root(hass, entry, place["name"])
    return Archive(
        root,
        entry.entry_id,
        zone=dt_util.get_default_time_zone(),
        floor=settings.floor(entry.options),
        known=place["root"] == str(root),
    )


def permit(hass: HomeAssistant, entry: TripodConfigEntry, archive: Archive) -> Callable[[], None]:
    """Return what raises `NotWritable`, and blocks, where Home Assistant may not write to the folder of an archive."""
    own = settings.storage(entry.options)[CONF_FOLDER]

    def permit() -> None:
        # the default is ours; what a user named leads anywhere
        if own and not hass.config.is_allowed_path(str(archive.root)):
            raise NotWritable(NOT_ALLOWED, path=str(archive.root))

    return permit


@callback
def watch(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Remember where a camera's archive was: when it is missing there, its disk is, and no other is begun.

    Days begin elsewhere in another time zone, so that the camera is then set up anew.
    """
    camera, storage = entry.runtime_data.camera, hass.data[SHARED].storage
    place = ArchivePlace(name=_place(hass, entry)["name"], root=str(camera.archive.root))

    @callback
    def look() -> None:
        if camera.present and storage.archive(entry.entry_id) != place:
            entry.async_create_task(hass, storage.set_archive(entry.entry_id, place), "remember the archive")

    @callback
    def look_at_zone(_: Event) -> None:
        if camera.archive.zone != dt_util.get_default_time_zone():
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(camera.listen(look))
    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, look_at_zone))


def media_directory(hass: HomeAssistant) -> Path:
    """Return the directory that the media browser shows as local, or where it would be by default."""
    directories = hass.config.media_dirs
    return Path(directories.get("local") or next(iter(directories.values()), hass.config.path("media")))


def _place(hass: HomeAssistant, entry: TripodConfigEntry) -> ArchivePlace:
    """Return where the archive of a camera is remembered to be, with a name of its own the first time."""
    storage = hass.data[SHARED].storage
    return storage.archive(entry.entry_id) or storage.reserve_archive(entry.entry_id, slugify(entry.title))


def _root(hass: HomeAssistant, entry: TripodConfigEntry, name: str) -> Path:
    """Return the camera's own folder, also in a folder that several cameras share."""
    return media_directory(hass) / (settings.storage(entry.options)[CONF_FOLDER] or DOMAIN) / name
