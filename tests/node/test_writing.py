"""What is written is read back as it was."""

from __future__ import annotations

from datetime import time
from pathlib import Path
import tomllib

import pytest

from custom_components.tripod.engine.archive import Kind, Limits, Retention
from custom_components.tripod.engine.options import Options, Start
from custom_components.tripod.engine.publisher import Publication
from custom_components.tripod.engine.sources import Csi, Source, TestPattern, UrlSource, V4l2
from custom_components.tripod.engine.timelapse import Job, Look
from custom_components.tripod.node.config import CameraConfig
from custom_components.tripod.node.configuration import build
from custom_components.tripod.node.writing import camera_text

CAMERAS = [
    CameraConfig(id="pattern", source=TestPattern()),
    CameraConfig(
        id="hall",
        title='The "hall" \\\\ äöü',
        source=V4l2(device="/dev/v4l/by-id/usb-046d_C920-video-index0", input_format="h264", rate=29.97),
        options=Options(start=Start.ALWAYS, pre_roll=10, ring_bytes=1 << 20),
        retention=Retention(
            limits={Kind.RECORDING: Limits(max_age_days=30), Kind.FRAME: Limits(max_count=9)}, max_bytes=10**10
        ),
        record_while_away=True,
        jobs=(
            Job(name="each day", interval=60, start_time=time(6, 30), weekdays=frozenset({0, 6}), look=Look(width=640)),
            Job(name="on request"),
        ),
        publications=(Publication(url="rtsp://server:8554/hall", username="u", password='p"w'),),
        controls={"brightness": 3, "a key": 0.5},
        mqtt_prefix="house/hall",
    ),
    CameraConfig(id="csi", source=Csi(camera="/base/soc/i2c0mux/i2c@1/imx708@1a", hflip=True)),
    CameraConfig(id="url", source=UrlSource(url="http://host/stream", username="u", password="p", delivery="frames")),
]


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.id)
def test_a_camera_is_read_as_it_was_written(camera: CameraConfig, tmp_path: Path) -> None:
    text = camera_text(camera, ["what it is", "", "two\nlines"])
    assert text.startswith("# what it is\n#\n# two\n# lines\n[[camera]]\n")
    assert build(tomllib.loads(text), "file", tmp_path, {}).cameras == (camera,)


def test_only_what_is_unusual_is_written() -> None:
    assert camera_text(CAMERAS[0]) == '[[camera]]\nid = "pattern"\n\n[camera.source]\nkind = "test_pattern"\n'


@pytest.mark.parametrize("source", [camera.source for camera in CAMERAS], ids=lambda source: source.kind)
def test_every_field_of_a_source_is_kept(source: Source, tmp_path: Path) -> None:
    camera = CameraConfig(id="a", source=source)
    assert build(tomllib.loads(camera_text(camera)), "file", tmp_path, {}).cameras[0].source == source
