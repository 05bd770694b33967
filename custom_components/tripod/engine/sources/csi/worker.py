"""The Picamera2 worker from outside: start it, ask it, hear what it says, name why it died."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
import json
from pathlib import Path
from typing import Any, NoReturn, Self

from ... import errors
from ...errors import Stopped, TripodError, WorkerFailed
from ...ffmpeg import NOT_STARTED
from ...picamera2_worker import VERSION, Kind
from ...process import Process
from ..base import Tools
from .camera import CsiCamera
from .protocol import Message, MessageParser

SCRIPT = Path(__file__).parents[2] / "picamera2_worker.py"

OPEN_TIMEOUT = 15.0
"""Seconds to the worker's first word: a Pi Zero takes ten to import Picamera2."""

REPLY_TIMEOUT = 10.0
"""Seconds for one command: stopping the hardware encoder waits for its last frames."""

STILL_TIMEOUT = 20.0
"""Seconds for a picture of the sensor's full size, which the worker itself gives up before."""

LIST_TIMEOUT = 30.0
"""Seconds for the list of cameras, each of which is opened for its sizes."""

_CAUSES: dict[str, type[TripodError]] = {
    error.cause: error
    for error in (
        errors.DeviceBusy,
        errors.DeviceMissing,
        errors.EncoderFailed,
        errors.FormatNotSupported,
        errors.NoPermission,
        errors.NoPicamera2,
        errors.Picamera2Broken,
    )
}


class Worker:
    """One camera that runs as long as the context is open."""

    def __init__(
        self,
        tools: Tools,
        settings: Mapping[str, Any],
        *,
        on_frame: Callable[[Message], None],
        on_metadata: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Prepare a worker; entering the context opens the camera, and raises why it cannot be opened.

        `on_frame` gets each H.264 and JPEG message, `on_metadata` what the camera says once a second.
        """
        self.hello: dict[str, Any] = {}
        """What the worker said of the camera when it was open."""
        self._on_frame = on_frame
        self._on_metadata = on_metadata
        self._parser = MessageParser()
        self._replies: deque[tuple[int, asyncio.Future[dict[str, Any]]]] = deque()
        self._still = b""
        self._asked = 0
        self._opened = asyncio.Event()
        self._failed: asyncio.Future[NoReturn] | None = None
        self._process = Process(
            [*command(tools), "run", json.dumps(settings)],
            on_output=self._receive,
            explain=explain,
            stdin=True,
        )

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start the worker and wait until the camera is open."""
        self._failed = asyncio.get_running_loop().create_future()
        await self._process.__aenter__()
        try:
            await self._until(self._opened.wait(), OPEN_TIMEOUT)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the camera; nothing of the worker is left, and who still waits for an answer gets none."""
        self._fail(Stopped())
        await self._process.__aexit__()

    async def ask(self, command: str, timeout: float = REPLY_TIMEOUT, **arguments: Any) -> dict[str, Any]:
        """Give a command and return the reply to it; raises the `TripodError` that it holds, or the worker's death."""
        self._asked += 1
        reply = asyncio.get_running_loop().create_future()
        self._replies.append((self._asked, reply))
        request = {"id": self._asked, "command": command, **arguments}
        await self._process.write(json.dumps(request).encode() + b"\n")
        answer: dict[str, Any] = await self._until(reply, timeout)
        if error := answer.get("error"):
            raise failure(error)
        return answer

    async def still(self) -> bytes:
        """Return one JPEG of the sensor's full size, for which the streams pause."""
        await self.ask("still", STILL_TIMEOUT)
        return self._still

    async def wait(self) -> NoReturn:
        """Wait for the worker's end and raise what explains it."""
        await self._until(asyncio.Event().wait(), None)
        raise AssertionError  # what never happens was waited for

    async def _until(self, something: Any, timeout: float | None) -> Any:
        """Return the result of `something`; raises the worker's death meanwhile, or `WorkerFailed` if it hangs."""
        assert self._failed is not None
        wanted = asyncio.ensure_future(something)
        death = asyncio.ensure_future(self._process.wait())
        tasks = [self._failed, wanted, death]
        try:
            await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    return task.result()
            raise WorkerFailed(f"the Picamera2 worker did not answer in {timeout:g} s")
        finally:
            wanted.cancel()
            death.cancel()

    def _receive(self, data: bytes) -> None:
        try:
            for message in self._parser.feed(data):
                self._take(message)
        except TripodError as error:
            self._fail(error)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._fail(WorkerFailed(f"nonsense from the Picamera2 worker: {error!r}"))

    def _take(self, message: Message) -> None:
        if message.kind in (Kind.H264, Kind.JPEG):
            self._on_frame(message)
        elif message.kind is Kind.STILL:
            self._still = message.body
        else:
            self._take_words(message.kind, dict(json.loads(message.body)))

    def _take_words(self, kind: Kind, words: dict[str, Any]) -> None:
        if kind is Kind.HELLO:
            if words["version"] != VERSION:
                raise WorkerFailed(f"the worker speaks version {words['version']} of the protocol, not {VERSION}")
            self.hello = {"controls": [], **words}
            self._opened.set()
        elif kind is Kind.METADATA:
            self._on_metadata(words)
        elif kind is Kind.REPLY:
            self._answer(words)
        else:
            raise failure(words)

    def _answer(self, words: dict[str, Any]) -> None:
        """Commands are answered in the order in which they were given."""
        asked, reply = self._replies.popleft() if self._replies else (None, None)
        if reply is None or words.get("id") != asked:
            raise WorkerFailed(f"an answer to what was not asked: {words.get('id')}")
        if not reply.done():  # whoever asked may have gone
            reply.set_result(words)

    def _fail(self, error: TripodError) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)
            # several may wait for it, or none
            self._failed.exception()


