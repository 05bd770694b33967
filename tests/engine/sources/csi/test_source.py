"""A CSI camera as configured, and what a run of it does with what the worker says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
import time
from typing import Any

import pytest

from custom_components.tripod.engine import pipeline as pipeline_module
from custom_components.tripod.engine.errors import InvalidSource, Stopped
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Csi, Medium, load, settle
from custom_components.tripod.engine.sources.base import Found
from custom_components.tripod.engine.sources.csi import Board, CsiCamera, CsiControls, Program, board, profiles
from custom_components.tripod.engine.status import State
from tests.engine.capture import capturing

from .scripted import worker

IMX708 = CsiCamera(id="/base/imx708@1a", model="imx708", sizes=((4608, 2592), (2304, 1296)))
IMX219 = CsiCamera(id="/base/imx219@10", model="imx219", sizes=((3280, 2464),))
CAMERA = Csi(camera=IMX708.id)


def test_a_source_comes_back_from_its_data() -> None:
    source = Csi(camera=IMX708.id, rate=12.5, vflip=True, program=Program.RPICAM_VID)
    assert load(source.as_dict()) == source
    assert settle(CAMERA, Found(medium=Medium.PACKETS, codec="h264", width=1, height=1)) == CAMERA
    assert source.address == IMX708.id
    assert source.warms_up


def test_picamera2_delivers_both_media_and_rpicam_vid_one() -> None:
    assert CAMERA.native is Medium.PACKETS
    assert CAMERA.delivers == frozenset(Medium)
    assert isinstance(CAMERA.controls({}), CsiControls)
    fallback = replace(CAMERA, program=Program.RPICAM_VID)
    assert fallback.delivers == {Medium.PACKETS}
    assert fallback.controls({}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera": ""},
        {"camera": "a\nb"},
        {"camera": "x" * 300},
        {"width": 641},
        {"height": 0},
        {"width": 9000},
        {"width": 640, "lores_width": 800},
        {"rate": 0},
        {"jpeg_rate": -1},
        {"bit_rate": 10**9},
        {"quality": 0},
        {"program": "raspivid"},
        {"smell": 1},
    ],
)
def test_what_is_no_camera_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSource):
        load({**CAMERA.as_dict(), **wrong})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Raspberry Pi Zero W Rev 1.1", Board.ZERO),
        ("Raspberry Pi Model B Plus Rev 1.2", Board.ZERO),
        ("Raspberry Pi Zero 2 W Rev 1.0", Board.PI_3),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", Board.PI_3),
        ("Raspberry Pi Compute Module 4 Rev 1.1", Board.PI_4),
        ("Raspberry Pi 400 Rev 1.0", Board.PI_4),
        ("Raspberry Pi 4 Model B Rev 1.5", Board.PI_4),
        ("Raspberry Pi 5 Model B Rev 1.0", Board.PI_5),
        ("Raspberry Pi 500 Rev 1.0", Board.PI_5),
        ("Raspberry Pi Compute Module 5 Rev 1.0", Board.PI_5),
        ("ASUS Tinker Board", Board.UNKNOWN),
    ],
)
async def test_boards_are_known_by_their_model(
    model: str, expected: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model"
    monkeypatch.setattr("custom_components.tripod.engine.sources.csi.boards.MODEL", path)
    assert await board() is Board.UNKNOWN
    path.write_text(model + "\0")
    assert await board() is expected


@pytest.mark.parametrize("kind", Board)
def test_every_board_has_profiles_that_its_encoder_takes(kind: Board) -> None:
    for camera in (IMX708, IMX219, replace(IMX708, sizes=())):
        found = profiles(camera, kind)
        assert len(found) > 1
        assert all(profile.camera == camera.id for profile in found)
        assert all(profile.width <= 1920 and profile.rate <= 30 for profile in found)
        for profile in found:
            assert profile.lores_width / profile.lores_height == pytest.approx(profile.width / profile.height, rel=0.01)


def test_a_sensor_of_four_to_three_is_offered_whole() -> None:
    assert any(profile.width * 3 == profile.height * 4 for profile in profiles(IMX219, Board.PI_5))
    assert all(profile.width * 9 == profile.height * 16 for profile in profiles(IMX708, Board.PI_5))


def test_profiles_keep_to_the_program_that_found_the_camera() -> None:
    camera = replace(IMX708, program=Program.RPICAM_VID)
    assert {profile.program for profile in profiles(camera, Board.PI_4)} == {Program.RPICAM_VID}


STREAMING = """
say(Kind.HELLO, **HELLO)
running = set()
def obey_once():
    request = command()
    if request["command"] == "start": running.add(request["medium"])
    if request["command"] == "stop": running.discard(request["medium"])
    reply(request, **(dict(controls=CONTROLS) if request["command"] == "controls" else {}))
"""
UNIT = r'b"\0\0\0\1\x67\x42\0\x0a\xf8\x41\xa2\0\0\0\1\x68\xce\x38\x80\0\0\0\1\x65\x88" + bytes(40)'


async def test_pictures_carry_the_time_at_which_they_were_taken(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        STREAMING
        + """
