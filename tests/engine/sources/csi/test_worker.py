"""The worker from outside: every way in which it can go wrong has its error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
import sys
from typing import Any

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.errors import TripodError, WorkerFailed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.picamera2_worker import Kind
from custom_components.tripod.engine.sources import Tools
from custom_components.tripod.engine.sources.csi import list_cameras, worker as worker_module
from custom_components.tripod.engine.sources.csi.protocol import Message
from custom_components.tripod.engine.sources.csi.worker import Worker

from .scripted import worker


class Heard:
    def __init__(self) -> None:
        self.frames: list[Message] = []
        self.metadata: list[Mapping[str, Any]] = []


def start(tools: Tools, heard: Heard | None = None) -> Worker:
    heard = heard or Heard()
    return Worker(tools, {}, on_frame=heard.frames.append, on_metadata=heard.metadata.append)


async def end(tools: Tools) -> TripodError:
    """Open the camera, wait for the worker's end and return why it ended."""
    with pytest.raises(TripodError) as caught:
        async with asyncio.timeout(20), start(tools) as running:
            await running.wait()
    return caught.value


async def test_frames_metadata_and_answers_come_in_their_turn(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        """
        say(Kind.HELLO, **HELLO)
        raw(packed(Kind.H264, b"unit", 5_000_000_000, KEY_FRAME))
        say(Kind.METADATA, lux=40)
        raw(packed(Kind.JPEG, b"jpeg", 6_000_000_000))
        request = command()
        raw(packed(Kind.STILL, b"large"))
        reply(request)
        obey()
        """,
    )
    heard = Heard()
    async with start(tools, heard) as running:
        assert running.hello["model"] == "imx708"
        assert await running.still() == b"large"
        assert (await running.ask("controls"))["controls"][0]["key"] == "ae_enable"
    assert heard.frames == [
        Message(Kind.H264, b"unit", key=True, stamp=5.0),
        Message(Kind.JPEG, b"jpeg", key=False, stamp=6.0),
    ]
    assert heard.metadata == [{"lux": 40}]


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("device_busy", errors.DeviceBusy),
        ("device_missing", errors.DeviceMissing),
        ("no_permission", errors.NoPermission),
        ("no_picamera2", errors.NoPicamera2),
        ("picamera2_broken", errors.Picamera2Broken),
        ("encoder_failed", errors.EncoderFailed),
        ("what is that", WorkerFailed),
    ],
)
async def test_what_the_worker_names_is_the_error(tmp_path: Path, cause: str, expected: type[TripodError]) -> None:
    error = await end(worker(tmp_path, f"say(Kind.ERROR, cause={cause!r}, detail='its words'); sys.exit(1)"))
    assert type(error) is expected
    assert "its words" in str(error)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raw(packed(Kind.JPEG, b'x' * 1000)[:500]); os.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9"),
        ("raw(b'libcamera says hello' * 3); obey()", "nonsense"),
        ("raw(HEADER.pack(MAGIC, Kind.JPEG, 0, 0, MAX_BODY + 1)); obey()", "nonsense"),
        ("raw(packed(Kind.METADATA, b'{torn')); obey()", "nonsense"),
        ("raw(packed(Kind.METADATA, b'[1]')); obey()", "nonsense"),
        ("say(Kind.ERROR); obey()", "nonsense"),
        ("say(Kind.REPLY, id=7); obey()", "an answer to what was not asked"),
        ("say(Kind.HELLO, **HELLO | {'version': 2}); obey()", "version 2 of the protocol"),
        ("sys.stderr.write('Segmentation fault'); sys.exit(3)", "Segmentation fault"),
        ("sys.exit(0)", "status 0"),
    ],
    ids=[
        "mid-frame",
        "text",
        "oversize",
        "torn JSON",
        "other JSON",
        "error",
        "reply",
        "version",
        "last words",
        "silent",
    ],
)
async def test_a_worker_that_goes_wrong_is_told_apart(tmp_path: Path, code: str, words: str) -> None:
    begin = "" if "HELLO" in code else "say(Kind.HELLO, **HELLO)\n"
    error = await end(worker(tmp_path, begin + code))
    assert type(error) is WorkerFailed
    assert words in str(error)


