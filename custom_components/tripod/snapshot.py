"""A picture as a file: where it may go, and how it gets there whole."""

from datetime import datetime
import errno
import os
from pathlib import Path
import secrets

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .engine.errors import DiskFull
from .sentences import translated

SUFFIXES = (".jpg", ".jpeg")

FOLDER = "tripod"

MODE = 0o644


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
    """Write a whole file or none: beside the target, onto the disk, then in place of it.

    Blocks; raises `HomeAssistantError`.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_part(part, data)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise translated(DiskFull(str(path.parent))) from error
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="cannot_write",
            translation_placeholders={"path": str(path), "reason": error.strerror or str(error)},
        ) from error


def _write_part(part: Path, data: bytes) -> None:
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    """Make the rename itself outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(key: str, name: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders={"filename": name}
    )
