"""Actions on cameras, by subject: the table of all of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.service import async_register_platform_entity_service

from ..const import DOMAIN
from ..engine.errors import TripodError
from ..sentences import translated
from . import record, snapshot, storage, stream, timelapse
from .fields import Fields

if TYPE_CHECKING:
    from ..camera import TripodCamera


class Service(StrEnum):
    """The actions' names."""

    CANCEL_RENDER = "cancel_render"
    PIN = "pin"
    PRUNE = "prune"
    RECORD = "record"
    SNAPSHOT = "snapshot"
    START_STREAM = "start_stream"
    START_TIMELAPSE = "start_timelapse"
    STOP_RECORD = "stop_record"
    STOP_STREAM = "stop_stream"
    STOP_TIMELAPSE = "stop_timelapse"
    TIMELAPSE = "timelapse"
    TIMELAPSE_FRAME = "timelapse_frame"
    UNPIN = "unpin"


@dataclass(frozen=True, slots=True)
class Action:
    """What an action takes, and does."""

    run: Callable[[TripodCamera, dict[str, Any]], Awaitable[dict[str, Any]]]
    """Returns the response; raises `TripodError`."""
    fields: Fields | None = None


ACTIONS: Final = {
    Service.CANCEL_RENDER: Action(timelapse.cancel_render, timelapse.CANCEL_RENDER),
    Service.PIN: Action(storage.pin, storage.PIN),
    Service.PRUNE: Action(storage.prune, storage.PRUNE),
    Service.RECORD: Action(record.record, record.RECORD),
    Service.SNAPSHOT: Action(snapshot.snapshot, snapshot.SNAPSHOT),
    Service.START_STREAM: Action(stream.start),
    Service.START_TIMELAPSE: Action(timelapse.start, timelapse.START),
    Service.STOP_RECORD: Action(record.stop, record.STOP),
    Service.STOP_STREAM: Action(stream.stop),
    Service.STOP_TIMELAPSE: Action(timelapse.stop, timelapse.STOP),
    Service.TIMELAPSE: Action(timelapse.render, timelapse.RENDER),
    Service.TIMELAPSE_FRAME: Action(timelapse.frame, timelapse.FRAME),
    Service.UNPIN: Action(storage.unpin, storage.PIN),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, action in ACTIONS.items():
        async_register_platform_entity_service(
            hass,
            DOMAIN,
            name,
            entity_domain=CAMERA_DOMAIN,
            schema=action.fields,
            func=partial(_run, action),
            supports_response=SupportsResponse.OPTIONAL,
        )


async def _run(action: Action, entity: Entity, call: ServiceCall) -> ServiceResponse:
    try:
        return await action.run(cast("TripodCamera", entity), call.data)
    except TripodError as error:
        raise translated(error) from error
