"""Actions on timelapses: take frames, and make videos of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import WEEKDAYS
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from ..engine.archive import Archive, Kind
from ..engine.errors import NoSuchJob, NothingFound
from ..engine.timelapse import Job, JobStatus, Look, Render, RenderRequest, Sun
from ..media_facts import facts
from ..media_zip import signed
from .fields import CONF_WAIT, DAY, PIXELS, WAIT, Fields, seconds

if TYPE_CHECKING:
    from ..camera import TripodCamera
    from ..data import TripodData

CONF_JOB: Final = "job"
CONF_RENDER: Final = "render"
CONF_START: Final = "start"
CONF_END: Final = "end"
CONF_WEEKDAYS: Final = "weekdays"

JOB: Fields = {probatio.Required(CONF_JOB): cv.string}

PERCENT = probatio.All(probatio.Coerce(float), probatio.Range(min=0, max=100))

LOOK: Fields = {
    probatio.Optional("width"): PIXELS,
    probatio.Optional("height"): PIXELS,
    probatio.Optional("overlay"): cv.string,
    probatio.Optional("deflicker"): cv.boolean,
    probatio.Optional("quality"): probatio.All(probatio.Coerce(int), probatio.Range(min=1, max=100)),
}
"""How videos look; the names are those of the engine's `Look`."""

SPEED: Fields = {
    probatio.Exclusive("fps", "speed"): probatio.All(probatio.Coerce(float), probatio.Range(min=0.1, max=60)),
    probatio.Exclusive("length", "speed"): seconds(DAY),
}

START: Fields = {
    **JOB,
    probatio.Optional("interval"): seconds(DAY),
    probatio.Optional("start_time"): cv.time,
    probatio.Optional("end_time"): cv.time,
    probatio.Optional(CONF_WEEKDAYS): cv.weekdays,
    probatio.Optional("sun"): probatio.Coerce(Sun),
    probatio.Optional("condition"): cv.entity_id,
    probatio.Optional("skip_unchanged"): cv.boolean,
    probatio.Optional("difference"): PERCENT,
    probatio.Optional("skip_dark"): cv.boolean,
    **LOOK,
    **SPEED,
    probatio.Optional(CONF_RENDER): cv.boolean,
}
"""The names are those of the engine's `Job`, but for the look."""

STOP: Fields = {**JOB, probatio.Optional(CONF_RENDER): cv.boolean, **WAIT}


def moment(given: Any) -> date | datetime:
    """Return a day, or a time in the zone of Home Assistant where it names none."""
    text = str(given)
    if isinstance(given, str) and (day := dt_util.parse_date(text)):
        return day
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    found: datetime = cv.datetime(given)
    return found if found.tzinfo else found.replace(tzinfo=dt_util.get_default_time_zone())


RENDER: Fields = {
    **JOB,
    probatio.Optional(CONF_START): moment,
    probatio.Optional(CONF_END): moment,
    **LOOK,
    **SPEED,
    **WAIT,
}

FRAME: Fields = JOB

CANCEL_RENDER: Fields = {probatio.Required(CONF_RENDER): cv.string}


async def start(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Begin a timelapse."""
    data = camera.entry.runtime_data
    job = _job(given)
    await data.camera.ready()
    return _status(await data.timelapses.start(job))


async def stop(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """End a timelapse, and make a video of it unless nobody wants one."""
    finished = await camera.entry.runtime_data.timelapses.stop(given[CONF_JOB], render=given.get(CONF_RENDER))
    video = await _rendered(camera, finished.render, given) if finished.render else {}
    return {**_status(finished.status), **video}


async def frame(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Take a frame now."""
    data = camera.entry.runtime_data
    await data.camera.ready()
    item = await data.timelapses.frame(given[CONF_JOB])
    return {"job": item.job, **facts(camera.entry, item, {})}


async def render(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Make a video of a timelapse, of all its days or of a range."""
    data = camera.entry.runtime_data
    await data.camera.ready()
    request = await asyncio.to_thread(_request, data, given, camera.entry.title)
    queued = await data.camera.render(request)
    return await _rendered(camera, queued, given)


async def cancel_render(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Cancel a render that waits or runs."""
    render = await camera.entry.runtime_data.camera.cancel_render(given[CONF_RENDER])
    return {"render": render.id, "job": render.request.job, "state": render.state.value}


async def _rendered(camera: TripodCamera, render: Render, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be known of a render: at once, or when the video is there."""
    frames = signed(camera.hass, camera.entry, render.request)
    answer = {"render": render.id, "job": render.request.job, "zip": frames}
    if not given[CONF_WAIT]:
        return {**answer, "state": render.state.value}
    item = await render.done()
    details = await asyncio.to_thread(camera.entry.runtime_data.archive.details, item)
    return {**answer, "state": render.state.value, **facts(camera.entry, item, details)}


def _job(given: Mapping[str, Any]) -> Job:
    """Return the job that the fields of the action describe; raises `InvalidJob` and `InvalidRequest`."""
    own = {field.name: given[field.name] for field in fields(Job) if field.name in given}
    if CONF_WEEKDAYS in given:
        own[CONF_WEEKDAYS] = frozenset(WEEKDAYS.index(day) for day in given[CONF_WEEKDAYS])
    return Job(name=given[CONF_JOB], **own, look=_look(Look(), given))


def _look(usual: Look, given: Mapping[str, Any]) -> Look:
    return replace(usual, **{field.name: given[field.name] for field in fields(Look) if field.name in given})


def _request(data: TripodData, given: Mapping[str, Any], title: str) -> RenderRequest:
    """Return what is asked for, the rest being as the job has it; blocks. Raises `NoSuchJob` and `NothingFound`."""
    name, archive = given[CONF_JOB], data.archive
    known = [status.job for status in data.timelapses.jobs if status.job.name == name]
    if not known and name not in archive.jobs():
        raise NoSuchJob(", ".join(archive.jobs()), job=name)
    job = known[0] if known else Job(name=name)
    speed = {key: given[key] for key in ("fps", "length") if key in given}
    begin, end = given.get(CONF_START) or _first_day(archive, name), given.get(CONF_END) or dt_util.now().date()
    usual = job.request(begin, end, title)
    # of a rate and a length only one can be: what is given replaces both
    return replace(usual, **({"fps": None, "length": None, **speed} if speed else {}), look=_look(job.look, given))


def _first_day(archive: Archive, job: str) -> date:
    days = [days[0].date for kind in (Kind.FRAME, Kind.CHUNK) if (days := archive.days(kind, job))]
    if not days:
        raise NothingFound(job)
    return min(days)


def _status(status: JobStatus) -> dict[str, Any]:
    return {
        "job": status.job.name,
        "running": status.running,
        "frames": status.frames,
        "missed": status.missed,
        "skipped": status.skipped,
        "next_at": status.next_at and status.next_at.isoformat(),
    }
