"""One camera's whole life: demand, both media, failures, and what is left afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import logging
import os
from pathlib import Path
import signal
import time
from typing import Any

import pytest

from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.errors import (
    DeviceBusy,
    DeviceMissing,
    FormatNotSupported,
    NoFreshPicture,
    Stalled,
    Stopped,
    StreamEnded,
    Unauthorized,
)
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.options import Options, Start
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Found, Medium, Sink, Source, TestPattern, Tools
from custom_components.tripod.engine.status import State

from .media import decoded_frames, ffmpeg, jpegs, mpegts

TOOLS = Tools(ffmpeg=Ffmpeg())
H264 = TestPattern(width=320, height=240, rate=15)
MJPEG = TestPattern(width=320, height=240, rate=15, format="mjpeg")
PICTURE = jpegs(frames=1, size="64x64")


class Soon(Backoff):
    """No delay to speak of."""

    def next(self) -> float:
        return 0.01

    def longest(self) -> float:
        return 0.01


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


@asynccontextmanager
async def pipeline(
    source: Source, *, linger: float = 30, stopped: bool = False, **options: Any
) -> AsyncIterator[Pipeline]:
    before = children()
    camera = Pipeline(source, TOOLS, Options(linger=linger, **options), backoff=Soon(), stopped=stopped)
    camera.open()
    try:
        async with asyncio.timeout(30):
            yield camera
    finally:
        await camera.close()
    assert children() <= before


async def until(camera: Pipeline, condition: Callable[[], bool]) -> None:
    """Wait for a condition that changes with the camera's state."""
    changed = asyncio.Event()
    unlisten = camera.listen(changed.set)
    try:
        while not condition():
            changed.clear()
            await changed.wait()
    finally:
        unlisten()


def in_state(camera: Pipeline, state: State) -> Callable[[], bool]:
    return lambda: camera.state is state


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted(Source):
    """A source that does what the test says, run after run."""

    runs: list[Callable[[Sink], Awaitable[None]]]
    count: list[int] = field(default_factory=lambda: [0])
    plugged: list[bool] = field(default_factory=lambda: [True])
    pause: float = 0.0

    @property
    def native(self) -> Medium:
        return Medium.FRAMES

    @property
    def address(self) -> str:
        return "script"

    @property
    def interval(self) -> float:
        return self.pause

    def attached(self) -> bool:
        return self.plugged.pop(0) if len(self.plugged) > 1 else self.plugged[0]

    async def probe(self, tools: Tools) -> Found:  # noqa: ARG002
        raise AssertionError

    async def capture(self, tools: Tools, sink: Sink) -> None:  # noqa: ARG002
        run = self.runs[min(self.count[0], len(self.runs) - 1)]
        self.count[0] += 1
        await run(sink)

    def as_dict(self) -> dict[str, Any]:
        return {}


async def stream(sink: Sink) -> None:
    while True:
        sink.frame(PICTURE)
        await asyncio.sleep(0.02)


async def one_picture_then_silence(sink: Sink) -> None:
    sink.frame(PICTURE)
    await asyncio.Event().wait()


def failing(error: Exception) -> Callable[[Sink], Awaitable[None]]:
    async def run(_: Sink) -> None:
        raise error

    return run


async def test_nothing_runs_until_somebody_asks() -> None:
    async with pipeline(H264) as camera:
        await asyncio.sleep(0.05)
        assert camera.state is State.IDLE
        assert not children()


