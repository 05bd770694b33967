"""The action that keeps a picture."""

from functools import partial
from pathlib import Path
import time
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import CONF_FILENAME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from ..const import DOMAIN
from ..engine.archive import Kind, confined, files
from ..engine.archive.item import SUFFIXES
from ..engine.errors import FormatNotSupported, InvalidName
from ..engine.feed import Frame
from ..engine.ffmpeg import Ffmpeg
from ..engine.jpeg import dimensions
from ..engine.pipeline import Pipeline
from ..engine.web.fit import Fit, Fitter
from ..media_facts import facts
from ..shared import tools
from .fields import PIXELS, Fields
from .names import fill

if TYPE_CHECKING:
    from ..camera import TripodCamera

CONF_AFTER_NOW: Final = "after_now"
CONF_FULL_SIZE: Final = "full_size"
CONF_MAX_AGE: Final = "max_age"
CONF_WIDTH: Final = "width"

JPEG = tuple(suffix for suffix in SUFFIXES[Kind.SNAPSHOT] if suffix.startswith(".jp"))

SNAPSHOT: Fields = {
    probatio.Optional(CONF_FILENAME): cv.string,
    probatio.Optional(CONF_MAX_AGE): cv.positive_float,
    probatio.Optional(CONF_AFTER_NOW, default=False): cv.boolean,
    probatio.Optional(CONF_FULL_SIZE, default=False): cv.boolean,
    probatio.Optional(CONF_WIDTH): PIXELS,
}


async def snapshot(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Write a picture to a file, and say where it is and from when."""
    name = partial(fill, given.get(CONF_FILENAME, ""), camera=camera.entry.title)
    await _check(camera, name(captured_at=dt_util.now()))  # at once, not after the camera woke up
    frame, picture = await _picture(camera, given)
    captured_at = dt_util.as_local(dt_util.utc_from_timestamp(frame.captured_at))
    width, height = dimensions(picture)
    kept = await _keep(camera, frame, picture, name(captured_at=captured_at))
    return {"captured_at": captured_at.isoformat(), **kept, "width": width, "height": height}


async def _check(camera: TripodCamera, name: str) -> None:
    """Raise what keeps a picture of this name from being written."""
    if Path(name).is_absolute():
        await camera.hass.async_add_executor_job(_check_path, camera.hass, Path(name))
        return
    if name:
        confined(name, JPEG)
    await camera.entry.runtime_data.camera.ready()


async def _keep(camera: TripodCamera, frame: Frame, picture: bytes, name: str) -> dict[str, Any]:
    """Write a picture into the archive, or where its name leads."""
    if not Path(name).is_absolute():
        item = await camera.entry.runtime_data.camera.snapshot(frame, picture, name=name or None)
        return facts(camera.entry, item, {})
    path = await camera.hass.async_add_executor_job(_write, camera.hass, Path(name), picture)
    return {"media_content_id": _media_source_id(camera.hass, path), "path": str(path), "size": len(picture)}


def _check_path(hass: HomeAssistant, path: Path) -> None:
    """Refuse a path outside of the directories that Home Assistant may write to; blocks."""
    if "\0" in str(path) or path.suffix.lower() not in JPEG:
        raise InvalidName(f"{path} does not end with {' or '.join(JPEG)}")
    if ".." in path.parts or not hass.config.is_allowed_path(str(path)):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="path_not_allowed",
            translation_placeholders={"filename": str(path)},
        )


def _write(hass: HomeAssistant, path: Path, picture: bytes) -> Path:
    """Write a picture to a place of the user's own, in place of what was there; blocks."""
    _check_path(hass, path)  # again: a link may have come meanwhile
    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, picture)
    return path


def _media_source_id(hass: HomeAssistant, path: Path) -> str | None:
    """Return what the media browser calls the file; None where it does not show it."""
    for name, directory in hass.config.media_dirs.items():
        if path.is_relative_to(directory):
            return f"media-source://media_source/{name}/{path.relative_to(directory)}"
    return None


async def _picture(camera: TripodCamera, wanted: dict[str, Any]) -> tuple[Frame, bytes]:
    """Return the frame as captured, and its picture in the width that is wanted."""
    after = time.time() if wanted[CONF_AFTER_NOW] else None
    if wanted[CONF_FULL_SIZE]:
        frame = await _still(camera.pipeline)
    else:
        frame = await camera.pipeline.snapshot(max_age=wanted.get(CONF_MAX_AGE), after=after)
    if width := wanted.get(CONF_WIDTH):
        return frame, await _fit(tools(camera.hass).ffmpeg, frame, width)
    return frame, frame.data


async def _still(pipeline: Pipeline) -> Frame:
    """Return a picture of the sensor's full size, taken now."""
    try:
        return Frame(await pipeline.still(), pipeline.clock(), 0)
    except FormatNotSupported as error:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_full_size") from error


async def _fit(ffmpeg: Ffmpeg, frame: Frame, width: int) -> bytes:
    fitter = Fitter(ffmpeg)
    try:
        return await fitter.fit(frame, Fit(width=width))
    finally:
        await fitter.close()
