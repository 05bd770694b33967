"""Actions on cameras."""

from enum import StrEnum
from functools import partial
import time
from typing import TYPE_CHECKING, Any, cast

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.const import CONF_FILENAME
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.service import async_register_platform_entity_service
from homeassistant.util import dt as dt_util, slugify
import probatio

from . import control, snapshot
from .const import DOMAIN
from .engine.errors import FormatNotSupported, TripodError
from .engine.feed import Frame
from .engine.ffmpeg import Ffmpeg
from .engine.jpeg import dimensions
from .engine.pipeline import Pipeline
from .engine.web.fit import Fit, Fitter
from .sentences import translated
from .shared import tools

if TYPE_CHECKING:
    from .camera import TripodCamera

CONF_AFTER_NOW = "after_now"
CONF_FULL_SIZE = "full_size"
CONF_MAX_AGE = "max_age"
CONF_WIDTH = "width"

MAX_WIDTH = 16384


class Service(StrEnum):
    """The actions' names."""

    SNAPSHOT = "snapshot"
    START_STREAM = "start_stream"
    STOP_STREAM = "stop_stream"


SNAPSHOT_FIELDS: dict[str | probatio.Marker, Any] = {
    probatio.Optional(CONF_FILENAME): cv.string,
    probatio.Optional(CONF_MAX_AGE): cv.positive_float,
    probatio.Optional(CONF_AFTER_NOW, default=False): cv.boolean,
    probatio.Optional(CONF_FULL_SIZE, default=False): cv.boolean,
    probatio.Optional(CONF_WIDTH): probatio.All(probatio.Coerce(int), probatio.Range(min=16, max=MAX_WIDTH)),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    register = partial(
        async_register_platform_entity_service,
        hass,
        DOMAIN,
        entity_domain=CAMERA_DOMAIN,
        supports_response=SupportsResponse.OPTIONAL,
    )
    register(Service.START_STREAM, schema=None, func=_start_stream)
    register(Service.STOP_STREAM, schema=None, func=_stop_stream)
    register(Service.SNAPSHOT, schema=SNAPSHOT_FIELDS, func=_snapshot)


async def _start_stream(entity: Entity, _call: ServiceCall) -> ServiceResponse:
    """Let the camera run and start it."""
    camera = cast("TripodCamera", entity)
    found = await control.start(camera.hass, camera.entry)
    return {"found": found.value, "state": camera.pipeline.state.value}


async def _stop_stream(entity: Entity, _call: ServiceCall) -> ServiceResponse:
    """Stop the camera until it is started again."""
    camera = cast("TripodCamera", entity)
    found = await control.stop(camera.hass, camera.entry)
    return {"found": found.value, "state": camera.pipeline.state.value}


async def _snapshot(entity: Entity, call: ServiceCall) -> ServiceResponse:
    """Write a picture to a file, and say where it is and from when."""
    camera = cast("TripodCamera", entity)
    hass, folder = camera.hass, slugify(camera.entry.title)
    name = call.data.get(CONF_FILENAME)
    if name:  # a bad name is told at once, not after a camera woke up
        await hass.async_add_executor_job(snapshot.resolve, hass, folder, name)
    frame, picture = await _picture(camera, call.data)
    captured_at = dt_util.as_local(dt_util.utc_from_timestamp(frame.captured_at))

    def keep() -> dict[str, Any]:
        path = snapshot.resolve(hass, folder, name or snapshot.default_name(captured_at))
        snapshot.write(path, picture)
        return {"path": str(path), "media_content_id": snapshot.media_source_id(hass, path)}

    width, height = dimensions(picture)
    kept = await hass.async_add_executor_job(keep)
    return {**kept, "captured_at": captured_at.isoformat(), "size": len(picture), "width": width, "height": height}


async def _picture(camera: TripodCamera, wanted: dict[str, Any]) -> tuple[Frame, bytes]:
    """Return the frame as captured, and its picture in the width that is wanted."""
    after = time.time() if wanted[CONF_AFTER_NOW] else None
    try:
        if wanted[CONF_FULL_SIZE]:
            frame = await _still(camera.pipeline)
        else:
            frame = await camera.pipeline.snapshot(max_age=wanted.get(CONF_MAX_AGE), after=after)
        if width := wanted.get(CONF_WIDTH):
            return frame, await _fit(tools(camera.hass).ffmpeg, frame, width)
    except TripodError as error:
        raise translated(error) from error
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
