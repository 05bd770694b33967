"""What commands do to a camera."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from ..archive import Item, Kind
from ..camera import Camera
from ..controls import Controls
from ..errors import InvalidControl, NoSuchJob, NothingFound, TripodError
from ..feed import Frame
from ..recorder import Recorded, Recording
from ..status import State
from ..timelapse import Job, JobStatus, Render, RenderRequest
from . import settings
from .commands import Command, Verb

PICTURE_SUFFIX = ".jpg"

DETAILS = ("duration", "width", "height")
"""What is known of a file beside its name, where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What Home Assistant and a node each do in a way of their own."""

    start: Callable[[], Awaitable[State]]
    """Lets a stopped camera run, and remembers that; returns the state found."""
    stop: Callable[[], Awaitable[State]]
    """Stops the camera until it is started, and remembers that; returns the state found."""
    reset: Callable[[Controls], Awaitable[None]]
    """Puts the controls back to the camera's defaults."""
    facts: Callable[[Item], dict[str, Any]]
    """Returns where a file is to be found."""
    describe: Callable[[TripodError], str] = str
    """Returns the sentence for an error."""

    @classmethod
    def alone(cls, camera: Camera) -> Host:
        """Return what a camera does where nobody else takes part."""
        return cls(start=_start(camera), stop=camera.pipeline.stop, reset=Controls.reset, facts=_facts)


def _start(camera: Camera) -> Callable[[], Awaitable[State]]:
    async def start() -> State:
        return camera.pipeline.start()

    return start


