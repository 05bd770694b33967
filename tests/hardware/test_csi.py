"""CSI cameras on the real Picamera2, with libcamera's virtual cameras behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from custom_components.tripod.engine import pipeline as pipeline_module
from custom_components.tripod.engine.errors import (
    ControlInactive,
    DeviceMissing,
    InvalidControl,
    Stalled,
    TripodError,
    WorkerFailed,
)
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.picamera2_worker import Kind
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Csi, Medium, Tools
from custom_components.tripod.engine.sources.csi import Board, CsiControls, list_cameras, profiles
from custom_components.tripod.engine.sources.csi.protocol import Message, MessageParser
from custom_components.tripod.engine.sources.csi.worker import Worker, command
from custom_components.tripod.engine.status import State
from tests.engine.capture import capturing
from tests.engine.media import decoded_frames

from . import virtual_pi

CAMERA = Csi(camera=virtual_pi.IMX708, width=640, height=360, lores_width=320, lores_height=240)
PATIENCE = 30
"""Seconds: the machine is shared with others."""


@pytest.fixture(scope="module")
def tools() -> Tools:
    try:
        return virtual_pi.tools()
    except virtual_pi.UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(autouse=True)
def _seen_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever directory the tests are started in."""
    monkeypatch.setenv("VIRTUAL_PI_SHARE", str(virtual_pi.ROOT))


class Heard:
    """What a worker says, to wait for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.metadata: list[Mapping[str, Any]] = []
        self._more = asyncio.Event()

    def frame(self, message: Message) -> None:
        self.messages.append(message)
        self._more.set()

    def note(self, metadata: Mapping[str, Any]) -> None:
        self.metadata.append(metadata)
        self._more.set()

    def of(self, kind: Kind) -> list[Message]:
        return [message for message in self.messages if message.kind is kind]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._more.clear()
                await self._more.wait()

    async def next_metadata(self) -> Mapping[str, Any]:
        """Return what is said after this moment."""
        before = len(self.metadata)
        await self.until(lambda: len(self.metadata) > before + 1)
        return self.metadata[-1]


@asynccontextmanager
async def working(tools: Tools, camera: Csi = CAMERA) -> AsyncIterator[tuple[Worker, Heard]]:
    heard = Heard()
    async with Worker(tools, camera.settings({}), on_frame=heard.frame, on_metadata=heard.note) as worker:
        yield worker, heard


@asynccontextmanager
async def streaming(tools: Tools, camera: Csi = CAMERA, **options: Any) -> AsyncIterator[Pipeline]:
    pipeline = Pipeline(camera, tools, Options(**options))
    pipeline.open()
    try:
        yield pipeline
    finally:
        await pipeline.close()


async def frame(reader: Any) -> Any:
    """Return the next frame, however often the camera's state changes meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not (taken := await reader.next()):
            pass
    return taken


async def stream(reader: Any, size: int) -> bytes:
    """Return the next `size` bytes of video and a few more."""
    data = b""
    async with asyncio.timeout(PATIENCE):
        while len(data) < size:
            data += await reader.next() or b""
    return data


async def state(pipeline: Pipeline, wanted: State) -> None:
    changed = asyncio.Event()
    stop_listening = pipeline.listen(changed.set)
    try:
        async with asyncio.timeout(PATIENCE):
            while pipeline.state is not wanted:
                changed.clear()
                await changed.wait()
    finally:
        stop_listening()


def workers(parent: int) -> list[int]:
    """Return the process ids of the workers that `parent` started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, stat = (process / "cmdline").read_bytes(), (process / "stat").read_text()
        except OSError:
            continue
        if b"picamera2_worker.py" in words and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(process.name))
    return found


async def gone(pid: int) -> None:
    """Wait for a process to end, also where it is nobody's child any more."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)


async def test_cameras_are_listed_by_what_stays_the_same(tools: Tools) -> None:
    first, second = await list_cameras(tools)
    assert (first.id, first.model, first.location) == (virtual_pi.IMX708, "imx708", "front")
    assert (second.id, second.model, second.location) == (virtual_pi.OV5647, "ov5647", "back")
    assert first.sizes == tuple(sorted(first.sizes, reverse=True))
    assert (1920, 1080) in first.sizes


