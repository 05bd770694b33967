"""The worker's own parts, on stand-ins: what no camera here shows. The rest is in tests/hardware/test_csi.py."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
import importlib.metadata
import io
import json
import os
from pathlib import Path
import signal
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from custom_components.tripod.engine import picamera2_worker as worker
from custom_components.tripod.engine.picamera2_worker import Camera, Failure, Hung, Kind, Outbox
from custom_components.tripod.engine.sources import Csi
from custom_components.tripod.engine.sources.csi.protocol import Message, MessageParser

from . import picamera2_stand_in as stand_in
from .picamera2_stand_in import Encoder, H264Encoder, LibavH264Encoder, Picamera2, install

SETTINGS = Csi(camera=stand_in.ID, rate=30, jpeg_rate=10).settings({})
SECOND = 1_000_000_000


class Pipe:
    """A pipe that the test reads when it likes."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self._parser = MessageParser()
        self._messages: list[Message] = []

    def next(self) -> Message:
        while not self._messages:
            data = os.read(self.read_end, 1 << 16)
            assert data, "the pipe ended"
            self._messages += self._parser.feed(data)
        return self._messages.pop(0)

    def words(self, kind: Kind) -> Any:
        """Return the next message of this kind."""
        while (message := self.next()).kind is not kind:
            pass
        return json.loads(message.body)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for fd in (pipe.read_end, pipe.write_end):
        with suppress(OSError):
            os.close(fd)


class Gaps:
    """Counts what an outbox says."""

    def __init__(self, pipe: Pipe) -> None:
        self.gaps = 0
        self.closed = threading.Event()
        self.outbox = Outbox(pipe.write_end, on_gap=self._gap, on_closed=self.closed.set)

    def _gap(self) -> None:
        self.gaps += 1


def fill(pipe: Pipe, outbox: Outbox) -> None:
    """Fill the pipe, so that the next messages wait."""
    outbox.put(Kind.STILL, bytes(1 << 20))
    os.read(pipe.read_end, 1)  # blocks until it is being written
    pipe._parser.feed(worker.MAGIC[:1])


# --- the outbox ------------------------------------------------------------------------------------------------------


def test_messages_arrive_whole_and_in_order(pipe: Pipe) -> None:
    gaps = Gaps(pipe)
    gaps.outbox.put_json(Kind.HELLO, {"version": 1})
    gaps.outbox.put(Kind.H264, b"k", SECOND, key=True)
    gaps.outbox.put(Kind.JPEG, b"j" * 300_000, 2 * SECOND)
    assert pipe.words(Kind.HELLO) == {"version": 1}
    assert pipe.next() == Message(Kind.H264, b"k", key=True, stamp=1.0)
    assert pipe.next() == Message(Kind.JPEG, b"j" * 300_000, key=False, stamp=2.0)
    assert gaps.gaps == 0


def test_video_begins_with_a_key_frame(pipe: Pipe) -> None:
    gaps = Gaps(pipe)
    gaps.outbox.put(Kind.H264, b"p", SECOND)
    gaps.outbox.put(Kind.H264, b"k", SECOND, key=True)
    assert pipe.next().body == b"k"
    assert gaps.outbox.dropped[Kind.H264] == 1


def test_of_jpegs_only_the_newest_waits(pipe: Pipe) -> None:
    gaps = Gaps(pipe)
    fill(pipe, gaps.outbox)
    for number in range(5):
        gaps.outbox.put(Kind.JPEG, b"%d" % number, number)
    assert pipe.next().kind is Kind.STILL
    assert pipe.next().body == b"4"
    assert gaps.outbox.dropped[Kind.JPEG] == 4


@pytest.mark.parametrize(("frames", "size"), [(40, 10), (8, 1 << 20)], ids=["too long", "too much"])
def test_video_that_waits_is_dropped_up_to_a_key_frame(pipe: Pipe, frames: int, size: int) -> None:
    gaps = Gaps(pipe)
    fill(pipe, gaps.outbox)
    step = SECOND // 30
    for number in range(frames):
        gaps.outbox.put(Kind.H264, bytes(size), number * step, key=number == 0)
    assert gaps.gaps == 1  # said once, however many are dropped
    assert gaps.outbox.dropped[Kind.H264] == frames
    gaps.outbox.put(Kind.H264, b"key", frames * step, key=True)
    gaps.outbox.put(Kind.H264, b"next", frames * step + step)
    gaps.outbox.put_json(Kind.REPLY, {"id": 1})
    assert pipe.next().kind is Kind.STILL
    assert pipe.next().body == b"key"
    assert pipe.next().body == b"next"
    assert pipe.words(Kind.REPLY) == {"id": 1}  # words are never dropped


