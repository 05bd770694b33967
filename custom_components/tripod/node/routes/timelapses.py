"""Timelapses: begin, list, end, frames on request, and the videos they become."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from aiohttp import web

from ...engine.archive import Archive, Kind
from ...engine.errors import InvalidCommand, InvalidJob, NoSuchJob, NothingFound
from ...engine.timelapse import Job, RenderRequest
from ..call import Call, answer
from ..cameras import NodeCamera, check_job
from ..facts import item_facts, render_facts, timelapse_facts
from ..fields import Field
from .route import Route


async def timelapses(call: Call) -> web.StreamResponse:
    """List those that run or stand."""
    return answer({"timelapses": [timelapse_facts(status) for status in call.camera.camera.timelapses.jobs]})


async def begin(call: Call) -> web.StreamResponse:
    """Begin a timelapse, or let one of the configuration run again."""
    camera = call.camera.camera
    await camera.ready()
    name = call.body["name"]
    standing = {status.job.name for status in camera.timelapses.jobs if status.standing}
    if name in standing and len(call.body) == 1:
        status = await camera.timelapses.resume(name)
    else:
        status = await camera.timelapses.start(_job(call.body))
    return answer(timelapse_facts(status), 201)


async def end(call: Call) -> web.StreamResponse:
    """End a timelapse, and let it become a video where that is wanted."""
    finished = await call.camera.camera.timelapses.stop(call.part("name"), render=call.query.get("render"))
    video = render_facts(finished.render) if finished.render else None
    return answer({**timelapse_facts(finished.status), "render": video})


async def frame(call: Call) -> web.StreamResponse:
    """Take a frame now."""
    camera = call.camera.camera
    await camera.ready()
    item = await camera.timelapses.frame(call.part("name"))
    return answer(await asyncio.to_thread(item_facts, camera.archive, item))


async def renders(call: Call) -> web.StreamResponse:
    """List the videos that are made or wait for their turn."""
    return answer({"renders": [render_facts(render) for render in call.camera.camera.renders]})


async def render(call: Call) -> web.StreamResponse:
    """Let a timelapse, or a part of it, become a video."""
    camera = call.camera
    await camera.camera.ready()
    request = await asyncio.to_thread(_request, camera, call.body)
    return answer(render_facts(await camera.camera.render(request)), 201)


async def cancel(call: Call) -> web.StreamResponse:
    """Make a video no longer."""
    return answer(render_facts(await call.camera.camera.cancel_render(call.part("id"))))


def _job(given: dict[str, Any]) -> Job:
    try:
        return check_job(Job.from_dict(given))
    except ValueError as error:
        raise InvalidJob(f"a time of the day is written as 14:05, and not {error}") from error


def _request(camera: NodeCamera, given: dict[str, Any]) -> RenderRequest:
    """Return what is asked for, the rest being as the timelapse has it; blocks."""
    name, archive = given["job"], camera.archive
    known = [status.job for status in camera.camera.timelapses.jobs if status.job.name == name]
    if not known and name not in archive.jobs():
        raise NoSuchJob(", ".join(archive.jobs()), job=name)
    job = known[0] if known else Job(name=name)
    begin = _moment(given["start"]) if "start" in given else _first_day(archive, name)
    end = _moment(given["end"]) if "end" in given else datetime.now(archive.zone).date()
    usual = job.request(begin, end, camera.title)
    # of a rate and a length only one can be: what is given replaces both
    speed = {key: given[key] for key in ("fps", "length") if key in given}
    look = replace(job.look, **given.get("look", {}))
    return replace(usual, **({"fps": None, "length": None, **speed} if speed else {}), look=look)


def _moment(text: str) -> date | datetime:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-21") else datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCommand(f"{text[:40]!a} is neither a day nor a time as in 2026-11-21T14:05:00+01:00") from error


def _first_day(archive: Archive, job: str) -> date:
    days = [days[0].date for kind in (Kind.FRAME, Kind.CHUNK) if (days := archive.days(kind, job))]
    if not days:
        raise NothingFound(job)
    return min(days)


_LOOK = Field(
    name="look",
    kind="object",
    text="How its videos look",
    fields=(
        Field(name="width", kind="integer", text="Pixels; 0 for as wide as the frames"),
        Field(name="height", kind="integer", text="Pixels; 0 for as high as the frames"),
        Field(name="overlay", text="Text in the picture, such as {time:%Y-%m-%d %H:%M}"),
        Field(name="deflicker", kind="boolean", text="Even out the brightness of neighbouring frames"),
        Field(name="quality", kind="integer", text="Percent"),
    ),
)

_SPEED = (
    Field(name="fps", kind="number", text="Frames per second of its videos"),
    Field(name="length", kind="number", text="Seconds that its videos are to last, instead of a rate"),
)

_JOB = (
    Field(name="name", required=True, text="What to call it"),
    Field(name="interval", kind="number", text="Seconds between two frames; on request only where nothing is said"),
    Field(name="start_time", text="Local time at which the day's window begins, such as 06:00"),
    Field(name="end_time", text="Local time at which it ends"),
    Field(
        name="weekdays",
        kind="array",
        text="Days on which a window begins",
        each=Field(name="weekday", kind="integer", text="Monday is 0", minimum=0, maximum=6),
    ),
    Field(name="skip_unchanged", kind="boolean", text="Leave out pictures that look like the last one"),
    Field(name="difference", kind="number", text="Percent of brightness that count as a change"),
    Field(name="skip_dark", kind="boolean", text="Leave out black pictures"),
    _LOOK,
    *_SPEED,
    Field(name="render", kind="boolean", text="Whether it becomes a video when it is ended"),
)

_RENDER = (
    Field(name="job", required=True, text="The timelapse"),
    Field(name="start", text="A day, or a time; the first frame's day where nothing is said"),
    Field(name="end", text="A day, or a time; today where nothing is said"),
    _LOOK,
    *_SPEED,
)

ROUTES = (
    Route(
        method="GET",
        path="/cameras/{camera}/timelapses",
        handler=timelapses,
        summary="The timelapses that run or stand",
        gives="Timelapses",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/timelapses",
        handler=begin,
        summary="Begin a timelapse; the name alone lets one of the configuration run again",
        body=_JOB,
        status=201,
        gives="Timelapse",
    ),
    Route(
        method="DELETE",
        path="/cameras/{camera}/timelapses/{name}",
        handler=end,
        summary="End a timelapse",
        query=(Field(name="render", kind="boolean", text="Whether it becomes a video"),),
        gives="TimelapseEnded",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/timelapses/{name}/frame",
        handler=frame,
        summary="Take a frame now",
        gives="Item",
    ),
    Route(
        method="GET",
        path="/cameras/{camera}/renders",
        handler=renders,
        summary="The videos that are made or wait",
        gives="Renders",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/renders",
        handler=render,
        summary="Make a video of a timelapse",
        body=_RENDER,
        status=201,
        gives="Render",
    ),
    Route(
        method="DELETE",
        path="/cameras/{camera}/renders/{id}",
        handler=cancel,
        summary="Make a video no longer",
        gives="Render",
    ),
)
