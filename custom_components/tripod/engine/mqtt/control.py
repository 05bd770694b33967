"""One camera's end of MQTT: takes commands, and tells what became of them and how the camera is."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
import json
import logging
import time
from typing import Any

from ..camera import Camera
from ..errors import InvalidCommand, TooManyJobs, TripodError
from ..events import Event, Failed, RecordingReady, TimelapseReady
from ..status import State
from . import commands, settings
from .actions import Actions, Answer, Host
from .commands import SHOWN, Verb
from .facts import facts
from .outbox import Outbox, Publish
from .status import MqttStatus
from .throttle import Throttle
from .topics import Topics

_LOGGER = logging.getLogger(__name__)

RATE, BURST = 5.0, 20.0
"""Commands a second, and at once: more than people and sliders send, less than what floods a camera."""

LIMIT = 32
"""Commands under way at once: a picture that the camera is slow to give may wait behind none of them."""

REMEMBERED = 128
"""Commands whose ids are remembered, so that what a broker delivers twice is done once."""

REPORT_INTERVAL = 1.0
"""Seconds between two reports of how the camera is, at least."""

FAREWELL = 2.0
"""Seconds that the last word may take: nobody waits longer for a broker that hangs."""

ONLINE, OFFLINE = "online", "offline"

Work = Callable[[], Awaitable[Answer]]

_SAID = {
    State.STREAMING: "The camera streams",
    State.STOPPED: "The camera is stopped",
}


class MqttControl:
    """Commands in, replies and status out; `publish` carries what goes out, whoever has the connection brings the rest.

    That one calls `connected` when the broker is there and the `topics` are subscribed to, and `disconnected` when it
    is gone.
    """

    def __init__(
        self,
        camera: Camera,
        prefix: str,
        publish: Publish,
        *,
        title: str,
        host: Host | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Control `camera`, which people know as `title`, under `prefix`; `clock` counts seconds."""
        self.topics = Topics(prefix)
        self.outbox = Outbox(publish, title)
        self._camera = camera
        self._title = title
        self._host = host or Host.alone(camera)
        self._actions = Actions(camera, self._host)
        self._throttle = Throttle(RATE, BURST, clock)
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._state = camera.pipeline.state
        self._connected = False
        self._breaks = 0
        self._closed = False
        self._changed = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._endings: list[Callable[[], None]] = []

    def open(self) -> None:
        """Begin to follow the camera."""
        camera = self._camera
        self.outbox.put(self.topics.availability, ONLINE, retain=True)
        self._endings += [
            camera.pipeline.listen(self._look),
            camera.listen(self._changed.set),
            camera.hear(self._hear),
        ]
        if controls := camera.pipeline.controls:
            self._endings.append(controls.listen(self._changed.set))
        self._changed.set()
        self._begin(self._keep_reporting())

    async def close(self) -> None:
        """End; what is recorded goes on. The broker is told, if it is there."""
        self._closed = True
        for end in self._endings:
            end()
        await _end(self._answering)
        self.outbox.put(self.topics.availability, OFFLINE, retain=True)
        await self.outbox.close(FAREWELL)
        await _end(self._tasks)

    @property
    def status(self) -> MqttStatus:
        """How the connection is."""
        return MqttStatus(
            prefix=self.topics.prefix,
            connected=self._connected,
            breaks=self._breaks,
            dropped=self.outbox.dropped,
        )

    def connected(self) -> None:
        """Tell the broker how things are, which may have forgotten it."""
        self._connected = True
        self.outbox.connected()

    def disconnected(self) -> None:
        """Keep what is to be told until the broker is back, as far as there is room."""
        self._breaks += self._connected
        self._connected = False
        self.outbox.disconnected()

    def take(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Carry out what came under one of `topics.commands`, and reply; never raises.

        `retained` is what the broker had kept: a picture that is asked for once must not be taken at each restart.
        """
        if self._closed:
            return
        text = ""
        given: dict[str, Any] | None = None
        command_id: str | None = None
        try:
            if not self._throttle.admit():
                raise InvalidCommand(f"they come faster than {RATE:g} a second, and what is too much is left out")
            text = commands.read(payload)
            given = commands.structure(text)
            command_id = commands.take_id(given)
            if command_id is not None and self._known(command_id):
                return
            if retained:
                raise InvalidCommand("the broker had kept it: send commands without retain")
            if len(self._answering) >= LIMIT:
                raise TooManyJobs(limit=str(LIMIT))
            work = self._work(topic, text, given)
        except TripodError as error:
            if not self._throttle.told():
                self._refuse(text, command_id, error)
            return
        self._begin(self._carry_out(work, text, command_id), self._answering)

    def _known(self, command_id: str) -> bool:
        """Return whether a command came before, and remember it."""
        if command_id in self._ids:
            _LOGGER.debug("%s: the command %s came twice", self._title, command_id)
            return True
        self._ids[command_id] = None
        while len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)
        return False

    def _work(self, topic: str, text: str, given: dict[str, Any] | None) -> Work:
        """Return what is to be done; raises `InvalidCommand`."""
        if topic == self.topics.settings:
            return partial(self._actions.turn, settings.parse(text, given))
        command = commands.action(text, given)
        if command.verb is Verb.STATUS:
            return self._tell_all
        return partial(self._actions.do, command)

    async def _carry_out(self, work: Work, text: str, command_id: str | None) -> None:
        try:
            answer = await work()
        except TripodError as error:
            self._refuse(text, command_id, error)
            return
        self._reply(text, command_id, answer)
        if not answer.told:
            self.say(answer.message)
        if answer.later:
            self._begin(self._follow(answer.later, text, command_id))

    async def _follow(self, work: Work, text: str, command_id: str | None) -> None:
        """Reply once more when what was begun is done; people are told by the event of it."""
        try:
            self._reply(text, command_id, await work())
        except TripodError as error:
            self._send_reply(text, command_id, self._why(error))

    async def _tell_all(self) -> Answer:
        known = facts(self._camera, self._title, self._host.describe)
        state = known["message"] or f"The camera is {known['state']}"
        return Answer(state, {"status": known})

    def say(self, text: str) -> None:
        """Tell people what happened."""
        self.outbox.put(self.topics.status, text)

    def _reply(self, text: str, command_id: str | None, answer: Answer) -> None:
        self._send_reply(text, command_id, {"ok": True, "message": answer.message, **answer.facts})

    def _refuse(self, text: str, command_id: str | None, error: TripodError) -> None:
        why = self._why(error)
        self._send_reply(text, command_id, why)
        self.say(why["message"])

    def _why(self, error: TripodError) -> dict[str, Any]:
        return {"ok": False, "cause": error.cause, "message": self._host.describe(error)}

    def _send_reply(self, text: str, command_id: str | None, body: Mapping[str, Any]) -> None:
        named = {commands.ID: command_id} if command_id is not None else {}
        now = datetime.fromtimestamp(self._camera.pipeline.clock(), self._camera.archive.zone)
        reply = {**named, "command": text[:SHOWN], **body, "at": now.isoformat(timespec="milliseconds")}
        self.outbox.put(self.topics.reply, _json(reply))

    def _look(self) -> None:
        """Tell people when the camera comes, goes or fails."""
        self._changed.set()
        state, error = self._camera.pipeline.state, self._camera.pipeline.error
        if state is self._state:
            return
        self._state = state
        if state is State.RETRYING and error:
            self.say(self._host.describe(error))
        elif state in _SAID:
            self.say(_SAID[state])

    def _hear(self, event: Event) -> None:
        """Tell people what became of files, whoever asked for them."""
        match event:
            case RecordingReady(item, _):
                self.say(f"Recorded: {item.path}")
            case TimelapseReady(item, _):
                self.say(f"The timelapse {item.job} is a video: {item.path}")
            case Failed(what, name, error):
                self.say(f"The {what} {name} failed: {self._host.describe(error)}")

    async def _keep_reporting(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self.outbox.put(
                self.topics.facts, _json(facts(self._camera, self._title, self._host.describe)), retain=True
            )
            await asyncio.sleep(REPORT_INTERVAL)

    def _begin(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]] | None = None) -> None:
        among = self._tasks if tasks is None else tasks
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)
        task.add_done_callback(_ended)


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        task.get_loop().call_exception_handler({"message": "a command ended", "exception": error, "task": task})


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    for task in tuple(tasks):
        task.cancel()
    with suppress(ValueError):  # of an empty set
        await asyncio.wait(tuple(tasks))