def _facts(item: Item) -> dict[str, Any]:
    return {"path": str(item.path)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command."""

    message: str
    """For people."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For programs."""
    later: Callable[[], Awaitable[Answer]] | None = None
    """Waits for the work that it began, and returns what became of that."""
    told: bool = False
    """Whether people hear of it already, as an event of the camera."""


class Actions:
    """All that a camera can be told to do; each raises `TripodError`."""

    def __init__(self, camera: Camera, host: Host) -> None:
        """Act on `camera`."""
        self._camera = camera
        self._host = host
        self._order = asyncio.Lock()
        """What begins and ends things is done one after the other: `record` and `stop` may come as one."""
        self._table: Mapping[Verb, Callable[..., Awaitable[Answer]]] = {
            Verb.PICTURE: self._picture,
            Verb.RECORD: self._record,
            Verb.STOP: self._stop_recording,
            Verb.START: self._start,
            Verb.STREAM: self._stream,
            Verb.RESET: self._reset,
            Verb.TIMELAPSE_START: self._timelapse_start,
            Verb.TIMELAPSE_STOP: self._timelapse_stop,
            Verb.TIMELAPSE_FRAME: self._timelapse_frame,
            Verb.TIMELAPSE_RENDER: self._timelapse_render,
        }

    async def do(self, command: Command) -> Answer:
        """Carry out a command."""
        return await self._table[command.verb](**command.given)

    async def turn(self, given: Mapping[str, Any]) -> Answer:
        """Set controls, all or none."""
        controls = self._controls(next(iter(given)))
        if not controls.current:
            await controls.refresh()
        try:
            values = await controls.set(settings.resolve(controls, given))
        except TripodError as error:
            raise settings.renamed(controls, error) from error
        now = {settings.called(controls, key): control for key, control in values.items()}
        words = [
            f"{name} is {control.words(control.value)}" if control.value is not None else f"{name} is done"
            for name, control in now.items()
        ]
        return Answer(", ".join(words), {"controls": {key: control.value for key, control in values.items()}})

    def _controls(self, wanted: str) -> Controls:
        if (controls := self._camera.pipeline.controls) is None:
            raise InvalidControl("the camera has no controls", control=wanted)
        return controls

    async def _picture(self, name: str = "", *, full_size: bool = False, after_now: bool = False) -> Answer:
        camera, pipeline = self._camera, self._camera.pipeline
        await camera.ready()
        if full_size:
            frame = Frame(await pipeline.still(), pipeline.clock(), 0)
        else:
            frame = await pipeline.snapshot(after=pipeline.clock() if after_now else None)
        item = await camera.snapshot(frame, frame.data, name=_named(name))
        return Answer(f"A picture was taken: {item.path}", self._file(item))

    async def _record(self, duration: float | None = None, pre_roll: float | None = None, **more: Any) -> Answer:
        camera = self._camera
        async with self._order:
            await camera.ready()
            usual = camera.pipeline.options.pre_roll
            recording = await camera.recorder.start(
                duration=duration, pre_roll=usual if pre_roll is None else pre_roll, **more
            )
        until = "until it is stopped" if duration is None else f"for {duration:g} seconds"
        return Answer(
            f"Recording {until}",
            {"recording": recording.id, "state": recording.state.value},
            partial(self._recorded, recording),
        )

    async def _stop_recording(self, recording: str | None = None) -> Answer:
        async with self._order:
            stopped = await self._camera.recorder.stop(recording)
        files: list[tuple[Recording, Recorded]] = []
        for one in stopped:
            try:
                files += [(one, file) for file in await one.done()]
            except TripodError:
                if one is stopped[-1] and not files:
                    raise
        return self._files(files)

    async def _recorded(self, recording: Recording) -> Answer:
        return self._files([(recording, file) for file in await recording.done()])

    def _files(self, files: list[tuple[Recording, Recorded]]) -> Answer:
        """Say what was recorded: all files, and the facts of the first, as there is mostly one."""
        known = [{"recording": recording.id, **self._file(file.item, file.details)} for recording, file in files]
        paths = ", ".join(str(file.item.path) for _, file in files)
        return Answer(f"Recorded: {paths}", {**known[0], "state": "done", "files": known}, told=True)

    async def _start(self) -> Answer:
        return await self._stream(on=True)

    async def _stream(self, *, on: bool) -> Answer:
        async with self._order:
            found = await (self._host.start if on else self._host.stop)()
        changed = (found is State.STOPPED) is on
        message = ("The camera runs" if on else "The camera is stopped") + ("" if changed else ", as it did before")
        facts = {"found": found.value, "state": self._camera.pipeline.state.value}
        return Answer(message, facts, told=changed and not on)

    async def _reset(self) -> Answer:
        await self._host.reset(self._controls("anything"))
        return Answer("All controls are as the camera's maker set them")

    async def _timelapse_start(self, **given: Any) -> Answer:
        job = Job(**{"name" if key == "job" else key: value for key, value in given.items()})
        async with self._order:
            known = {status.job.name: status for status in self._camera.timelapses.jobs if status.standing}
            if job.name in known and set(given) == {"job"}:  # as it is configured
                status = await self._camera.timelapses.resume(job.name)
            else:
                await self._camera.ready()
                status = await self._camera.timelapses.start(job)
        return Answer(f"The timelapse {job.name} runs", _status(status))

    async def _timelapse_stop(self, job: str, *, render: bool | None = None) -> Answer:
        async with self._order:
            finished = await self._camera.timelapses.stop(job, render=render)
        message = f"The timelapse {job} is stopped, with {finished.status.frames} frames"
        if finished.render is None:
            return Answer(message, _status(finished.status))
        rendered = {"render": finished.render.id}
        return Answer(message, {**_status(finished.status), **rendered}, partial(self._rendered, finished.render))

    async def _timelapse_frame(self, job: str) -> Answer:
        await self._camera.ready()
        item = await self._camera.timelapses.frame(job)
        return Answer(f"The timelapse {job} has another frame: {item.path}", {"job": job, **self._file(item)})

    async def _timelapse_render(self, job: str, **given: Any) -> Answer:
        await self._camera.ready()
        render = await self._camera.render(await asyncio.to_thread(self._request, job, given))
        facts = {"job": job, "render": render.id, "state": render.state.value}
        return Answer(f"The timelapse {job} becomes a video", facts, partial(self._rendered, render))

    def _request(self, name: str, given: Mapping[str, Any]) -> RenderRequest:
        """Return what is asked for, the rest being as the job has it; blocks."""
        camera = self._camera
        known = [status.job for status in camera.timelapses.jobs if status.job.name == name]
        if not known and name not in camera.archive.jobs():
            raise NoSuchJob(", ".join(camera.archive.jobs()), job=name)
        job = known[0] if known else Job(name=name)
        begin = given.get("start") or self._first_day(name)
        end = given.get("end") or _today(camera)
        usual = job.request(begin, end, camera.pipeline.name)
        if speed := {key: given[key] for key in ("fps", "length") if key in given}:
            # of a rate and a length only one can be: what is given replaces both
            return replace(usual, **{"fps": None, "length": None, **speed})
        return usual

    def _first_day(self, job: str) -> date:
        archive = self._camera.archive
        days = [days[0].date for kind in (Kind.FRAME, Kind.CHUNK) if (days := archive.days(kind, job))]
        if not days:
            raise NothingFound(job)
        return min(days)

    async def _rendered(self, render: Render) -> Answer:
        item = await render.done()
        details = await asyncio.to_thread(self._camera.archive.details, item)
        facts = {"job": render.request.job, "render": render.id, "state": "done", **self._file(item, details)}
        return Answer(f"The timelapse {render.request.job} is a video: {item.path}", facts)

    def _file(self, item: Item, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
        known = {key: details[key] for key in DETAILS if key in details} if details else {}
        captured_at = item.captured_at.isoformat()
        return {"key": item.key, "captured_at": captured_at, "size": item.size, **known, **self._host.facts(item)}


def _named(name: str) -> str | None:
    """Return the name of a picture with what it must end with."""
    if not name or name.lower().endswith((PICTURE_SUFFIX, ".jpeg")):
        return name or None
    return name + PICTURE_SUFFIX


def _today(camera: Camera) -> date:
    return datetime.fromtimestamp(camera.pipeline.clock(), camera.archive.zone).date()


def _status(status: JobStatus) -> dict[str, Any]:
    return {
        "job": status.job.name,
        "running": status.running,
        "frames": status.frames,
        "missed": status.missed,
        "next_at": status.next_at and status.next_at.isoformat(),
    }