def test_a_reader_that_is_gone_is_told_once_and_nothing_waits_for_it(pipe: Pipe) -> None:
    gaps = Gaps(pipe)
    os.close(pipe.read_end)
    gaps.outbox.put_json(Kind.REPLY, {})
    assert gaps.closed.wait(10)
    gaps.outbox.put_json(Kind.REPLY, {})
    gaps.outbox.flush(10)


# --- the camera ------------------------------------------------------------------------------------------------------


def camera_of(picamera2: Any, pipe: Pipe, **settings: Any) -> tuple[Camera, Picamera2]:
    outbox = Outbox(pipe.write_end, on_gap=lambda: None, on_closed=lambda: None)
    camera = Camera(picamera2, {**SETTINGS, **settings}, outbox)
    return camera, Picamera2.opened[-1]


@pytest.fixture
def hardware_encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A board that has one, as far as the worker looks."""
    node = tmp_path / "video11"
    node.touch()
    monkeypatch.setattr(worker, "HARDWARE_ENCODER", str(node))
    return node


def test_the_hardware_encoder_is_taken_where_it_is(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, hardware_encoder: Path
) -> None:
    camera, device = camera_of(install(monkeypatch, hardware=True), pipe)
    camera.start_encoder("h264")
    (encoder,) = Encoder.made
    assert type(encoder) is H264Encoder
    assert encoder.settings == {"bitrate": 3_000_000, "repeat": True, "iperiod": 30, "framerate": 30}
    camera.key_frame()
    assert encoder.forced == 1
    device.frame(Lux=3.5, SensorBlackLevels=(1, 2), Gain=float("nan"))
    said = pipe.words(Kind.METADATA)
    assert said == {
        "lux": 3.5,
        "encoder": "hardware",
        "running": ["h264"],
        "dropped": {"h264": 0, "jpeg": 0},
    }


@pytest.mark.parametrize(("rate", "threads"), [(30, 1), (60, 0)])
def test_the_software_encoder_holds_no_frame_back_as_long_as_one_core_does(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, rate: int, threads: int
) -> None:
    camera, _ = camera_of(install(monkeypatch), pipe, width=1920, height=1080, rate=rate)
    camera.start_encoder("h264")
    assert Encoder.made[0].threads == threads


def test_a_hardware_encoder_that_does_not_take_the_size_gives_way(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, hardware_encoder: Path
) -> None:
    picamera2 = install(monkeypatch, hardware=True)
    monkeypatch.setattr(H264Encoder, "fails", OSError(22, "Invalid argument"))  # from VIDIOC_STREAMON
    camera, _ = camera_of(picamera2, pipe)
    camera.start_encoder("h264")
    assert [(type(encoder), encoder.running) for encoder in Encoder.made] == [
        (H264Encoder, False),
        (LibavH264Encoder, True),
    ]


def test_a_board_that_only_claims_a_hardware_encoder_is_not_believed(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, _ = camera_of(install(monkeypatch, hardware=True), pipe)
    monkeypatch.setattr(worker, "HARDWARE_ENCODER", "/dev/no such thing")
    camera.start_encoder("h264")
    assert [type(encoder) for encoder in Encoder.made] == [LibavH264Encoder]


def test_no_encoder_at_all_is_named(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, _ = camera_of(install(monkeypatch), pipe)
    monkeypatch.setattr(LibavH264Encoder, "fails", MemoryError("no memory"))
    with pytest.raises(Failure, match="no memory") as caught:
        camera.start_encoder("h264")
    assert caught.value.cause == "encoder_failed"


@pytest.mark.parametrize("letters", [True, False], ids=["older PyAV", "newer PyAV"])
def test_a_key_frame_is_asked_for_only_where_that_does_no_harm(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, *, letters: bool
) -> None:
    camera, _ = camera_of(install(monkeypatch, letters=letters), pipe)
    camera.key_frame()  # without an encoder, nothing
    camera.start_encoder("h264")
    camera.key_frame()
    assert [encoder.forced for encoder in Encoder.made] == ([1] if letters else [0, 0])
    assert [encoder.running for encoder in Encoder.made] == ([True] if letters else [False, True])


def test_frames_carry_the_sensors_time(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, _ = camera_of(install(monkeypatch), pipe)
    camera.start_encoder("jpeg")
    (encoder,) = Encoder.made
    assert encoder.frame_skip_count == 3
    encoder.frame(b"picture", timestamp=40_000)  # before Picamera2 knows when it began
    assert pipe.next().stamp == pytest.approx(time.monotonic(), abs=10)
    encoder.firsttimestamp = (time.monotonic_ns() - 5 * SECOND) // 1000
    encoder.frame(b"picture", timestamp=1_000_000)
    assert time.monotonic() - 30 < pipe.next().stamp < time.monotonic() - 3


def test_a_clock_that_counts_sleep_is_set_right(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic_ns()
    monkeypatch.setattr(time, "clock_gettime_ns", lambda _: now + 3600 * SECOND)
    stamp = worker.monotonic((now + 3599 * SECOND) // 1000)
    assert stamp == pytest.approx(now - SECOND, abs=SECOND / 2)
    assert worker.monotonic((now + 9000 * SECOND) // 1000) <= time.monotonic_ns()


def test_controls_are_described_by_what_the_camera_advertises(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, _ = camera_of(install(monkeypatch), pipe)
    known = {words["key"]: words for words in camera.controls()}
    assert list(known) == [
        "exposure_time",
        "analogue_gain",
        "ae_enable",
        "af_mode",
        "af_trigger",
        "lens_position",
        "frame_rate",
    ]
    assert known["af_mode"]["choices"] == {"0": "Manual", "1": "Auto", "2": "Continuous"}
    assert known["af_mode"]["value"] == 2
    assert [known[key]["kind"] for key in ("ae_enable", "af_mode", "af_trigger", "frame_rate")] == [
        "switch",
        "menu",
        "button",
        "number",
    ]
    assert (known["frame_rate"]["minimum"], round(known["frame_rate"]["maximum"])) == (1, 120)
    assert known["exposure_time"]["name"] == "Exposure Time"
    assert (known["exposure_time"]["step"], known["analogue_gain"]["step"]) == (1, 0.01)


def test_settings_are_kept_within_limits_and_read_back_once_the_camera_can_know(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, device = camera_of(install(monkeypatch), pipe, controls={"exposure_time": 9e9, "smell": 1.0})
    assert device.configuration["controls"] == {"FrameDurationLimits": (33333, 33333)}
    assert device.done == ["configure"]
    assert device.set == [{"FrameDurationLimits": (33333, 33333), "AfMode": 2, "ExposureTime": 1_000_000}]
    camera.set({"exposure_time": 4999.7, "af_trigger": 1, "lens_position": 3})
    assert device.set[-1] == {"ExposureTime": 5000, "AfTrigger": 1, "LensPosition": 3.0}
    assert type(device.set[-1]["LensPosition"]) is float

    def value(key: str) -> Any:
        return next(words["value"] for words in camera.controls() if words["key"] == key)

    device.frame(ExposureTime=33_000, FrameDuration=40_000)
    assert value("exposure_time") == 5000  # what the camera says is older than the setting
    for _ in range(worker.SETTLING):
        device.frame()
    assert value("exposure_time") == 33_000
    assert value("frame_rate") == 25
    for wrong in ({"smell": 1}, {"exposure_time": "long"}, {"exposure_time": float("inf")}):
        with pytest.raises(Failure) as caught:
            camera.set(wrong)
        assert caught.value.cause == "invalid_control"


def test_limits_are_those_of_the_mode_that_was_configured(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, libcamera tells those of the sensor's largest mode: 14 frames per second of an imx708."""
    configure = Picamera2.configure

    def slower_before(device: Picamera2, configuration: dict[str, Any]) -> None:
        configure(device, configuration)
        device.camera_controls["FrameDurationLimits"] = 17_000, 1_000_000, 33_333

    picamera2 = install(monkeypatch)
    slow = dict([stand_in.control("FrameDurationLimits", 69_669, 1_000_000, 69_669)])
    monkeypatch.setattr(stand_in, "CONTROLS", stand_in.CONTROLS | slow)
    monkeypatch.setattr(Picamera2, "configure", slower_before)
    _, device = camera_of(picamera2, pipe)
    assert device.set[0]["FrameDurationLimits"] == (33_333, 33_333)


