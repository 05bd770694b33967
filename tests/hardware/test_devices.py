"""The harness itself: udev's names, a webcam that is unplugged and comes back, and sound cards."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest_devices.py", options=["--udev", "--sound", "--uvc", "1"])
    return report


def test_udev_names_a_webcam_and_gives_it_to_the_group(seen: dict[str, Any]) -> None:
    assert seen["by_id"] == [f"usb-Example_Test_Camera_0001-video-index{number}" for number in (0, 1)]
    assert seen["node"] == ["crw-rw----", 44]
    assert seen["vivid"] == ["platform-vivid.0-video-index0"]


def test_the_webcam_delivers_and_comes_back(seen: dict[str, Any]) -> None:
    assert seen["frames"] == 10
    assert seen["unplugged"] == []
    assert seen["again"] == 10


def test_sound_cards(seen: dict[str, Any]) -> None:
    assert "Loopback" in seen["cards"]
    assert "Dummy" in seen["cards"]
