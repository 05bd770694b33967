"""Actions that record."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import CONF_FILENAME
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio

from ..const import CONF_PRE_ROLL
from ..engine.errors import NotRecording, TripodError
from ..engine.recorder import Container, Recorded, Recorder, Recording
from ..media_facts import facts
from .fields import CONF_WAIT, DAY, WAIT, Fields, seconds
from .names import fill

if TYPE_CHECKING:
    from ..camera import TripodCamera

CONF_CONTAINER: Final = "container"
CONF_DURATION: Final = "duration"
CONF_RECORDING: Final = "recording"

LONGEST_PRE_ROLL = 600.0
"""Seconds: the ring keeps what the option says, and no more than fits in its memory."""

RECORD: Fields = {
    probatio.Optional(CONF_DURATION): seconds(DAY),
    probatio.Optional(CONF_PRE_ROLL): seconds(LONGEST_PRE_ROLL),
    probatio.Optional(CONF_CONTAINER, default=Container.MP4): probatio.Coerce(Container),
    probatio.Optional(CONF_FILENAME): cv.string,
    probatio.Optional(CONF_RECORDING): cv.string,
    **WAIT,
}

STOP: Fields = {probatio.Optional(CONF_RECORDING): cv.string}


async def record(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """Begin a recording, or let one go on for longer."""
    data = camera.entry.runtime_data
    if CONF_RECORDING in given:
        recording = _find(data.recorder, given[CONF_RECORDING])
        recording.extend(given.get(CONF_DURATION, 0.0))
    else:
        template = given.get(CONF_FILENAME)
        name = fill(template, dt_util.now(), camera.entry.title) if template else None
        await data.camera.ready()
        recording = await data.recorder.start(
            duration=given.get(CONF_DURATION),
            pre_roll=given.get(CONF_PRE_ROLL, camera.pipeline.options.pre_roll),
            container=given[CONF_CONTAINER],
            name=name,
        )
    if given[CONF_WAIT]:
        return _answer(camera, {recording.id: await recording.done()})
    await asyncio.sleep(0)  # in which it begins, where the ring has what it asks for
    begun = {"captured_at": recording.started_at.isoformat()} if recording.started_at else {}
    return {
        "recording": recording.id,
        "asked_at": recording.asked_at.isoformat(),
        "state": recording.state.value,
        **begun,
    }


async def stop(camera: TripodCamera, given: dict[str, Any]) -> dict[str, Any]:
    """End a recording, or all, and wait for the files; raises what failed only where nothing came of any."""
    stopped = await camera.entry.runtime_data.recorder.stop(given.get(CONF_RECORDING))
    recorded: dict[str, list[Recorded]] = {}
    for recording in stopped:
        try:
            recorded[recording.id] = await recording.done()
        except TripodError:
            if recording is stopped[-1] and not recorded:
                raise
    return _answer(camera, recorded)


def _find(recorder: Recorder, recording_id: str) -> Recording:
    found = [recording for recording in recorder.recordings if recording.id == recording_id]
    if not found:
        raise NotRecording
    return found[0]


def _answer(camera: TripodCamera, recorded: dict[str, list[Recorded]]) -> dict[str, Any]:
    """Return all files, and the facts of the first where nobody has to look for them: there is mostly one."""
    files = [
        {"recording": recording, **facts(camera.entry, file.item, file.details)}
        for recording, files in recorded.items()
        for file in files
    ]
    return {**files[0], "files": files}
