"""The engine on the kernel's virtual camera: what it lists, turns, is refused, and measures."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest_camera.py", options=["--udev"], seconds=800)
    return report


def test_cameras_are_listed_with_what_they_are(seen: dict[str, Any]) -> None:
    listed = seen["listed"]
    assert listed["nodes"] == ["/dev/video0", "/dev/video1"]
    assert listed["ids"] == 2
    assert listed["card"] == ["vivid", "vivid", "platform:vivid-000", ""]


def test_formats_have_ffmpegs_names(seen: dict[str, Any]) -> None:
    named = set(seen["listed"]["formats_of_ffmpeg"])
    # what is sensors' is left out, and the last two share their names with a format that ffmpeg tries first
    bayer = {name for name in named if name.startswith("bayer")}
    assert set(seen["listed"]["formats"]) == named - bayer - {"argb", "bgra"}


def test_sizes_and_rates_are_the_drivers(seen: dict[str, Any]) -> None:
    modes = seen["listed"]["modes"]
    assert [f"{width}x{height}" for width, height, _ in modes] == seen["listed"]["sizes_of_v4l2_ctl"]
    assert modes[0][2][:3] == [120, 60, 50]
    assert modes[-1][2][0] == 15


def test_what_is_no_camera_is_called_so(seen: dict[str, Any]) -> None:
    assert seen["listed"]["media"]["cause"] == "format_not_supported"
    assert seen["listed"]["null"]["cause"] == "format_not_supported"
    assert seen["listed"]["missing"]["cause"] == "device_missing"


def test_all_controls_are_there_but_those_without_a_place(seen: dict[str, Any]) -> None:
    assert seen["turned"]["keys"] == seen["turned"]["keys_of_v4l2_ctl"]


def test_inactive_controls_menus_with_gaps_and_values_out_of_range(seen: dict[str, Any]) -> None:
    turned = seen["turned"]
    assert turned["gain"] == [True, "gain_automatic", 0]
    assert turned["menu"] == [1, 3, 4]
    assert turned["refused"]["cause"] == "control_inactive"
    assert (turned["refused"]["governor"], turned["refused"]["setting"]) == ("Gain, Automatic", "off")
    assert turned["gap"]["cause"] == "invalid_control"
    assert turned["unknown"]["cause"] == "invalid_control"
    assert turned["together"] == [0, 5]
    assert turned["clamped"] == [255]
    assert turned["wide"] == [2**40]
    assert turned["item"] == [4]
    assert turned["button"] == [None]
    assert turned["outside"].split("\n")[:2] == ["brightness: 255", "gain: 5"]


def test_controls_are_put_back_at_each_start_and_turned_while_streaming(seen: dict[str, Any]) -> None:
    streaming = seen["streaming"]
    assert streaming["put_back"] == [0, 9, 77]
    assert streaming["while_streaming"] == 200
    assert streaming["unplugged"] == "device_missing"
    assert streaming["controls_unplugged"]["cause"] == "device_missing"
    assert streaming["after_replug"] == [9, 77, 200]


def test_a_corrupt_buffer_costs_one_picture(seen: dict[str, Any]) -> None:
    assert seen["streaming"]["after_a_corrupt_buffer"] == ["streaming", 0]


def test_a_device_that_we_hold_ourselves_is_called_so(seen: dict[str, Any]) -> None:
    held = seen["streaming"]["held"]
    assert held["cause"] == "device_held"
    assert held["holder"].startswith("another camera of Tripod (ffmpeg, process ")


def test_a_device_that_another_program_holds_names_its_process(seen: dict[str, Any]) -> None:
    error, pid = seen["taken"]
    assert error["holder"] == f"v4l2-ctl (process {pid})"
    assert error["device"] == "/dev/video0"


@pytest.mark.parametrize("what", ["probe", "list", "controls"])
def test_no_permission_names_the_group(seen: dict[str, Any], what: str) -> None:
    error = seen["permission"][what]
    assert error["cause"] == "device_not_permitted"
    assert (error["group"], error["gid"]) == ("video", "44")


def test_what_is_permitted_is_listed(seen: dict[str, Any]) -> None:
    assert seen["some"] == ["/dev/video1"]


def test_what_the_driver_changes_silently_is_noticed(seen: dict[str, Any]) -> None:
    assert seen["odd_size"] == [640, 360]
    assert seen["unsupported"]["cause"] == "format_not_supported"


def test_profiles_are_measured(seen: dict[str, Any]) -> None:
    measured = seen["measured"]
    assert sorted(each["wish"][3] for each in measured) == [15, 30]
    for each in measured:
        assert each["picture"]
        assert each["rate"] > 1
        assert 0 < each["cpu"] < 4
        assert 0 < each["first_picture"] < 12