@pytest.mark.parametrize("source", [H264, MJPEG])
async def test_both_media_from_one_capture(source: TestPattern) -> None:
    before = len(children())
    async with (
        pipeline(source) as camera,
        camera.frames() as frames,
        camera.frames() as more_frames,
        camera.packets() as packets,
        camera.packets() as more_packets,
    ):
        frame = await frames.next()
        while frame is None:
            frame = await frames.next()
        assert dimensions(frame.data) == (320, 240)
        assert 0 <= time.time() - frame.captured_at < 2
        assert (await anext(more_frames)).data
        data = b""
        while len(camera.packet_feed.complete) < 1:
            data += await anext(packets)
        assert decoded_frames(data) >= 15
        assert await anext(more_packets)
        assert len(children()) - before == 2  # the capture and one transcoder, whoever watches
        status = camera.status
        assert (status.state, status.width, status.height) == (State.STREAMING, 320, 240)
        assert status.frames_per_second > 5
        assert status.transcoding


@pytest.mark.parametrize(("source", "medium"), [(H264, "packets"), (MJPEG, "frames")])
async def test_native_medium_needs_no_transcoder(source: TestPattern, medium: str) -> None:
    before = len(children())
    async with pipeline(source) as camera, getattr(camera, medium)() as reader:
        assert await anext(reader)
        assert len(children()) - before == 1
        assert not camera.status.transcoding


async def test_capture_lingers_and_then_ends() -> None:
    async with pipeline(MJPEG, linger=0.1) as camera:
        async with camera.frames() as frames:
            await anext(frames)
            (pid,) = children()
        assert camera.state is State.STREAMING
        async with camera.frames() as frames:
            await anext(frames)
            assert children() == {pid}
        await until(camera, in_state(camera, State.IDLE))
        assert not children()
        assert camera.frame_feed.latest is None
        assert not camera.packet_feed.segments


async def test_always_on_camera_runs_without_viewers() -> None:
    async with pipeline(MJPEG, linger=0.01, start=Start.ALWAYS) as camera:
        await until(camera, in_state(camera, State.STREAMING))


async def test_armed_pre_roll_keeps_the_camera_on_and_the_seconds_there() -> None:
    async with pipeline(H264, linger=0.01, pre_roll=2) as camera:
        await until(camera, in_state(camera, State.STREAMING))
        while camera.status.ring_seconds < 3:
            async with camera.packets() as packets:
                await anext(packets)
                await packets.next(0.2)
        now = time.time()
        start = camera.packet_feed.start_of(2)
        assert start is not None
        assert start.started_at <= now - 2


async def test_killed_worker_comes_back_under_its_consumers() -> None:
    async with pipeline(H264) as camera, camera.packets() as packets:
        await anext(packets)
        (pid,) = children()
        os.kill(pid, signal.SIGKILL)
        await until(camera, lambda: camera.status.restarts == 1)
        assert camera.status.last_error is not None
        while not packets.discontinuities:
            await anext(packets)
        first, later = camera.packet_feed.segments[0], camera.packet_feed.segments[-1]
        assert later.pts > first.pts  # time never goes back
        assert camera.state is State.STREAMING
        assert camera.error is None


async def test_frozen_worker_is_replaced() -> None:
    async with pipeline(MJPEG, stall_limit=0.5) as camera, camera.frames() as frames:
        await anext(frames)
        (pid,) = children()
        os.kill(pid, signal.SIGSTOP)
        await until(camera, in_state(camera, State.RETRYING))
        assert isinstance(camera.error, Stalled)
        await until(camera, in_state(camera, State.STREAMING))
        assert (await anext(frames)).data
        assert pid not in children()


async def test_stop_survives_viewers_and_start_brings_them_back() -> None:
    async with pipeline(MJPEG) as camera, camera.frames() as frames:
        await anext(frames)
        assert await camera.stop() is State.STREAMING
        assert await camera.stop() is State.STOPPED
        assert not children()
        with pytest.raises(Stopped):
            await camera.snapshot()
        assert camera.start() is State.STOPPED
        assert camera.start() is State.STARTING
        assert (await anext(frames)).data
        assert camera.start() is State.STREAMING


async def test_stopped_camera_stays_so() -> None:
    async with pipeline(MJPEG, stopped=True, start=Start.ALWAYS) as camera:
        with pytest.raises(Stopped):
            await camera.snapshot()
        assert camera.state is State.STOPPED
        camera.start()
        assert (await camera.snapshot()).data


