"""Each setting of an older set-up is understood, known not to be needed, or named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import NotUnderstood
from custom_components.tripod.engine.importers import FORMATS, Around, Import, read, recognise
from custom_components.tripod.engine.importers.environment import interpolated, parse
from custom_components.tripod.engine.options import Start
from custom_components.tripod.engine.sources import Csi, MotionInOcean, TestPattern as Pattern, UrlSource, V4l2, load
from tests.recorded.set_ups import text

SECRETS = ("keep-me-out-of-sight", "hidden")

FILES = {
    "octocam": "octocam.yaml",
    "motion_in_ocean": "motion_in_ocean.env",
    "motion_in_ocean_nodes": "motion_in_ocean_nodes.json",
    "byggeplass": "byggeplass.env",
    "crowsnest": "crowsnest.conf",
    "core": "core.yaml",
}

PI = Around(csi="/base/soc/i2c0mux/i2c@1/imx708@1a")


def names(found: Import, which: str) -> list[str]:
    return [line.name for line in getattr(found, which)]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_set_up_is_recognised_and_no_secret_of_it_is_shown(kind: str) -> None:
    said = text(FILES[kind])
    assert recognise(said) == kind
    found = read(said, around=PI)
    assert found.cameras
    shown = repr(found.understood + found.not_needed + found.not_understood) + repr(found.cameras)
    shown = shown.replace("url='https://site.example/south.jpg?token=hidden'", "")  # a field, which is not shown
    assert not [secret for secret in SECRETS if secret in shown]
    for camera in found.cameras:  # as they are stored
        assert load(camera.source.as_dict()) == camera.source


# --- Octocam -------------------------------------------------------------------------------------------------------


def test_octocam_that_copies() -> None:
    found = read(text("octocam.yaml"))
    (camera,) = found.cameras
    assert camera.source == V4l2(
        device="/dev/video0",
        input_format="h264",
        width=1920,
        height=1080,
        rate=30,
        microphone="plughw:CARD=1,DEV=0",
    )
    assert camera.title == "Stream"
    assert camera.options.start is Start.ALWAYS
    assert found.not_understood == ()
    assert [name for name in names(found, "not_needed") if "hls" in name] == [
        f"FFMPEG_ARGS -hls_{name}" for name in ("time", "list_size", "allow_cache", "flags")
    ]
    assert {"UID", "GID"} <= set(names(found, "not_needed"))


def test_octocam_that_encodes() -> None:
    found = read(
        "AUTOSTART=false\n"
        'FFMPEG_ARGS="-f v4l2 -input_format mjpeg -video_size hd720 -framerate 30000/1001 -i /dev/video2'
        " -c:v libx264 -profile:v baseline -level 3.0 -pix_fmt yuv420p -tune zerolatency -preset veryfast -b:v 1.5M"
        ' -g 60 -sc_threshold 0 -an -vf hflip -frobnicate 3 -f hls"\n'
        "V4L_ARGS=-d /dev/video2 -c focus_auto=0,zoom_absolute=120 --set-ctrl=brightness=10 -p 25 --list-ctrls\n"
        "SOMETHING=else\n"
    )
    (camera,) = found.cameras
    assert isinstance(camera.source, V4l2)
    assert (camera.source.width, camera.source.input_format, camera.source.microphone) == (1280, "mjpeg", "")
    assert camera.source.rate == pytest.approx(29.97, abs=0.01)  # ffmpeg's comes after v4l2-ctl's
    assert camera.options.start is Start.MANUAL
    assert camera.options.h264_bit_rate == 1_500_000
    assert camera.controls == {"focus_automatic_continuous": 0, "zoom_absolute": 120, "brightness": 10}
    assert set(names(found, "not_understood")) == {"FFMPEG_ARGS -vf", "FFMPEG_ARGS -frobnicate", "SOMETHING"}


def test_octocam_of_another_device_than_it_set_up_says_so() -> None:
    (camera,) = read("FFMPEG_ARGS=-f v4l2 -i /dev/video0\nV4L_ARGS=-d /dev/video1 -c gain=1\n").cameras
    assert "/dev/video1" in camera.notes[0]


# --- motion-in-ocean -----------------------------------------------------------------------------------------------


def test_motion_in_ocean_by_its_former_names() -> None:
    found = read(text("motion_in_ocean.env"), around=PI)
    (camera,) = found.cameras
    assert camera.source == Csi(
        camera=PI.csi,
        width=1280,
        height=720,
        rate=30,
        lores_width=1280,
        lores_height=720,
        jpeg_rate=30,
        quality=85,
    )
    assert (camera.options.max_viewers, camera.options.stall_limit) == (2, 15)
    assert found.node == {"host": "0.0.0.0", "port": 8000, "cors": ["*"], "log_level": "info"}  # noqa: S104 - as given
    assert names(found, "not_understood") == ["MOTION_IN_OCEAN_MOTION_DETECTION"]


def test_of_a_setting_that_is_there_twice_the_newest_name_counts() -> None:
    found = read("FPS=10\nMOTION_IN_OCEAN_FPS=20\nMIO_FPS=25\nMIO_RESOLUTION=640x480\n", around=PI)
    (camera,) = found.cameras
    assert isinstance(camera.source, Csi)
    assert camera.source.rate == 25
    assert set(names(found, "not_needed")) == {"FPS", "MOTION_IN_OCEAN_FPS"}


def test_a_profile_fills_in_what_is_not_set() -> None:
    (camera,) = read("MIO_PERFORMANCE_PROFILE=pi3\nMIO_FPS=15\n", around=PI).cameras
    assert isinstance(camera.source, Csi)
    assert (camera.source.rate, camera.source.quality, camera.source.width) == (15, 75, 640)


def test_values_that_motion_in_ocean_would_silently_replace_are_named() -> None:
    found = read("MIO_FPS=9999\nMIO_RESOLUTION=big\nMIO_PORT=0\nMIO_JPEG_QUALITY=x\nMIO_TARGET_FPS=-1\n", around=PI)
    assert len(found.not_understood) == 5
    (camera,) = found.cameras
    assert isinstance(camera.source, Csi)
    assert (camera.source.rate, camera.source.width, camera.source.quality) == (24, 640, 90)


def test_a_mock_camera_becomes_a_test_pattern_and_a_missing_one_nothing() -> None:
    (camera,) = read("MIO_MOCK_CAMERA=true\n").cameras
    assert isinstance(camera.source, Pattern)
    found = read("MIO_FPS=10\n")
    assert found.cameras == ()
    assert names(found, "not_understood") == ["the camera"]


def test_the_hub_is_home_assistant() -> None:
    found = read("MIO_APP_MODE=management\nMIO_PORT=8001\n", around=PI)
    assert (found.cameras, found.node) == ((), {})


def test_the_list_of_nodes() -> None:
    found = read(text("motion_in_ocean_nodes.json"))
    assert [camera.source for camera in found.cameras] == [
        MotionInOcean(url="http://192.0.2.10:8000", token=SECRETS[0]),
        MotionInOcean(url="http://192.0.2.11:8000"),
        MotionInOcean(url="http://192.0.2.12:8000", token=SECRETS[0]),
    ]
    assert names(found, "not_understood") == ["Boxed: base_url"]


# --- Byggeplass ----------------------------------------------------------------------------------------------------


def test_byggeplass_with_several_cameras() -> None:
    found = read(text("byggeplass.env"), around=Around(pictures=Path("/srv/pictures")))
    north, south = found.cameras
    assert isinstance(south.source, UrlSource)
    assert (south.source.username, south.source.delivery, south.source.still_interval) == ("keeper", "stills", 60)
    (job,) = north.jobs
    assert (job.name, job.interval, job.render) == ("north", 300, False)
    limits = north.retention.of(Kind.FRAME)
    assert (limits.max_count, limits.max_age_days) == (2880, 30)
    assert north.retention.of(Kind.VIDEO).max_age_days == 0  # they went with the pictures there
    assert [item.folder for item in north.adopt] == [Path("/srv/pictures/north/images")]
    assert found.not_understood == ()


def test_byggeplass_with_one_camera_has_its_pictures_in_either_place() -> None:
    (camera,) = read("IMAGE_URL=https://site.example/a.jpg\nSTORAGE_DIR=/data/images\nSOURCE_ID=crane\n").cameras
    assert [str(item.folder) for item in camera.adopt] == ["/data/crane/images", "/data/images"]
    assert camera.jobs[0].interval == 3600


def test_byggeplass_names_cameras_by_their_host() -> None:
    found = read("SOURCES=https://u:p@site.example/a.jpg?x=1;https://site.example/b.jpg\nMAX_FILES=many\n")
    assert [camera.jobs[0].name for camera in found.cameras] == ["site_example", "site_example"]
    assert names(found, "not_understood") == ["MAX_FILES"]


# --- crowsnest -----------------------------------------------------------------------------------------------------


def test_crowsnest() -> None:
    found = read(text("crowsnest.conf"))
    first, second = found.cameras
    assert isinstance(first.source, V4l2)
    assert (first.source.input_format, first.source.rate, first.source.quality) == ("yuyv422", 15, 80)
    assert first.controls == {"focus_automatic_continuous": 0, "focus_absolute": 30}
    assert isinstance(second.source, Csi)
    assert (second.source.camera, second.source.width, second.title) == (PI.csi, 1920, "Nozzle")
    assert found.not_understood == ()


def test_crowsnest_names_what_it_does_not_know() -> None:
    found = read(
        "[cam 1]\nmode: magic\nresolution: big\nmax_fps: x\nfancy: 1\ncustom_flags: --foo\nenable_rtsp: true\n"
    )
    assert len(found.not_understood) == 6
    with pytest.raises(NotUnderstood):
        read("[crowsnest]\nlog_path: x\n")


# --- Home Assistant's own -------------------------------------------------------------------------------------------


def test_cameras_of_home_assistant() -> None:
    found = read(text("core.yaml"))
    garage, yard, door, shed = found.cameras
    assert garage.source == V4l2(device="/dev/video0", input_format="mjpeg", width=1280, height=720, rate=15)
    assert garage.options.h264_width == 640
    assert isinstance(yard.source, UrlSource)
    assert (yard.source.url, yard.source.username, yard.source.rtsp_transport) == (
        "rtsp://192.0.2.20/live",
        "keeper",
        "tcp",
    )
    assert isinstance(door.source, UrlSource)
    assert (door.source.still_interval, door.source.username, door.source.password) == (0.25, "keeper", "")
    assert isinstance(shed.source, UrlSource)
    assert (shed.source.delivery, shed.source.password) == ("frames", SECRETS[1])
    assert names(found, "not_understood") == ["Garage: input -q:v", "Door: password", "platform"]


@pytest.mark.parametrize(
    "camera",
    [
        "platform: generic\nstill_image_url: http://a/{{ states('sensor.x') }}\n",
        "platform: generic\n",
        "platform: mjpeg\nmjpeg_url: file:///etc/passwd\n",
        "platform: ffmpeg\ninput: -f lavfi -i testsrc\n",
        "platform: ffmpeg\ninput: -f v4l2 -i\n",
        "platform: mjpeg\nmjpeg_url: !secret address\n",
    ],
)
def test_a_camera_that_cannot_be_read_is_named(camera: str) -> None:
    found = read(camera)
    assert found.cameras == ()
    assert found.not_understood


# --- what comes around ---------------------------------------------------------------------------------------------


def test_environment_files() -> None:
    said = '# no\n\nexport A=1 # one\nB=\'$x # y\'\nC="a\\"b"\nD=x#y\nE=\n'
    assert parse(said) == {"A": "1", "B": "$x # y", "C": 'a"b', "D": "x#y", "E": ""}
    with pytest.raises(NotUnderstood, match="line 2"):
        parse("A=1\nthis is prose\n")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("${A}", "1"),
        ("$A-$$A", "1-$A"),
        ("${B:-two}", "two"),
        ("${E:-two}${E-two}", "two"),
        ("${A:+yes}${B:+yes}", "yes"),
        ("${B:?missing}", ""),
    ],
)
def test_variables_of_a_compose_file(written: str, meant: str) -> None:
    assert interpolated(written, {"A": "1", "E": ""}) == meant


def test_a_compose_file_takes_values_from_its_env_file() -> None:
    said = """
