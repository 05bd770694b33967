"""The source on real byte streams, drawn or broken; tests/hardware has the devices."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
import os
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.controls import Control, Controls
from custom_components.tripod.engine.errors import (
    DeviceBusy,
    DeviceHeld,
    DeviceMissing,
    DeviceNotPermitted,
    InvalidSource,
    NoPermission,
)
from custom_components.tripod.engine.jpeg import USUAL_TABLES, JpegSplitter, dimensions
from custom_components.tripod.engine.sources import Medium, Tools, V4l2, load
from custom_components.tripod.engine.sources.v4l2 import source as source_module
from custom_components.tripod.engine.sources.v4l2.controls import V4l2Controls

from ...capture import Capture, capturing
from ...media import jpegs
from .drawn import BUSY, REFUSED, UNPLUGGED, AnyDevice, Drawn, Wish, bytes_of, failing, picture, unplugged
from .test_holders import holding

CAMERA = V4l2(device="/dev/video0", width=320, height=240, rate=10)


def tools(device: Any) -> Tools:
    return Tools(ffmpeg=Drawn({"/dev/video0": device}))


@pytest.mark.parametrize(
    "device", ["/dev/video0", "/dev/v4l/by-id/usb-A_B-video-index0", "/dev/v4l/by-path/platform-soc@0-usb-0:1"]
)
def test_a_source_survives_storage(device: str) -> None:
    source = V4l2(device=device, input_format="h264", microphone="plughw:CARD=C920,DEV=0")
    assert load(source.as_dict()) == source
    assert source.address == device
    assert source.warms_up


@pytest.mark.parametrize(
    "wrong",
    [
        {"device": "/etc/passwd"},
        {"device": "/dev/video0/../sda"},
        {"device": "-f"},
        {"device": "/dev/v4l/by-id/"},
        {"device": "/dev/v4l/by-id/.."},
        {"device": "/dev/v4l/by-id/../../sda"},
        {"device": "/dev/v4l/by-id/a\nb"},
        {"input_format": "-y"},
        {"width": 0},
        {"height": 1 << 20},
        {"rate": float("nan")},
        {"microphone": "-i"},
        {"microphone": "hw:0 -y"},
        {"microphone": "hw:0\n"},
    ],
)
def test_what_is_no_camera_is_refused(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidSource):
        load({**CAMERA.as_dict(), **wrong})


@pytest.mark.parametrize(
    ("input_format", "medium"), [("mjpeg", Medium.FRAMES), ("yuyv422", Medium.FRAMES), ("h264", Medium.PACKETS)]
)
async def test_each_format_arrives(input_format: str, medium: Medium) -> None:
    source = replace(CAMERA, input_format=input_format)
    found = await source.probe(tools(picture))
    assert (source.native, found.medium) == (medium, medium)
    assert (found.width, found.height) == (320, 240)
    assert found.picture


async def test_a_size_that_the_driver_chose_itself_is_noticed() -> None:
    found = await CAMERA.probe(tools(lambda wish: picture(wish._replace(size="640x360"))))
    assert (found.width, found.height) == (640, 360)


async def test_a_format_that_the_driver_chose_itself_is_noticed() -> None:
    """v4l2loopback delivers its producer's JPEGs, whatever it is asked for; ffmpeg then decodes them."""
    found = await replace(CAMERA, input_format="yuyv422").probe(
        tools(lambda wish: picture(wish._replace(size="640x360")))
    )
    assert (found.codec, found.width, found.height) == ("mjpeg", 640, 360)


def torn(jpeg: bytes) -> list[bytes]:
    """Return what a bad cable makes of a picture."""
    half = len(jpeg) // 2
    return [b"", jpeg[half:], b"\0" * 100, jpeg[:half], jpeg[:3], b"\xff\xd8\xff\xd9", jpeg[:200] + jpeg[400:half]]


