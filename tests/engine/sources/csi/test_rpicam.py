"""The fallback on rpicam-vid, with a stand-in built from what the program was seen to do on a Raspberry Pi."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.sources import Csi, Medium, Tools
from custom_components.tripod.engine.sources.csi import Board, CsiCamera, Program, list_cameras, rpicam
from tests.engine.capture import capturing

STAND_IN = Path(__file__).with_name("rpicam_vid_stand_in.py")
TOOLS = Tools(ffmpeg=Ffmpeg(), python="/no/python3", rpicam_vid=str(STAND_IN))
IMX708 = "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a"
OV5647 = "/base/axi/pcie@1000120000/rp1/i2c@80000/ov5647@36"
CAMERA = Csi(
    camera=OV5647, width=320, height=240, lores_width=320, lores_height=240, rate=15, program=Program.RPICAM_VID
)


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


async def test_cameras_are_listed_where_picamera2_is_not_there() -> None:
    assert await list_cameras(TOOLS) == [
        CsiCamera(
            id=IMX708,
            model="imx708",
            sizes=((4608, 2592), (2304, 1296), (1536, 864)),
            program=Program.RPICAM_VID,
        ),
        CsiCamera(
            id=OV5647,
            model="ov5647",
            sizes=((2592, 1944), (1296, 972), (640, 480)),
            program=Program.RPICAM_VID,
        ),
    ]


async def test_no_camera_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_CAMERAS", "0")
    with pytest.raises(errors.DeviceMissing):
        await list_cameras(TOOLS)


async def test_the_video_comes_as_packets_by_the_cameras_number(log: Path) -> None:
    async with capturing(CAMERA, TOOLS, timestamp_offset=50.0) as capture:
        sink = await capture.until(lambda sink: len(sink.frames) > 20)
    assert sink.parser.video_codec == "h264"
    assert [index for index, chunk in enumerate(sink.frames) if chunk.key] == [0, 15]
    stamps = [chunk.pts or 0 for chunk in sink.frames]
    assert all(earlier <= later for earlier, later in pairwise(stamps))
    assert stamps[0] >= 50 * 90_000
    listed, run, stopped = log.read_text().splitlines()
    assert listed == "--list-cameras"
    assert "--camera 1" in run
    assert stopped == "stopped by SIGINT"


async def test_a_live_check_decodes_a_picture() -> None:
    found = await CAMERA.probe(TOOLS)
    assert (found.medium, found.codec, found.width, found.height) == (Medium.PACKETS, "h264", 320, 240)
    assert found.picture


async def test_a_board_without_encoder_is_told_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_BOARD", "5")

    async def pi_5() -> Board:
        return Board.PI_5

    async with capturing(CAMERA, TOOLS) as capture:  # not known to be a Pi 5
        assert isinstance(await capture.end(), errors.EncoderFailed)
    monkeypatch.setattr(rpicam, "board", pi_5)
    async with capturing(CAMERA, TOOLS) as capture:
        await capture.until(lambda sink: len(sink.frames) > 1)


async def test_a_camera_in_use_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_BUSY", "1")
    async with capturing(CAMERA, TOOLS) as capture:
        assert isinstance(await capture.end(), errors.DeviceBusy)


async def test_a_camera_on_no_connector_is_missing() -> None:
    async with capturing(Csi(camera="/base/elsewhere", program=Program.RPICAM_VID), TOOLS) as capture:
        error = await capture.end()
    assert isinstance(error, errors.DeviceMissing)
    assert IMX708 in str(error)


def test_the_command_asks_for_all_that_was_configured() -> None:
    camera = Csi(camera=IMX708, hflip=True, vflip=True, rate=12.5, bit_rate=1_500_000)
    words = " ".join(rpicam.command(camera, TOOLS, 0, Board.PI_4))
    for wanted in ("--timeout 0", "--inline", "--flush", "--bitrate 1500000", "--intra 12", "--hflip", "--vflip"):
        assert wanted in words
    assert "--framerate 12.5" in words
    assert "libav" not in words


@pytest.mark.parametrize(
    ("lines", "status", "expected"),
    [
        (["ERROR: *** no cameras available ***"], 255, errors.DeviceMissing),
        (["ERROR: *** failed to start output streaming ***"], 255, errors.EncoderFailed),
        (["ERROR: Camera frontend has timed out!"], -6, errors.Stalled),
        (["cannot open /dev/media0: Permission denied"], 1, errors.NoPermission),
        (["ERROR: *** failed to generate capture configuration ***"], 255, errors.FormatNotSupported),
        ([], 0, errors.StreamEnded),
        ([], 127, errors.NoPicamera2),
        (["what is that"], 1, errors.WorkerFailed),
    ],
)
def test_last_words_mean_one_error(lines: list[str], status: int, expected: type[errors.TripodError]) -> None:
    assert type(rpicam.explain(lines, status)) is expected