async def test_a_machine_without_a_camera_says_so(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_PI_CAMERAS", "0")
    with pytest.raises(DeviceMissing, match="no camera is connected"):
        await list_cameras(tools)
    with pytest.raises(DeviceMissing, match="there: none"):
        await CAMERA.probe(tools)


async def test_a_camera_that_is_on_no_connector_is_told_from_those_that_are(tools: Tools) -> None:
    with pytest.raises(DeviceMissing, match=r"imx219@10 .*imx708@1a"):
        await replace(CAMERA, camera="/base/soc/i2c0mux/i2c@1/imx219@10").probe(tools)


async def test_the_live_check_tells_the_video_and_shows_a_picture(tools: Tools) -> None:
    found = await profiles((await list_cameras(tools))[0], Board.PI_5)[0].probe(tools)
    assert (found.medium, found.codec, found.width, found.height) == (Medium.PACKETS, "h264", 1280, 720)
    assert found.rate == pytest.approx(30, rel=0.5)
    assert dimensions(found.picture or b"") == (640, 360)


async def test_both_media_come_at_once_from_one_camera(tools: Tools) -> None:
    async with (
        streaming(tools) as pipeline,
        pipeline.frames() as frames,
        pipeline.packets() as packets,
    ):
        pictures = [await frame(frames) for _ in range(10)]
        video = await stream(packets, 300_000)
        (worker,) = workers(os.getpid())
        status = pipeline.status
    assert {dimensions(picture.data) for picture in pictures} == {(320, 240)}
    assert all(earlier.captured_at < later.captured_at for earlier, later in pairwise(pictures))
    assert time.time() - PATIENCE < pictures[0].captured_at < pictures[-1].captured_at <= time.time()
    assert decoded_frames(video) > 10
    assert (status.codec, status.width, status.height, status.transcoding) == ("h264", 640, 360, False)
    await gone(worker)


async def test_time_stamps_begin_where_the_pipeline_is_and_rise(tools: Tools) -> None:
    async with capturing(CAMERA, tools, timestamp_offset=1000.0) as capture:
        sink = await capture.until(lambda sink: len(sink.frames) > 40)
    stamps = [chunk.pts or 0 for chunk in sink.frames]
    assert all(earlier < later for earlier, later in pairwise(stamps))
    assert 1000 * 90_000 <= stamps[0] < (1000 + PATIENCE) * 90_000
    steps = sorted(later - earlier for earlier, later in pairwise(stamps))
    assert steps[len(steps) // 2] == pytest.approx(3000, abs=10)
    keys = [index for index, chunk in enumerate(sink.frames) if chunk.key]
    assert keys == [0, 30]


async def test_encoders_run_only_while_their_medium_is_wanted(tools: Tools) -> None:
    async with working(tools) as (worker, heard):
        assert (await heard.next_metadata())["running"] == []
        await worker.ask("start", medium="h264")
        await heard.until(lambda: len(heard.of(Kind.H264)) > 5)
        assert not heard.of(Kind.JPEG)
        await worker.ask("start", medium="jpeg")
        await heard.until(lambda: len(heard.of(Kind.JPEG)) > 2)
        await worker.ask("stop", medium="h264")
        heard.messages.clear()
        assert (await heard.next_metadata())["running"] == ["jpeg"]
        assert not heard.of(Kind.H264)
        assert heard.of(Kind.JPEG)
        await worker.ask("start", medium="h264")
        await heard.until(lambda: bool(heard.of(Kind.H264)))
        assert heard.of(Kind.H264)[0].key


async def test_a_consumer_that_leaves_takes_its_encoder_along(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "ENCODER_LINGER", 0.1)
    async with streaming(tools) as pipeline, pipeline.frames() as frames:
        async with pipeline.packets() as packets:
            await stream(packets, 20_000)
            (worker,) = workers(os.getpid())
            async with asyncio.timeout(PATIENCE):
                while "h264" not in _controls(pipeline).metadata.get("running", ()):
                    await frame(frames)
        async with asyncio.timeout(PATIENCE):
            while "h264" in _controls(pipeline).metadata["running"]:
                await frame(frames)
        assert pipeline.packet_feed.last_frame_at is None
        async with pipeline.packets() as packets:
            await stream(packets, 20_000)
        assert workers(os.getpid()) == [worker]


def _controls(pipeline: Pipeline) -> CsiControls:
    assert isinstance(pipeline.controls, CsiControls)
    return pipeline.controls


async def test_a_camera_that_nobody_watches_is_known_to_live(tools: Tools) -> None:
    async with capturing(CAMERA, tools) as capture:
        for medium in Medium:
            capture.sink.wanted.discard(medium)
        sink = await capture.until(lambda sink: sink.unchanged > 1)
        pictures = len(sink.pictures)
        capture.sink.wanted.add(Medium.FRAMES)
        await capture.until(lambda sink: len(sink.pictures) > pictures)


async def test_controls_turn_while_the_camera_streams(tools: Tools) -> None:
    async with streaming(tools) as pipeline, pipeline.frames() as frames:
        await frame(frames)
        controls = _controls(pipeline)
        await controls.refresh()
        assert controls.current["af_mode"].choices == {0: "Manual", 1: "Auto", 2: "Continuous"}
        assert controls.current["af_mode"].value == 2
        assert controls.current["awb_mode"].choices[1] == "Incandescent"
        assert controls.current["lens_position"].inactive
        with pytest.raises(ControlInactive, match="set Af Mode to Manual first"):
            await controls.set({"lens_position": 4})
        with pytest.raises(InvalidControl):
            await controls.set({"smell": 1})
        answer = await controls.set({"af_mode": 0, "lens_position": 4, "brightness": 7})
        assert answer["brightness"].value == 1  # its maximum
        async with asyncio.timeout(PATIENCE):
            while controls.metadata.get("lens_position") != 4:
                await frame(frames)
        await controls.refresh()
        assert controls.current["lens_position"].value == 4


async def test_settings_survive_the_worker(tools: Tools) -> None:
    async with streaming(tools) as pipeline, pipeline.frames() as frames:
        await frame(frames)
        controls = _controls(pipeline)
        await controls.set({"ae_enable": 0, "exposure_time": 5000})
        (worker,) = workers(os.getpid())
        os.kill(worker, signal.SIGKILL)
        await state(pipeline, State.RETRYING)
        assert isinstance(pipeline.error, WorkerFailed)
        assert "signal 9" in str(pipeline.error)
        await state(pipeline, State.STREAMING)
        async with asyncio.timeout(PATIENCE):
            while controls.metadata.get("exposure_time") != 5000:
                await frame(frames)
        assert controls.current["exposure_time"].value == 5000
        assert workers(os.getpid()) != [worker]


async def test_the_rate_follows_its_control_and_key_frames_stay_a_second_apart(tools: Tools) -> None:
    async with working(tools) as (worker, heard):
        await worker.ask("start", medium="h264")
        await worker.ask("start", medium="jpeg")
        await worker.ask("set", controls={"frame_rate": 10})
        heard.messages.clear()
        await heard.until(lambda: len([message for message in heard.of(Kind.H264) if message.key]) > 2)
        video = heard.of(Kind.H264)
        keys = [index for index, message in enumerate(video) if message.key]
        assert keys[2] - keys[1] == 10
        assert video[keys[1] + 2].stamp - video[keys[1] + 1].stamp == pytest.approx(0.1, abs=0.01)
        jpegs = heard.of(Kind.JPEG)
        assert jpegs[-1].stamp - jpegs[-2].stamp == pytest.approx(0.1, abs=0.01)  # not thinned any more


async def test_a_key_frame_comes_when_asked_for(tools: Tools) -> None:
    async with working(tools) as (worker, heard):
        await worker.ask("start", medium="h264")
        # the one that every stream begins with is not the one that is asked for
        await heard.until(lambda: sum(message.key for message in heard.messages) == 1)
        began = len(heard.messages)
        await worker.ask("keyframe")
        await heard.until(lambda: sum(message.key for message in heard.messages) > 2)
        _, asked, following = (number for number, message in enumerate(heard.messages) if message.key)
        assert asked - began < 15
        assert following - asked == 30


async def test_a_still_has_the_full_size_and_both_streams_go_on(tools: Tools) -> None:
    async with (
        streaming(tools) as pipeline,
        pipeline.frames() as frames,
        pipeline.packets() as packets,
    ):
        await frame(frames)
        await stream(packets, 50_000)
        still = await pipeline.still()
        assert dimensions(still) == virtual_pi.FULL_SIZE
        assert dimensions((await frame(frames)).data) == (320, 240)
        await stream(packets, 50_000)
        assert pipeline.state is State.STREAMING
        assert pipeline.status.restarts == 0


def test_a_slow_reader_loses_frames_and_the_camera_none(tools: Tools) -> None:
    settings = CAMERA.settings({})
    with subprocess.Popen(
        [*command(tools), "run", json.dumps(settings)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        assert child.stdout
        for medium in ("h264", "jpeg"):
            child.stdin.write(json.dumps({"id": 1, "command": "start", "medium": medium}).encode() + b"\n")
        child.stdin.flush()
        parser, messages = MessageParser(), list[Message]()
        while not any(message.kind is Kind.H264 for message in messages):
            messages += parser.feed(os.read(child.stdout.fileno(), 1 << 16))
        time.sleep(6)  # what a slow reader does; the camera speaks once a second
        messages.clear()
        dropped: dict[str, int] = {}
        while not dropped.get("h264") or not any(message.key for message in messages):
            messages += parser.feed(os.read(child.stdout.fileno(), 1 << 16))
            dropped = next(
                (json.loads(m.body)["dropped"] for m in reversed(messages) if m.kind is Kind.METADATA), dropped
            )
        child.stdin.close()
        while data := os.read(child.stdout.fileno(), 1 << 16):
            messages += parser.feed(data)
        assert child.wait(PATIENCE) == 0
    video = [message for message in messages if message.kind is Kind.H264]
    gaps = [later for earlier, later in pairwise(video) if later.stamp - earlier.stamp > 0.5]
    assert gaps
    assert all(message.key for message in gaps)
    said = [message.stamp for message in messages if message.kind is Kind.METADATA]
    assert len(said) > 3  # the camera went on all the time
    assert dropped["jpeg"] > 0


def test_the_worker_ends_with_its_stdin_and_closes_the_camera(tools: Tools) -> None:
    with subprocess.Popen(
        [*command(tools), "run", json.dumps(CAMERA.settings({}))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        assert child.stdout
        os.read(child.stdout.fileno(), 1 << 16)
        child.stdin.close()
        child.stdout.read()
        assert child.wait(PATIENCE) == 0


async def test_nothing_but_messages_is_on_the_pipe(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "*:DEBUG")
    async with working(tools) as (worker, heard):
        await worker.ask("start", medium="jpeg")
        await heard.until(lambda: bool(heard.messages))


async def test_a_worker_does_not_outlive_its_parent(tools: Tools) -> None:
    program = f"""
import asyncio, os
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.sources import Csi, Tools
from tests.engine.capture import capturing
from tests.hardware.test_csi import CAMERA, workers

async def main():
    async with capturing(CAMERA, Tools(ffmpeg=Ffmpeg(), python={tools.python!r})) as capture:
        await capture.until(lambda sink: len(sink.pictures) > 2)
        print(workers(os.getpid())[0], flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=subprocess.PIPE, cwd=virtual_pi.ROOT
    )
    assert parent.stdout
    async with asyncio.timeout(PATIENCE):
        worker = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await gone(worker)


async def test_a_frozen_worker_is_replaced(tools: Tools) -> None:
    async with streaming(tools, stall_limit=2.0) as pipeline, pipeline.frames() as frames:
        await frame(frames)
        (worker,) = workers(os.getpid())
        os.kill(worker, signal.SIGSTOP)
        await state(pipeline, State.RETRYING)
        assert isinstance(pipeline.error, Stalled)
        await state(pipeline, State.STREAMING)
        await gone(worker)


async def test_a_board_whose_hardware_encoder_is_not_there_encodes_in_software(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_PI_MODEL", "4")
    async with working(tools) as (worker, heard):
        await worker.ask("start", medium="h264")
        await heard.until(lambda: len(heard.of(Kind.H264)) > 5)
        assert (await heard.next_metadata())["encoder"] == "software"


async def test_a_camera_without_autofocus_has_no_such_controls(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_PI_AF", "0")
    async with working(tools) as (worker, _):
        keys = {control["key"] for control in worker.hello["controls"]}
    assert {"exposure_time", "analogue_gain", "frame_rate"} <= keys
    assert not {"af_mode", "lens_position"} & keys


async def test_two_cameras_run_at_once_and_one_of_them_upside_down(tools: Tools) -> None:
    upside_down = replace(CAMERA, camera=virtual_pi.OV5647, hflip=True, vflip=True)
    async with working(tools) as (first, heard), working(tools, upside_down) as (second, also_heard):
        assert (first.hello["model"], second.hello["model"]) == ("imx708", "ov5647")
        for worker in (first, second):
            await worker.ask("start", medium="jpeg")
        await heard.until(lambda: bool(heard.messages))
        await also_heard.until(lambda: bool(also_heard.messages))


async def test_a_picture_reaches_us_before_the_next_is_taken(tools: Tools) -> None:
    """The software encoder by itself holds back a frame for each of its threads."""
    ages: list[float] = []

    def note(message: Message) -> None:
        if message.kind is Kind.H264:
            ages.append(time.monotonic() - message.stamp)

    heard = Heard()
    async with Worker(tools, CAMERA.settings({}), on_frame=note, on_metadata=heard.note) as worker:
        await worker.ask("start", medium="h264")
        for _ in range(4):
            await heard.next_metadata()
    assert min(ages) < 0.03  # a frame held back is at least 0.033 s old


async def test_what_a_worker_is_not_asked_right_it_refuses_and_lives_on(tools: Tools) -> None:
    async with working(tools) as (worker, _):
        with pytest.raises(TripodError, match="bogus"):
            await worker.ask("bogus")
        with pytest.raises(TripodError, match="smell"):
            await worker.ask("start", medium="smell")
        with pytest.raises(InvalidControl):
            await worker.ask("set", controls={"smell": 1})
        assert (await worker.ask("controls"))["controls"]
