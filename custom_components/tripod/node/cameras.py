"""One camera of a node: the engine's camera, its endpoints, and what is remembered of it over restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

from ..engine.archive import Archive, Item, Kind
from ..engine.archive.item import SUFFIXES
from ..engine.camera import Camera
from ..engine.controls import Controls
from ..engine.errors import FormatNotSupported, InvalidControl, InvalidJob, TripodError
from ..engine.feed import Frame
from ..engine.keeper import Keeper
from ..engine.listeners import Listeners
from ..engine.mqtt import MqttStatus
from ..engine.options import Start
from ..engine.pipeline import Pipeline
from ..engine.publisher import named
from ..engine.sources import Tools
from ..engine.status import State
from ..engine.timelapse import Job, RenderQueue, Sun
from ..engine.web import CameraEndpoints
from .away import RecordWhileAway, Rhythm
from .config import CameraConfig
from .facts import Facts, camera_facts, mqtt_facts, recording_facts, render_facts, storage_facts, timelapse_facts
from .memory import Memory
from .presence import Presence

NO_SUN = "a node knows neither where the sun is nor what Home Assistant's entities say: let Home Assistant take it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all cameras of a node have in common."""

    tools: Tools
    memory: Memory
    keeper: Keeper
    renders: RenderQueue
    presence: Presence
    archive: Path
    """The folder of all archives."""
    zone: tzinfo
    floor: int
    """Bytes of the disk that stay free."""
    rhythm: Rhythm


class Connection(Protocol):
    """A connection to an MQTT broker."""

    @property
    def status(self) -> MqttStatus:
        """How it is."""


class NodeCamera:
    """One camera with all that the outside can see and do of it."""

    def __init__(self, config: CameraConfig, shared: Shared) -> None:
        """Prepare the camera that `config` describes; `open` lets it run. Raises `InvalidJob`."""
        for job in config.jobs:
            check_job(job)
        self.id = config.id
        self.title = config.title
        self._config = config
        self._memory = memory = shared.memory
        self.pipeline = Pipeline(
            config.source,
            shared.tools,
            config.options,
            name=config.title,
            stopped=memory.stopped(self.id, config.options.start is Start.MANUAL),
            controls=memory.controls(self.id, config.controls),
        )
        root = shared.archive / self.id
        self.camera = Camera(
            self.pipeline,
            Archive(root, self.id, zone=shared.zone, floor=shared.floor, known=memory.archive(self.id) == str(root)),
            keeper=shared.keeper,
            renders=shared.renders,
            retention=config.retention,
        )
        # the node itself sees to CORS
        self.endpoints = CameraEndpoints(self.pipeline, title=self.title, archive=self.archive, cors=False)
        self._away = RecordWhileAway(self.camera, shared.presence, shared.rhythm) if config.record_while_away else None
        self.broker: Connection | None = None
        """Its connection to an MQTT broker, where the node has one."""
        self._listeners = Listeners()
        self._endings: list[Callable[[], None]] = []

    @property
    def archive(self) -> Archive:
        """Where its files are kept; open while `camera.present`."""
        return self.camera.archive

    @property
    def mqtt(self) -> MqttStatus | None:
        """How its connection to a broker is, where the node has one."""
        return self.broker.status if self.broker else None

    @property
    def facts(self) -> Facts:
        """What it is, and what it is doing."""
        return camera_facts(self.id, self.title, self.camera)

    @property
    def status(self) -> Facts:
        """The facts, and all that is under way."""
        camera = self.camera
        return {
            **self.facts,
            "frame_at": self.pipeline.status.frame_at,
            "viewers": len(self.pipeline.viewers),
            "recordings": [recording_facts(recording) for recording in camera.recorder.recordings],
            "timelapses": [timelapse_facts(status) for status in camera.timelapses.jobs],
            "renders": [render_facts(render) for render in camera.renders],
            "storage": storage_facts(camera),
            "mqtt": mqtt_facts(self.mqtt) if self.mqtt else None,
        }

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of state; return a function that ends this."""
        return self._listeners.add(callback)

    async def open(self) -> None:
        """Let the camera run."""
        self._endings += [self.pipeline.listen(self._listeners.tell), self.camera.listen(self._note_archive)]
        if self.pipeline.controls:
            self._endings.append(self.pipeline.controls.listen(self._note_controls))
        self.pipeline.open()
        self.camera.open()
        await self.camera.stand(self._config.jobs)
        await self.camera.publications.stand(named(self._config.publications))
        if self._away:
            self._away.open()

    async def close(self) -> None:
        """Send all viewers away and end; recordings are finished as far as that is quick."""
        for end in self._endings:
            end()
        self._listeners.clear()
        if self._away:
            await self._away.close()
        await self.endpoints.close()
        await self.camera.close()
        await self.pipeline.close()

    async def start(self) -> State:
        """Let the camera run and start it, also after a restart; return the state found."""
        found = self.pipeline.start()
        await self._memory.set_stopped(self.id, stopped=False)
        return found

    async def stop(self) -> State:
        """Stop the camera until it is started again, also after a restart; return the state found."""
        found = await self.pipeline.stop()
        await self._memory.set_stopped(self.id, stopped=True)
        return found

    async def snapshot(self, *, name: str | None = None, full_size: bool = False) -> Item:
        """Keep a picture, under `name` where it has one; raises what keeps the camera or the disk away."""
        await self.camera.ready()
        if full_size:
            frame = Frame(await self.pipeline.still(), self.pipeline.clock(), 0)
        else:
            frame = await self.pipeline.snapshot()
        if name and not name.lower().endswith(SUFFIXES[Kind.SNAPSHOT]):
            name += ".jpg"
        return await self.camera.snapshot(frame, frame.data, name=name)

    @property
    def controls(self) -> Controls:
        """What can be turned on it; raises `FormatNotSupported` where it has nothing of the kind."""
        if self.pipeline.controls is None:
            raise FormatNotSupported("this camera has no controls")
        return self.pipeline.controls

    async def set_controls(self, values: Mapping[str, float]) -> None:
        """Turn controls, now and after each start; raises `InvalidControl` and what else the camera answers."""
        if not values:
            raise InvalidControl("none is named", control="")
        await self.controls.set(values)

    async def reset_controls(self) -> None:
        """Put all controls back to what the configuration says, or to the camera's defaults."""
        try:
            await self.controls.reset()
            if self._config.controls:
                await self.controls.set(self._config.controls)
        finally:
            self._note_controls()

    async def look_at_controls(self) -> None:
        """Ask the camera for its controls, if it is there."""
        with suppress(TripodError):
            await self.controls.refresh()

    def _note_controls(self) -> None:
        self._memory.set_controls(self.id, self.controls.wanted, self._config.controls)

    def _note_archive(self) -> None:
        if self.camera.present:
            self._memory.set_archive(self.id, str(self.archive.root))
        self._listeners.tell()


def check_job(job: Job) -> Job:
    """Return a job that a node can take; raises `InvalidJob` for one that waits for what a node does not know."""
    if job.sun is not Sun.ANY or job.condition:
        raise InvalidJob(NO_SUN)
    return job