while running != {"h264", "jpeg"}: obey_once()
raw(packed(Kind.JPEG, b"picture", time.monotonic_ns() - 700_000_000))
obey()
""",
    )
    async with capturing(CAMERA, tools) as capture:
        sink = await capture.until(lambda sink: bool(sink.pictures))
    assert sink.pictures == [b"picture"]
    assert sink.captured_at[0] is not None
    assert 0.7 <= time.time() - sink.captured_at[0] < 10


async def test_the_streams_clock_is_the_pipelines(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        STREAMING
        + f"""
while "h264" not in running: obey_once()
now = time.monotonic_ns()
for step in range(3): raw(packed(Kind.H264, {UNIT}, now + step * 40_000_000, KEY_FRAME))
obey()
""",
    )
    async with capturing(CAMERA, tools, timestamp_offset=500.0) as capture:
        sink = await capture.until(lambda sink: len(sink.frames) > 2)
    stamps = [chunk.pts or 0 for chunk in sink.frames]
    assert 500 * 90_000 <= stamps[0] < 520 * 90_000
    assert [later - stamps[0] for later in stamps] == pytest.approx([0, 3600, 7200], abs=1)
    assert all(chunk.key for chunk in sink.frames)


async def test_what_nobody_wants_any_more_is_not_passed_on(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        STREAMING
        + f"""
while running != {{"h264", "jpeg"}}: obey_once()
raw(packed(Kind.JPEG, b"wanted", time.monotonic_ns()))
while "jpeg" in running: obey_once()
raw(packed(Kind.JPEG, b"late", time.monotonic_ns()))
raw(packed(Kind.H264, {UNIT}, time.monotonic_ns(), KEY_FRAME))
while "jpeg" not in running: obey_once()
raw(packed(Kind.JPEG, b"wanted again", time.monotonic_ns()))
obey()
""",
    )
    async with capturing(CAMERA, tools) as capture:
        await capture.until(lambda sink: bool(sink.pictures))
        capture.sink.wanted.discard(Medium.FRAMES)
        await capture.until(lambda sink: bool(sink.frames))
        capture.sink.wanted.add(Medium.FRAMES)
        sink = await capture.until(lambda sink: len(sink.pictures) > 1)
    assert sink.pictures == [b"wanted", b"wanted again"]


async def test_a_capture_that_is_cancelled_leaves_no_task(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        STREAMING
        + """
while running != {"h264", "jpeg"}: obey_once()
raw(packed(Kind.JPEG, b"picture", time.monotonic_ns()))
obey()
""",
    )
    before = asyncio.all_tasks()
    async with capturing(CAMERA, tools) as capture:
        await capture.until(lambda sink: bool(sink.pictures))
    await asyncio.sleep(0)  # for what was cancelled to end
    assert asyncio.all_tasks() == before


async def test_metadata_keep_an_idle_camera_alive_and_no_other(tmp_path: Path) -> None:
    tools = worker(
        tmp_path,
        STREAMING
        + """
say(Kind.METADATA, lux=1)
while "jpeg" not in running: obey_once()
for _ in range(3): say(Kind.METADATA, lux=2)
raw(packed(Kind.JPEG, b"picture", time.monotonic_ns()))
obey()
""",
    )
    async with capturing(CAMERA, tools) as capture:
        for medium in Medium:
            capture.sink.wanted.discard(medium)
        await capture.until(lambda sink: sink.unchanged == 1)
        capture.sink.wanted.add(Medium.FRAMES)
        sink = await capture.until(lambda sink: bool(sink.pictures))
    assert sink.unchanged == 1


async def test_a_camera_that_never_ran_cannot_be_asked_and_settings_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "ENCODER_LINGER", 0.01)
    seen = tmp_path / "seen"
    tools = worker(
        tmp_path,
        f"""
settings = json.loads(sys.argv[-1])
open({str(seen)!r}, "a").write(json.dumps(settings["controls"]) + "\\n")
{STREAMING}
while "jpeg" not in running: obey_once()
raw(packed(Kind.JPEG, b"\\xff\\xd8\\xff", time.monotonic_ns()))
obey()
""",
    )
    pipeline = Pipeline(CAMERA, tools, Options(linger=0.01), controls={"exposure_time": 100.0, "ae_enable": 0.0})
    pipeline.open()
    controls = pipeline.controls
    assert controls is not None
    with pytest.raises(Stopped):
        await controls.set({"af_mode": 1})
    async with pipeline.frames() as frames, asyncio.timeout(10):
        while not await frames.next():
            pass
    idle = asyncio.Event()
    pipeline.listen(lambda: idle.set() if pipeline.state is State.IDLE else None)
    async with asyncio.timeout(10):
        await idle.wait()
    assert (await controls.set({"ae_enable": 1}))["ae_enable"].value == 1
    await controls.set({"af_mode": 1})
    assert controls.current["af_mode"].value == 1
    assert controls.current["exposure_time"].inactive
    await pipeline.close()
    assert seen.read_text().splitlines()[0] == '{"exposure_time": 100.0, "ae_enable": 0.0}'
    assert controls.wanted == {"exposure_time": 100.0, "ae_enable": 1, "af_mode": 1}