async def test_restart_replaces_the_worker() -> None:
    async with pipeline(MJPEG) as camera, camera.frames() as frames:
        await anext(frames)
        (pid,) = children()
        await camera.restart()
        assert (await anext(frames)).data
        assert children()
        assert pid not in children()


async def test_failure_is_said_once_per_change(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    busy, gone = failing(DeviceBusy("/dev/video0")), failing(Unauthorized("401"))
    source = Scripted(runs=[busy, busy, busy, gone, gone, stream])
    async with pipeline(source) as camera, camera.frames() as frames:
        await anext(frames)
        assert camera.status.restarts == 5
    messages = [record.getMessage() for record in caplog.records if record.name.endswith("condition")]
    assert [message.split(":")[1].strip()[:15] for message in messages] == [
        "Another program",
        "The source refu",
        "streaming again",
    ]


async def test_snapshot_says_what_keeps_the_camera_away() -> None:
    async with pipeline(Scripted(runs=[failing(DeviceBusy("/dev/video0"))])) as camera:
        with pytest.raises(DeviceBusy):
            await camera.snapshot()


async def test_snapshot_is_fresh_or_an_error() -> None:
    async with pipeline(Scripted(runs=[one_picture_then_silence]), stall_limit=60) as camera:
        first = await camera.snapshot()
        assert await camera.snapshot(max_age=60) is first
        with pytest.raises(NoFreshPicture):
            await camera.snapshot(after=time.time(), wait=0.1)
        await asyncio.sleep(0.05)
        with pytest.raises(NoFreshPicture):
            await camera.snapshot(max_age=0.01, wait=0.05)


async def test_snapshot_after_now_is_newer_than_the_question() -> None:
    async with pipeline(Scripted(runs=[stream])) as camera:
        for _ in range(5):
            asked = time.time()
            assert (await camera.snapshot(after=asked)).captured_at > asked


@pytest.mark.parametrize("source", [H264, MJPEG])
async def test_cold_snapshot(source: TestPattern) -> None:
    async with pipeline(source) as camera:
        frame = await camera.snapshot(wait=10)
        assert dimensions(frame.data) == (320, 240)
        assert abs(time.time() - frame.captured_at) < 2


async def test_old_picture_is_gone_as_soon_as_the_camera_is() -> None:
    source = Scripted(runs=[one_picture_then_silence], plugged=[True])
    async with pipeline(source, stall_limit=0.2) as camera:
        await camera.snapshot()
        async with camera.frames():
            await until(camera, in_state(camera, State.RETRYING))
            assert camera.frame_feed.latest is None


async def test_slow_source_is_not_frozen() -> None:
    async def slow(sink: Sink) -> None:
        while True:
            sink.frame(PICTURE)
            await asyncio.sleep(0.3)
            sink.alive()  # unchanged
            await asyncio.sleep(0.3)

    async with pipeline(Scripted(runs=[slow], pause=0.4), stall_limit=0.1) as camera, camera.frames() as frames:
        for _ in range(3):
            await anext(frames)
        assert camera.status.restarts == 0


async def test_a_device_that_is_gone_is_missing_whatever_its_worker_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.capture.WATCH", 0.02)
    source = Scripted(runs=[failing(StreamEnded("Input/output error"))], plugged=[False])
    async with pipeline(source) as camera, camera.frames():
        await until(camera, in_state(camera, State.RETRYING))
        assert isinstance(camera.error, DeviceMissing)


async def test_a_camera_that_is_put_back_does_not_wait_for_its_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.capture.WATCH", 0.02)
    monkeypatch.setattr(Soon, "next", lambda _: 3600.0)
    source = Scripted(runs=[failing(StreamEnded()), stream], plugged=[True, False, False, True])
    async with pipeline(source) as camera, camera.frames() as frames:
        while await frames.next(1) is None:
            pass
        assert source.count == [2]


async def test_absent_device_is_taken_up_on_its_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.capture.WATCH", 0.02)
    source = Scripted(runs=[failing(DeviceMissing("/dev/video0")), stream], plugged=[False])
    async with pipeline(source) as camera, camera.frames() as frames:
        await until(camera, in_state(camera, State.RETRYING))
        assert await frames.next(0.1) is None
        assert source.count == [1]
        source.plugged[0] = True
        while await frames.next(1) is None:
            pass
        assert camera.state is State.STREAMING


async def test_unforeseen_failure_is_survived(caplog: pytest.LogCaptureFixture) -> None:
    source = Scripted(runs=[failing(ZeroDivisionError()), stream])
    async with pipeline(source) as camera, camera.frames() as frames:
        assert (await anext(frames)).data
    assert "not foreseen" in caplog.text


async def test_changed_picture_size_goes_through_the_encoder() -> None:
    sizes = [jpegs(frames=1, size="64x64"), jpegs(frames=1, size="128x96")]

    async def changing(sink: Sink) -> None:
        began = time.monotonic()
        while True:
            sink.frame(sizes[time.monotonic() - began > 2])
            await asyncio.sleep(0.05)

    async with pipeline(Scripted(runs=[changing])) as camera, camera.packets() as packets:
        while camera.packet_feed.picture_size != (128, 96):
            await anext(packets)
        assert packets.discontinuities or camera.packet_feed.segments[-1].discontinuity


async def test_odd_picture_size_is_encoded() -> None:
    odd = jpegs("-vf", "format=yuvj444p,crop=63:63", frames=1, size="64x64")
    assert dimensions(odd) == (63, 63)

    async def odd_stream(sink: Sink) -> None:
        while True:
            sink.frame(odd)
            await asyncio.sleep(0.05)

    async with pipeline(Scripted(runs=[odd_stream])) as camera, camera.packets() as packets:
        assert await anext(packets)
        assert camera.packet_feed.picture_size == (62, 62)


async def test_missing_ffmpeg_is_a_reason_not_a_crash() -> None:
    camera = Pipeline(H264, Tools(ffmpeg=Ffmpeg("/nonexistent/ffmpeg")), backoff=Soon())
    camera.open()
    try:
        with pytest.raises(Exception, match="ffmpeg was not found"):
            await camera.snapshot()
    finally:
        await camera.close()


async def test_closing_ends_waiting_consumers() -> None:
    camera = Pipeline(Scripted(runs=[one_picture_then_silence]), TOOLS)
    camera.open()

    async def watch() -> int:
        async with camera.frames() as frames:
            return len([frame async for frame in frames])

    watching = asyncio.create_task(watch())
    await until(camera, in_state(camera, State.STREAMING))
    await asyncio.sleep(0)
    await camera.close()
    assert await asyncio.wait_for(watching, 1) == 1


async def test_both_media_go_on_across_the_time_stamp_wrap() -> None:
    """26.5 hours after the beginning MPEG-TS time stamps start again at zero."""
    async with pipeline(H264) as camera:
        camera._began -= 2**33 / 90_000 - 2
        async with camera.packets() as packets, camera.frames() as frames:
            (await anext(packets))
            wrapped = camera._age() + 4
            while camera._age() < wrapped:
                frame = await frames.next(5)
                assert frame is not None or camera.state is not State.STREAMING or camera.frame_feed.latest is None
                if frame:
                    assert 0 <= time.time() - frame.captured_at < 1
        first, *_, last = camera.packet_feed.complete
        assert first.pts < 2**33 < last.pts
        assert {round(segment.duration, 1) for segment in camera.packet_feed.complete} == {1.0}
        assert not any(segment.discontinuity for segment in camera.packet_feed.segments)
        assert camera.status.restarts == 0


async def test_derived_pictures_come_wherever_the_first_frame_lies_between_two_ticks_of_the_rate() -> None:
    async with pipeline(H264) as camera:
        camera._began -= 10.0137
        frame = await camera.snapshot(wait=10)
        assert 0 <= time.time() - frame.captured_at < 1


async def test_who_waits_for_a_closed_camera_is_told_at_once() -> None:
    async def never(_: Sink) -> None:
        await asyncio.Event().wait()

    async with pipeline(Scripted(runs=[never])) as camera:
        waiting = asyncio.create_task(camera.snapshot(wait=30))
        await asyncio.sleep(0)
        await camera.close()
        async with asyncio.timeout(1):
            with pytest.raises(Stopped):
                await waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Both(Scripted):
    """A source that makes both media, each while it is wanted, as Picamera2 does."""

    runs: list[Callable[[Sink], Awaitable[None]]] = field(default_factory=list)
    made: list[frozenset[Medium]] = field(default_factory=list)

    @property
    def native(self) -> Medium:
        return Medium.PACKETS

    @property
    def delivers(self) -> frozenset[Medium]:
        return frozenset(Medium)

    async def capture(self, tools: Tools, sink: Sink) -> None:  # noqa: ARG002
        async def still() -> bytes:
            return PICTURE

        sink.still = still
        video = mpegts()
        while True:
            wanted = frozenset(medium for medium in Medium if medium in sink.wanted)
            if not self.made or self.made[-1] != wanted:
                self.made.append(wanted)
            if Medium.PACKETS in wanted:
                sink.packets(video)
            if Medium.FRAMES in wanted:
                sink.frame(PICTURE)
            sink.alive()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await sink.wanted.changed()


async def test_a_source_that_delivers_both_media_makes_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.tripod.engine.pipeline.ENCODER_LINGER", 0.05)
    source = Both()
    async with pipeline(source) as camera:
        async with camera.frames() as frames:
            assert (await anext(frames)).data == PICTURE
            assert camera.status.medium == "frames"
            async with camera.packets() as packets:
                assert await anext(packets)
                assert camera.status.medium == "packets"
                assert not camera.status.transcoding
            while source.made[-1] != {Medium.FRAMES}:
                await anext(frames)
        assert source.made == [{Medium.FRAMES}, set(Medium), {Medium.FRAMES}]
        assert source.count == [0]  # one run of the capture throughout
        assert not children()


async def test_an_armed_pre_roll_wants_the_packets_of_such_a_source() -> None:
    source = Both()
    async with pipeline(source, pre_roll=5) as camera:
        await until(camera, in_state(camera, State.STREAMING))
        assert source.made == [{Medium.PACKETS}]


async def test_a_still_of_the_full_size() -> None:
    async with pipeline(Both()) as camera:
        assert await camera.still() == PICTURE


async def test_a_source_without_such_stills_says_so() -> None:
    async with pipeline(Scripted(runs=[stream])) as camera:
        with pytest.raises(FormatNotSupported):
            await camera.still()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(Scripted):
    """A sensor that is black at first."""

    @property
    def warms_up(self) -> bool:
        return True


async def test_a_snapshot_waits_for_a_picture_that_is_not_black() -> None:
    black = ffmpeg("-f", "lavfi", "-i", "color=black:s=64x64", "-frames:v", "1", "-c:v", "mjpeg", "-f", "image2pipe")

    async def wake_up(sink: Sink) -> None:
        for _ in range(20):
            sink.frame(black)
            await asyncio.sleep(0.05)
        await stream(sink)

    async with pipeline(Sensor(runs=[wake_up]), warm_up=10) as camera:
        assert (await camera.snapshot(wait=15)).data == PICTURE


async def test_viewers_see_a_sensor_warm_up() -> None:
    async with pipeline(Sensor(runs=[stream]), warm_up=10) as camera, camera.frames() as frames:
        assert (await anext(frames)).data == PICTURE
