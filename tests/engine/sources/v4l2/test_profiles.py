"""Profiles on real ffmpeg processes, with drawn pictures instead of a device's: tests/hardware has the devices."""

from __future__ import annotations

import os

import pytest

from custom_components.tripod.engine.errors import DeviceMissing, Stalled
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.sources.base import Tools
from custom_components.tripod.engine.sources.v4l2 import V4l2, profiles
from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice, VideoMode
from custom_components.tripod.engine.sources.v4l2.profiles import Measured, candidates, measure, rank

from .drawn import AnyDevice, Drawn, held, picture, silent, unplugged

RATES = (60.0, 30.0, 15.0)


def device(*modes: tuple[str, int, int, tuple[float, ...]]) -> VideoDevice:
    return VideoDevice(
        path="/dev/video0",
        node="/dev/video0",
        id="camera",
        name="Camera",
        driver="uvcvideo",
        bus="usb-1",
        modes=tuple(
            VideoMode(input_format=name, width=width, height=height, rates=rates)
            for name, width, height, rates in modes
        ),
    )


def wishes(*modes: tuple[str, int, int, tuple[float, ...]]) -> list[tuple[str, int, int, float]]:
    found = candidates(device(*modes))
    return [(source.input_format, source.width, source.height, source.rate) for source in found]


def test_what_is_copied_comes_first_and_what_is_encoded_is_small() -> None:
    every = [
        (name, width, height, RATES)
        for name in ("h264", "mjpeg", "yuyv422", "nv12")
        for width, height in ((3840, 2160), (1920, 1080), (1280, 720), (640, 480), (320, 240))
    ]
    assert wishes(*every) == [
        ("h264", 1920, 1080, 30),
        ("mjpeg", 1280, 720, 30),
        ("mjpeg", 1920, 1080, 30),
        ("yuyv422", 640, 480, 30),
    ]


def test_a_camera_with_one_size_is_offered_once() -> None:
    assert wishes(("mjpeg", 640, 480, (25.0,))) == [("mjpeg", 640, 480, 25)]


def test_the_nearest_size_and_rate_are_taken() -> None:
    assert wishes(("mjpeg", 1024, 768, (7.5, 5.0)), ("mjpeg", 2592, 1944, (2.0,)), ("mjpeg", 1024, 576, RATES)) == [
        ("mjpeg", 1024, 576, 30),
        ("mjpeg", 1024, 768, 7.5),
    ]
    assert wishes(("mjpeg", 2592, 1944, (60.0, 50.0))) == [("mjpeg", 2592, 1944, 50)]


def test_a_camera_that_tells_no_rate_is_asked_for_the_usual() -> None:
    assert wishes(("mjpeg", 640, 480, ())) == [("mjpeg", 640, 480, 30)]


def test_a_camera_with_raw_formats_alone_is_also_tried_slower() -> None:
    assert wishes(("yuyv422", 1280, 720, RATES), ("yuyv422", 640, 360, RATES)) == [
        ("yuyv422", 640, 360, 30),
        ("yuyv422", 640, 360, 15),
    ]


def test_a_device_without_modes_has_no_candidates() -> None:
    assert candidates(device()) == []


def source(input_format: str, width: int = 1280, height: int = 720) -> V4l2:
    return V4l2(device="/dev/video0", input_format=input_format, width=width, height=height)


def test_the_cheapest_good_one_is_on_top() -> None:
    h264 = Measured(source=source("h264", 1920, 1080), rate=29.9, cpu=0.02)
    small = Measured(source=source("mjpeg"), rate=30, cpu=0.01)
    large = Measured(source=source("mjpeg", 1920, 1080), rate=30, cpu=0.04)
    raw = Measured(source=source("yuyv422", 640, 480), rate=30, cpu=0.4)
    slow = Measured(source=source("nv12", 640, 480), rate=12, cpu=0.01)
    broken = Measured(source=source("h264"), error=DeviceMissing())
    assert rank([broken, slow, raw, large, small, h264]) == [h264, small, large, raw, slow, broken]
    assert [each.good for each in (h264, slow, broken)] == [True, False, False]


def test_what_costs_much_more_is_not_on_top_though_it_is_copied() -> None:
    heavy = Measured(source=source("mjpeg", 1920, 1080), rate=30, cpu=0.5)
    light = Measured(source=source("yuyv422", 320, 240), rate=30, cpu=0.1)
    assert rank([heavy, light]) == [light, heavy]


RATE = 10.0
TOOLS = Tools(
    ffmpeg=Drawn({"/dev/video0": picture, "/dev/video1": silent, "/dev/video2": unplugged}),
)


def wish(device: str = "/dev/video0", input_format: str = "mjpeg") -> V4l2:
    return V4l2(device=device, input_format=input_format, width=320, height=240, rate=RATE)


@pytest.mark.parametrize("input_format", ["mjpeg", "h264", "yuyv422"])
async def test_a_source_is_measured(input_format: str) -> None:
    found = await measure(wish(input_format=input_format), TOOLS, seconds=2)
    assert found.error is None
    assert RATE / 2 < found.rate < RATE * 2
    assert found.picture is not None
    assert dimensions(found.picture) == (320, 240)
    assert 0 < found.first_picture < profiles.FIRST_PICTURE


async def test_the_worker_is_the_one_that_holds_the_device(terminal: str) -> None:
    tools = Tools(ffmpeg=Drawn({terminal: held}))
    source = AnyDevice(device=terminal, input_format="yuyv422", width=1280, height=720, rate=RATE)
    found = await measure(source, tools, seconds=2)
    assert found.error is None
    assert 0 < found.cpu < (os.cpu_count() or 1) + 0.5


async def test_a_source_that_cannot_be_opened_is_measured_as_that() -> None:
    found = await measure(wish("/dev/video99"), TOOLS)
    assert isinstance(found.error, DeviceMissing)
    assert (found.picture, found.good) == (None, False)


async def test_a_camera_that_shows_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "FIRST_PICTURE", 0.5)
    found = await measure(wish("/dev/video1"), TOOLS)
    assert isinstance(found.error, Stalled)


async def test_a_camera_that_is_pulled_out_meanwhile() -> None:
    found = await measure(wish("/dev/video2"), TOOLS, seconds=30)
    assert isinstance(found.error, DeviceMissing)