def test_automatic_exposure_takes_back_what_was_fixed(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, device = camera_of(install(monkeypatch), pipe)
    camera.set({"ae_enable": 0, "exposure_time": 5000, "analogue_gain": 2})
    camera.set({"ae_enable": 1})
    assert device.set[-1] == {"AeEnable": True, "ExposureTime": 0, "AnalogueGain": 0.0}
    camera.still()
    assert device.set[-1].keys() == {"FrameDurationLimits", "AfMode", "AeEnable"}


def test_a_new_rate_keeps_a_key_frame_a_second_and_the_rate_of_the_jpegs(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, device = camera_of(install(monkeypatch), pipe)
    camera.start_encoder("h264")
    camera.start_encoder("jpeg")
    camera.start_encoder("jpeg")  # is running
    camera.set({"frame_rate": 5})
    assert device.set[-1] == {"FrameDurationLimits": (200_000, 200_000)}
    video, jpeg, again = Encoder.made
    assert (video.running, again.running, again.settings["iperiod"]) == (False, True, 5)
    assert jpeg.frame_skip_count == 1
    camera.close()
    assert not any(encoder.running for encoder in Encoder.made)
    assert device.done[-1] == "close"


def test_a_still_pauses_the_encoders_and_leaves_the_settings(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, device = camera_of(install(monkeypatch), pipe)
    camera.start_encoder("jpeg")
    assert camera.still() == b"large"
    assert [encoder.running for encoder in Encoder.made] == [False, True]
    assert device.set[-1] == {"FrameDurationLimits": (33333, 33333), "AfMode": 2}


def test_a_still_that_finds_no_memory_fails_alone(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> Future[None]:
        future = Future[None]()
        future.set_exception(RuntimeError("Failed to allocate buffers"))
        return future

    picamera2 = install(monkeypatch)
    monkeypatch.setattr(Picamera2, "still", fail)
    camera, device = camera_of(picamera2, pipe)
    camera.start_encoder("jpeg")
    with pytest.raises(Failure, match="Failed to allocate buffers") as caught:
        camera.still()
    assert not isinstance(caught.value, Hung)
    assert device.done[-3:] == ["stop", "configure", "start"]
    assert Encoder.made[-1].running


def test_a_still_that_never_comes_ends_the_worker(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    picamera2 = install(monkeypatch)
    monkeypatch.setattr(Picamera2, "still", lambda _: Future[None]())
    monkeypatch.setattr(worker, "STILL_TIMEOUT", 0.05)
    camera, _ = camera_of(picamera2, pipe)
    with pytest.raises(Hung):
        camera.still()


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("device_busy", RuntimeError("Failed to acquire camera: Device or resource busy")),
        ("device_busy", RuntimeError("")),  # older versions do not say why
        ("no_permission", PermissionError(13, "Permission denied")),
        ("device_missing", RuntimeError("Camera(s) not found (Do not forget to disable legacy camera)")),
    ],
)
def test_a_camera_that_does_not_open_says_why(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch, cause: str, reason: Exception
) -> None:
    picamera2 = install(monkeypatch)
    monkeypatch.setattr(Picamera2, "fails", reason)
    with pytest.raises(Failure) as caught:
        camera_of(picamera2, pipe)
    assert caught.value.cause == cause


def test_a_camera_that_cannot_be_configured_is_closed(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def configure(*_: object) -> None:
        raise RuntimeError("Invalid stream size")

    picamera2 = install(monkeypatch)
    monkeypatch.setattr(Picamera2, "configure", configure)
    with pytest.raises(Failure) as caught:
        camera_of(picamera2, pipe)
    assert caught.value.cause == "format_not_supported"
    assert Picamera2.opened[-1].done == ["close"]


# --- what is there ---------------------------------------------------------------------------------------------------


def test_the_list_leaves_out_webcams_and_the_sizes_of_what_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    Picamera2.infos.append({"Id": "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.2:1.0-046d:0825", "Model": "webcam"})
    (camera,) = worker.list_cameras()
    assert camera == {
        "id": stand_in.ID,
        "model": "imx708",
        "location": "external",
        "rotation": 180,
        "sizes": [[4608, 2592], [2304, 1296]],
    }
    monkeypatch.setattr(Picamera2, "fails", RuntimeError("in use by another process"))
    assert worker.list_cameras()[0]["sizes"] == []


@pytest.mark.parametrize(("permitted", "cause"), [(True, "device_missing"), (False, "no_permission")])
def test_no_camera_may_be_a_matter_of_permission(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cause: str, *, permitted: bool
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Picamera2, "infos", [])
    (tmp_path / "media0").touch()
    monkeypatch.setattr(worker, "Path", lambda _: tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: permitted)
    for look in (worker.list_cameras, lambda: worker.find(Picamera2, stand_in.ID)):
        with pytest.raises(Failure) as caught:
            look()
        assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("missing", "version", "cause"),
    [
        ("picamera2", None, "no_picamera2"),
        ("picamera2.encoders", "0.3.30", "picamera2_broken"),
        ("", "0.3.12", "picamera2_broken"),
        ("", "0.3.26", ""),
    ],
)
def test_what_is_wrong_with_picamera2_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, missing: str, version: str | None, cause: str
) -> None:
    def installed(_: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError
        return version

    install(monkeypatch)
    monkeypatch.setattr(importlib.metadata, "version", installed)
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    if not cause:
        assert worker.import_picamera2().Picamera2 is Picamera2
        return
    with pytest.raises(Failure) as caught:
        worker.import_picamera2()
    assert caught.value.cause == cause


# --- the program -----------------------------------------------------------------------------------------------------


class Stdin:
    """Lines that a test writes."""

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        self.buffer = os.fdopen(read_end, "rb")

    def write(self, **words: Any) -> None:
        os.write(self._write_end, json.dumps(words).encode() + b"\n")

    def close(self) -> None:
        os.close(self._write_end)


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stdin]:
    stdin = Stdin()
    monkeypatch.setattr(sys, "stdin", stdin)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield stdin
    for number, handler in before.items():
        signal.signal(number, handler)


def run(pipe: Pipe, stdin: Stdin, *lines: dict[str, Any]) -> tuple[int, list[Message]]:
    for line in lines:
        stdin.write(**line)
    stdin.close()
    status = worker.run(SETTINGS, pipe.write_end)
    os.close(pipe.write_end)
    with os.fdopen(os.dup(pipe.read_end), "rb") as reader:
        return status, MessageParser().feed(reader.read())


def test_commands_are_answered_in_their_turn_and_the_end_of_stdin_is_the_end(
    pipe: Pipe, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    status, messages = run(
        pipe,
        stdin,
        {"id": 1, "command": "start", "medium": "h264"},
        {"id": 2, "command": "keyframe"},
        {"id": 3, "command": "set", "controls": {"lens_position": 1}},
        {"id": 4, "command": "set", "controls": {"smell": 1}},
        {"id": 5, "command": "controls"},
        {"id": 6, "command": "still"},
        {"id": 7, "command": "start", "medium": "smell"},
        {"id": 8, "command": "smell"},
        {"id": 9, "command": "set", "controls": 5},
        {"id": 10, "command": "stop", "medium": "h264"},
    )
    assert status == 0
    assert messages[0].kind is Kind.HELLO
    replies = [json.loads(message.body) for message in messages if message.kind is Kind.REPLY]
    assert [reply["id"] for reply in replies] == list(range(1, 11))
    assert [reply["id"] for reply in replies if "error" in reply] == [4, 7, 8, 9]
    assert len(replies[4]["controls"]) == 7
    assert [message.body for message in messages if message.kind is Kind.STILL] == [b"large"]
    assert Picamera2.opened[-1].done[-1] == "close"


def test_a_hung_camera_ends_the_worker_with_its_reason(
    pipe: Pipe, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Picamera2, "still", lambda _: Future[None]())
    monkeypatch.setattr(worker, "STILL_TIMEOUT", 0.05)
    status, messages = run(pipe, stdin, {"id": 1, "command": "still"}, {"id": 2, "command": "controls"})
    assert status == 1
    assert [message.kind for message in messages[1:]] == [Kind.REPLY, Kind.ERROR]


def test_a_camera_that_is_not_there_is_the_first_message(
    pipe: Pipe, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Picamera2, "infos", [])
    status, messages = run(pipe, stdin)
    assert status == 1
    (message,) = messages
    assert json.loads(message.body)["cause"] == "device_missing"


def test_a_signal_is_the_end(pipe: Pipe, stdin: Stdin, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Picamera2, "start", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert worker.run(SETTINGS, pipe.write_end) == 0
    assert Picamera2.opened[-1].done[-1] == "close"
    stdin.close()


@pytest.mark.parametrize("cameras", [0, 1])
def test_the_list_is_json_on_stdout(cameras: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    monkeypatch.setattr(Picamera2, "infos", Picamera2.infos[:cameras])
    out = os.open(tmp_path / "out", os.O_CREAT | os.O_WRONLY)
    monkeypatch.setattr(os, "dup", lambda _: out)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert worker.main(["list"]) == 1 - cameras
    answer = json.loads((tmp_path / "out").read_text())
    assert ("cameras" in answer) == bool(cameras)


def test_words_that_are_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(worker, "sys", SimpleNamespace(stderr=said))
    worker.say("hello")
    assert said.getvalue() == "picamera2_worker: hello\n"
    assert worker.chain(None) == ""