async def test_pictures_torn_by_a_bad_cable_are_dropped_and_harm_no_other(tmp_path: Path) -> None:
    whole = JpegSplitter().feed(jpegs("-huffman", "optimal"))
    stream = tmp_path / "stream"
    stream.write_bytes(b"".join(piece for jpeg in whole for piece in (*torn(jpeg), jpeg)))
    async with capturing(CAMERA, tools(bytes_of(stream))) as capture:
        assert isinstance(await capture.end(), DeviceMissing)
    assert capture.sink.pictures == whole


async def test_pictures_without_huffman_tables_get_them(tmp_path: Path) -> None:
    whole = JpegSplitter().feed(jpegs("-huffman", "default"))
    stream = tmp_path / "stream"
    stream.write_bytes(b"".join(whole).replace(USUAL_TABLES, b""))
    async with capturing(CAMERA, tools(bytes_of(stream))) as capture:
        await capture.end()
    assert len(capture.sink.pictures) == len(whole)
    assert all(USUAL_TABLES in jpeg for jpeg in capture.sink.pictures)
    assert dimensions(capture.sink.pictures[0]) == (320, 240)


async def test_a_camera_that_was_unplugged_has_failed_though_ffmpeg_ends_well() -> None:
    async with capturing(CAMERA, tools(unplugged)) as capture:
        assert isinstance(await capture.end(), DeviceMissing)
    assert capture.sink.pictures


async def test_a_camera_that_is_not_there() -> None:
    async with capturing(replace(CAMERA, device="/dev/video99")) as capture:
        assert isinstance(await capture.end(), DeviceMissing)
    assert not CAMERA.attached() or Path(CAMERA.device).exists()


async def test_the_busy_error_names_the_process(terminal: str) -> None:
    source = AnyDevice(device=terminal)
    with holding(terminal) as pid:
        async with capturing(source, Tools(ffmpeg=Drawn({terminal: failing(BUSY, 1)}))) as capture:
            error = await capture.end()
    assert isinstance(error, DeviceHeld)
    assert str(pid) in error.placeholders["holder"]


async def test_a_busy_device_whose_holder_cannot_be_seen() -> None:
    async with capturing(CAMERA, tools(failing(BUSY, 1))) as capture:
        error = await capture.end()
    assert type(error) is DeviceBusy


async def test_no_permission_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video0"
    device.touch()
    device.chmod(0o660)
    for name, answer in (("geteuid", 12345), ("getegid", 12345), ("getgroups", [])):
        monkeypatch.setattr(os, name, lambda answer=answer: answer)
    source = AnyDevice(device=str(device))
    async with capturing(source, Tools(ffmpeg=Drawn({str(device): failing(REFUSED, 1)}))) as capture:
        error = await capture.end()
    assert isinstance(error, DeviceNotPermitted)
    async with capturing(CAMERA, tools(failing(REFUSED, 1))) as capture:
        assert type(await capture.end()) is NoPermission


class Noting(Controls):
    """Controls that note when they are put back."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self.answered = asyncio.Event()
        self.answered.set()
        self._notes = notes

    async def _read(self) -> list[Control]:
        self._notes.append("controls")
        await self.answered.wait()
        return []

    async def _write(self, values: Mapping[str, float]) -> None:
        raise AssertionError(values)


async def test_controls_are_put_back_before_the_camera_starts() -> None:
    notes: list[str] = []

    def device(wish: Wish) -> list[str]:
        notes.append("ffmpeg")
        return failing(UNPLUGGED, 0)(wish)

    capture = Capture(CAMERA, tools(device), 0.0)
    capture.sink.controls = Noting(notes)
    await capture.end()
    assert notes[0] == "controls"
    assert notes[-1] == "ffmpeg"


async def test_controls_that_do_not_answer_keep_no_picture_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "CONTROLS_LIMIT", 0.1)
    capture = Capture(CAMERA, tools(unplugged), 0.0)
    capture.sink.controls = controls = Noting([])
    controls.answered.clear()
    assert isinstance(await capture.end(), DeviceMissing)
    assert capture.sink.pictures


def test_the_controls_remember_what_was_wanted() -> None:
    controls = CAMERA.controls({"brightness": 3})
    assert isinstance(controls, V4l2Controls)
    assert controls.wanted == {"brightness": 3}
