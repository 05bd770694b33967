"""The form for what is kept of a camera, and the look at the folder that it names."""

from collections.abc import Mapping
import shutil
from tempfile import TemporaryFile
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
import probatio

from .archives import media_directory
from .const import CONF_FLOOR, CONF_FOLDER, CONF_MAX_AGE, CONF_MAX_COUNT, CONF_MAX_SIZE, DOMAIN
from .engine.archive import Kind
from .engine.archive.files import explained
from .engine.errors import ArchiveMissing, LowSpace
from .forms import TEXT, number
from .settings import MIB

CONF_TOTAL: Final = "total_max_size"
"""What all cameras together may take: the one field that is not about this camera alone."""

_MIB = "MiB"

LARGEST = 2**30
"""MiB: more than any disk has."""

SMALLEST_FLOOR = 16
"""MiB that stay free at least: below, file systems slow down, and the ledger itself cannot be written."""

_LIMITS = probatio.Schema(
    {
        probatio.Required(CONF_MAX_AGE, default=0): number(0, 36_500, "d"),
        probatio.Required(CONF_MAX_COUNT, default=0): number(0, 100_000_000),
        probatio.Required(CONF_MAX_SIZE, default=0): number(0, LARGEST, _MIB),
    }
)

STORAGE = probatio.Schema(
    {
        probatio.Optional(CONF_FOLDER): TEXT,
        probatio.Required(CONF_FLOOR): number(SMALLEST_FLOOR, LARGEST, _MIB),
        probatio.Required(CONF_MAX_SIZE): number(0, LARGEST, _MIB),
        probatio.Required(CONF_TOTAL): number(0, LARGEST, _MIB),
        **{probatio.Required(kind.value): section(_LIMITS, {"collapsed": True}) for kind in Kind},
    }
)


class FolderNotAllowed(Exception):
    """The folder is outside of the directories that Home Assistant may write to."""


def default_folder(hass: HomeAssistant) -> str:
    """Return the folder that is used where none is named."""
    return str(media_directory(hass) / DOMAIN)


def check(hass: HomeAssistant, stored: Mapping[str, Any]) -> None:
    """Try the folder and the floor of a filled-in form; blocks.

    Raises `FolderNotAllowed`, `ArchiveMissing` where neither the folder nor the one above it is there, `NotWritable`,
    `DiskFull`, or `LowSpace` where less is free already than is to stay free.
    """
    own = stored.get(CONF_FOLDER, "")
    folder = media_directory(hass) / (own or DOMAIN)
    if ".." in folder.parts or (own and not hass.config.is_allowed_path(str(folder))):
        raise FolderNotAllowed
    # the default may be made with all that is above it; a disk that is not mounted must not
    within = [folder, *folder.parents][: 2 if own else None]
    there = next((path for path in within if path.exists()), None)
    if there is None:
        raise ArchiveMissing(path=str(folder))
    with explained(folder):
        with TemporaryFile(dir=there) as file:
            file.write(b"Tripod")
        free = shutil.disk_usage(there).free
    if free < stored[CONF_FLOOR] * MIB:
        raise LowSpace(str(folder), floor=f"{stored[CONF_FLOOR]} {_MIB}", path=str(folder))
