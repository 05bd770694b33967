"""The engine on a real V4L2 device: the kernel's virtual camera driver, in a virtual machine."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest.py")
    return report


def test_the_live_check_says_what_the_device_delivers(seen: dict[str, Any]) -> None:
    assert seen["probe"] == {"codec": "mjpeg", "size": [640, 360]}


def test_frames_come_whole_and_in_order(seen: dict[str, Any]) -> None:
    assert seen["sizes"] == [[640, 360]]
    assert seen["different"] == 10
    assert seen["rising"]


def test_a_device_that_is_not_there(seen: dict[str, Any]) -> None:
    assert seen["missing"] == {"cause": "device_missing"}


def test_a_device_that_another_program_holds(seen: dict[str, Any]) -> None:
    assert seen["taken"] == {"cause": "device_held"}


def test_an_unplugged_device_is_named_and_taken_up_again(seen: dict[str, Any]) -> None:
    assert seen["unplugged"] == "device_missing"
    assert seen["sequence_after"]


def test_a_closed_camera_frees_the_device(seen: dict[str, Any]) -> None:
    assert seen["freed"] == {"codec": "mjpeg", "size": [640, 360]}