services:
  camera:
    environment:
      MIO_FPS: ${RATE:-5}
      MIO_MOCK_CAMERA: true
      MIO_PORT:
  other:
    image: x
"""
    found = read(said, around=Around(variables={"RATE": "12", "MIO_PORT": "8001"}))
    (camera,) = found.cameras
    assert isinstance(camera.source, Pattern)
    assert (camera.source.rate, found.node["port"]) == (12, 8001)


@pytest.mark.parametrize(
    "said",
    ["", "hello", "services: [", 'services: {}\nx: "MIO_FPS="', "FFMPEG_ARGS='-i", "FFMPEG_ARGS=-f alsa -i hw:0",
     '[{"base_url"', '{"base_url": 1}', "[cam 1\nx", "x" * (1 << 21), "SOURCES=\n", "FFMPEG_ARGS=-i '"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(said: str) -> None:
    with pytest.raises(NotUnderstood):
        read(said)


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_set_up_never_fails_otherwise(kind: str, data: st.DataObject) -> None:
    said = text(FILES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(said)))
        put = data.draw(st.sampled_from(["", "\0", "'", '"', "-", "=", "\n", "é", "9", ":", "{", "/"]))
        said = said[:place] + put + said[place + data.draw(st.integers(0, 9)) :]
    with suppress(NotUnderstood):
        read(said, kind, PI)
