"""A picture as a file: where it may go, and how it gets there whole."""

from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .const import DOMAIN
from .engine.archive import files
from .engine.errors import TripodError
from .sentences import translated

SUFFIXES = (".jpg", ".jpeg")

FOLDER = "tripod"


def default_name(captured_at: datetime) -> str:
    """Return a file name that sorts by time and does not repeat."""
    return captured_at.strftime("%Y-%m-%d_%H-%M-%S-%f")[:-3] + SUFFIXES[0]


def resolve(hass: HomeAssistant, camera: str, name: str) -> Path:
    """Return where a snapshot of `camera` goes; may touch the file system.

    A relative `name` stays in the camera's folder in the media directory, an absolute one in the directories that
    Home Assistant may write to. Raises `ServiceValidationError` for all else.
    """
    path = Path(name)
    if "\0" in name or path.suffix.lower() not in SUFFIXES:
        raise _refused("not_a_picture_name", name)
    if not path.is_absolute():
        folder = (media_directory(hass) / FOLDER / camera).resolve()
        path = (folder / path).resolve()
        if not path.is_relative_to(folder):
            raise _refused("path_not_allowed", name)
    elif ".." in path.parts or not hass.config.is_allowed_path(str(path)):
        raise _refused("path_not_allowed", name)
    return path


def media_directory(hass: HomeAssistant) -> Path:
    """Return the directory that the media browser shows as local; raises `ServiceValidationError` without one."""
    directories = hass.config.media_dirs
    if not directories:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_media_directory")
    return Path(directories.get("local") or next(iter(directories.values())))


def media_source_id(hass: HomeAssistant, path: Path) -> str | None:
    """Return what the media browser calls the file; None where it does not show it."""
    for name, directory in hass.config.media_dirs.items():
        root = Path(directory).resolve()
        if path.is_relative_to(root):
            return f"media-source://media_source/{name}/{path.relative_to(root)}"
    return None


def write(path: Path, data: bytes) -> None:
    """Write a whole file or none; blocks, and raises `HomeAssistantError`."""
    try:
        with files.explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, data)
    except TripodError as error:
        raise translated(error) from error


def _refused(key: str, name: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders={"filename": name}
    )
