"""Recordings: begin, list, end."""

from __future__ import annotations

from aiohttp import web

from ...engine.errors import NotRecording
from ...engine.recorder import Container
from ..call import Call, answer
from ..facts import recording_facts
from ..fields import Field
from .route import Route

DAY = 86400.0

LONGEST_PRE_ROLL = 600.0
"""Seconds: the ring keeps what the option says, and no more than fits in its memory."""


async def recordings(call: Call) -> web.StreamResponse:
    """List those that are under way or being finished."""
    found = call.camera.camera.recorder.recordings
    return answer({"recordings": [recording_facts(recording) for recording in found]})


async def record(call: Call) -> web.StreamResponse:
    """Begin a recording."""
    camera = call.camera
    await camera.camera.ready()
    recording = await camera.camera.recorder.start(
        duration=call.body.get("duration"),
        pre_roll=call.body.get("pre_roll", camera.pipeline.options.pre_roll),
        container=Container(call.body.get("container", Container.MP4)),
        name=call.body.get("name"),
    )
    return answer(recording_facts(recording), 201)


async def end(call: Call) -> web.StreamResponse:
    """End one recording, whose file then comes as an event."""
    found = await call.camera.camera.recorder.stop(call.part("id"))
    return answer(recording_facts(found[0]))


async def end_all(call: Call) -> web.StreamResponse:
    """End all recordings."""
    try:
        found = await call.camera.camera.recorder.stop()
    except NotRecording:
        found = []
    return answer({"recordings": [recording_facts(recording) for recording in found]})


_BODY = (
    Field(
        name="duration",
        kind="number",
        text="Seconds from now on; until ended where nothing is said",
        minimum=0.1,
        maximum=DAY,
    ),
    Field(
        name="pre_roll",
        kind="number",
        text="Seconds before now, as far as they are kept",
        minimum=0,
        maximum=LONGEST_PRE_ROLL,
    ),
    Field(name="container", text="The format of the file", choices=tuple(Container)),
    Field(name="name", text="What to call it, folders included; the time it began where nothing is said"),
)

ROUTES = (
    Route(
        method="GET",
        path="/cameras/{camera}/recordings",
        handler=recordings,
        summary="The recordings under way",
        gives="Recordings",
    ),
    Route(
        method="POST",
        path="/cameras/{camera}/recordings",
        handler=record,
        summary="Begin a recording",
        body=_BODY,
        status=201,
        gives="Recording",
    ),
    Route(
        method="DELETE",
        path="/cameras/{camera}/recordings",
        handler=end_all,
        summary="End all recordings",
        gives="Recordings",
    ),
    Route(
        method="DELETE",
        path="/cameras/{camera}/recordings/{id}",
        handler=end,
        summary="End a recording; its file is told as an event",
        gives="Recording",
    ),
)
