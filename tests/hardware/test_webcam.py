"""The engine on a USB webcam: listed by its name, captured without a copy, and taken up again after a replug."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest

ID = "usb-Example_Test_Camera_0001-video-index0"


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest_webcam.py", options=["--udev", "--uvc", "1"], seconds=300)
    return report


def test_a_webcam_is_listed_once_by_its_id(seen: dict[str, Any]) -> None:
    """Its metadata node, which has the same name, is no camera."""
    (camera,) = seen["listed"]
    assert camera == [
        f"/dev/v4l/by-id/{ID}",
        ID,
        "Test Camera: Test Camera",
        "/sys/devices/platform/dummy_hcd.0/usb1/1-1",
    ]
    assert seen["paths"][1] == "/dev/v4l/by-path/platform-dummy_hcd.0-usb-0:1:1.0-video-index0"
    assert seen["metadata"] == "format_not_supported"


def test_its_modes(seen: dict[str, Any]) -> None:
    assert seen["modes"] == [
        ["mjpeg", 640, 360, [30, 15]],
        ["mjpeg", 1280, 720, [30, 15]],
        ["yuyv422", 640, 360, [30, 15]],
    ]


def test_its_pictures_arrive(seen: dict[str, Any]) -> None:
    assert seen["probe"] == ["mjpeg", 640, 360]


def test_every_profile_is_measured(seen: dict[str, Any]) -> None:
    assert sorted([name, width] for name, width, _, _ in seen["ranked"]) == [["mjpeg", 1280], ["yuyv422", 640]]
    assert all(rate > 1 and cpu > 0 for _, _, rate, cpu in seen["ranked"])


def test_its_controls_are_put_back_turned_and_clamped(seen: dict[str, Any]) -> None:
    assert seen["brightness"] == 200
    assert seen["contrast"] == [64, 64]


def test_it_is_taken_up_again_after_a_replug(seen: dict[str, Any]) -> None:
    assert seen["unplugged"] == [0, False]
    assert seen["again"] == [1, 200]