def command(tools: Tools) -> list[str]:
    """Return how the worker is started: -P, as names of ours beside the script are none of its Python's business."""
    return [tools.python, "-P", str(SCRIPT)]


async def list_cameras(tools: Tools) -> list[CsiCamera]:
    """Return the cameras that Picamera2 finds; raises why there is none."""
    output = bytearray()
    async with Process([*command(tools), "list"], on_output=output.extend, explain=explain) as child:
        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                await child.wait()
        except TimeoutError:
            raise WorkerFailed(f"the Picamera2 worker did not answer in {LIST_TIMEOUT:g} s") from None
        except TripodError:
            if not output:
                raise
    try:
        answer = json.loads(output)
        if error := answer.get("error"):
            raise failure(error)
        return [_camera(words) for words in answer["cameras"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkerFailed(f"nonsense from the Picamera2 worker: {error!r}") from error


def _camera(words: Mapping[str, Any]) -> CsiCamera:
    return CsiCamera(
        id=str(words["id"]),
        model=str(words["model"]),
        location=str(words["location"]),
        rotation=int(words["rotation"]),
        sizes=tuple((int(width), int(height)) for width, height in words["sizes"]),
    )


def failure(words: Mapping[str, str]) -> TripodError:
    """Return the error that the worker named by cause."""
    cause, detail = str(words["cause"]), str(words["detail"])
    if cause == errors.InvalidControl.cause:
        return errors.InvalidControl("the camera has no such control", control=detail)
    return _CAUSES.get(cause, WorkerFailed)(detail)


def explain(lines: Sequence[str], returncode: int) -> TripodError:
    """Return what a worker's last words mean that died without an error of its own."""
    last = lines[-1] if lines else ""
    if returncode == NOT_STARTED:
        return errors.NoPicamera2(last)
    if any("-P" in line and "nknown option" in line for line in lines):
        return errors.Picamera2Broken("the system's Python is older than 3.11")
    if returncode < 0:
        return WorkerFailed(f"the Picamera2 worker was ended by signal {-returncode}")
    return WorkerFailed(last or f"the Picamera2 worker ended with status {returncode}")
