"""The archives' files and folders as the outside addresses them."""

from contextlib import suppress
from typing import Final
from urllib.parse import quote

from homeassistant.components.media_player import BrowseError
from homeassistant.components.media_source import Unresolvable
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import TripodConfigEntry
from .engine.archive import Archive
from .engine.errors import LowSpace, NoSuchItem, NotWritable

MEDIA_URL: Final = "/api/tripod/media/{camera}/{key}"
THUMBNAIL_URL: Final = "/api/tripod/thumbnail/{camera}/{key}"

_ESCAPES: Final = {"~": "~7E", "%": "~25", "#": "~23"}
"""How addresses write what the name of a timelapse may have, and Home Assistant loses when it signs an address."""


class CameraNotSetUp(BrowseError, Unresolvable):
    """The camera is disabled, or its set-up is under way or failed."""

    def __init__(self, name: str) -> None:
        """Name the camera."""
        super().__init__(
            translation_domain=DOMAIN,
            translation_key="camera_not_set_up",
            translation_placeholders={"camera": name},
        )


@callback
def cameras(hass: HomeAssistant) -> list[TripodConfigEntry]:
    """Return the cameras that are set up, by name."""
    return sorted(hass.config_entries.async_loaded_entries(DOMAIN), key=lambda entry: entry.title.casefold())


@callback
def camera(hass: HomeAssistant, entry_id: str) -> TripodConfigEntry:
    """Return the camera of this id; raises `NoSuchItem` or `CameraNotSetUp`."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise NoSuchItem(item=entry_id)
    if entry.state is not ConfigEntryState.LOADED:
        raise CameraNotSetUp(entry.title)
    return entry


def archive_of(entry: TripodConfigEntry) -> Archive:
    """Return a camera's archive; raises what keeps it from being read. Blocks."""
    camera = entry.runtime_data.camera
    if not camera.present:
        raise camera.error or CameraNotSetUp(entry.title)
    with suppress(LowSpace, NotWritable):  # what is there can be read
        camera.archive.check()
    return camera.archive


def url(template: str, entry: TripodConfigEntry, key: str) -> str:
    """Return the address of a file or folder, as one of the templates above has it."""
    for character, escape in _ESCAPES.items():
        key = key.replace(character, escape)
    return template.format(camera=entry.entry_id, key=quote(key))


def key_of(path: str) -> str:
    """Return the key that an address of ours ends with; one that was written by hand may do without our escapes."""
    for character, escape in reversed(_ESCAPES.items()):
        path = path.replace(escape, character)
    return path