async def test_a_worker_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "OPEN_TIMEOUT", 0.2)
    assert "did not answer" in str(await end(worker(tmp_path, "obey()")))


async def test_a_command_that_is_not_answered_fails_and_the_next_is_not_mistaken(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        """
        say(Kind.HELLO, **HELLO)
        first = command()
        second = command()
        reply(first, answer=1)
        reply(second, answer=2)
        obey()
        """,
    )
    async with start(tools) as running:
        with pytest.raises(WorkerFailed, match="did not answer"):
            await running.ask("keyframe", 0.2)
        assert (await running.ask("keyframe"))["answer"] == 2


async def test_an_answer_may_be_an_error(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        """
        say(Kind.HELLO, **HELLO)
        reply(command(), error=dict(cause="invalid_control", detail="smell"))
        obey()
        """,
    )
    async with start(tools) as running:
        with pytest.raises(errors.InvalidControl, match="control smell"):
            await running.ask("set", controls={"smell": 1})


async def test_whoever_waits_for_an_answer_hears_of_the_death(tmp_path: Path) -> None:
    tools = worker(tmp_path, "say(Kind.HELLO, **HELLO); command(); os.kill(os.getpid(), signal.SIGKILL)")
    async with start(tools) as running:
        with pytest.raises(WorkerFailed, match="signal 9"):
            await running.ask("keyframe")


async def test_whoever_waits_for_an_answer_hears_that_the_camera_was_closed(tmp_path: Path) -> None:
    async with start(worker(tmp_path, "say(Kind.HELLO, **HELLO); command(); command()")) as running:
        asked = asyncio.create_task(running.ask("keyframe"))
        await asyncio.sleep(0)
    with pytest.raises(errors.Stopped):
        await asked


async def test_a_machine_without_that_python_has_no_picamera2() -> None:
    with pytest.raises(errors.NoPicamera2):
        await list_cameras(Tools(ffmpeg=Ffmpeg(), python="/no/python3", rpicam_vid="/no/rpicam-vid"))
    assert isinstance(await end(Tools(ffmpeg=Ffmpeg(), python="/no/python3")), errors.NoPicamera2)


async def test_a_python_without_picamera2_has_none() -> None:
    """The real worker, under a Python that has nothing but the standard library."""
    tools = Tools(ffmpeg=Ffmpeg(), python=sys.executable, rpicam_vid="/no/rpicam-vid")
    with pytest.raises(errors.NoPicamera2, match="picamera2"):
        await list_cameras(tools)


async def test_a_python_older_than_ours_is_named(tmp_path: Path) -> None:
    code = "sys.stderr.write('Unknown option: -P\\nusage: python3 [option]'); sys.exit(2)"
    error = await end(worker(tmp_path, code))
    assert isinstance(error, errors.Picamera2Broken)


@pytest.mark.parametrize("answer", ["", "hello", "{}", "[]", '{"cameras": [1]}', '{"error": 5}'])
async def test_a_list_that_is_none_is_refused(tmp_path: Path, answer: str) -> None:
    with pytest.raises(WorkerFailed):
        await list_cameras(worker(tmp_path, f"raw({answer.encode()!r})"))


async def test_a_list_that_does_not_come_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LIST_TIMEOUT", 0.2)
    with pytest.raises(WorkerFailed, match="did not answer"):
        await list_cameras(worker(tmp_path, "time.sleep(60)"))


async def test_the_list_says_why_there_is_no_camera(tmp_path: Path) -> None:
    code = (
        """raw(json.dumps(dict(version=1, error=dict(cause="device_missing", detail="none"))).encode()); sys.exit(1)"""
    )
    with pytest.raises(errors.DeviceMissing, match="none"):
        await list_cameras(worker(tmp_path, code))
