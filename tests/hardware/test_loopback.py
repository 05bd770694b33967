"""The engine on odd streams, which a v4l2loopback device delivers as a camera does."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest_loopback.py", options=["--vivid", "none", "--loopback", "1"], seconds=800)
    return report


def test_a_loopback_without_a_producer_is_no_camera(seen: dict[str, Any]) -> None:
    assert seen["silent"] == []


def test_pictures_without_huffman_tables_get_them(seen: dict[str, Any]) -> None:
    assert seen["bare"]["had_tables"]
    assert seen["bare"]["tables"] == [1] * 5
    assert seen["bare"]["as_drawn"] == [True] * 5


def test_a_format_and_size_that_the_driver_changes_silently_are_noticed(seen: dict[str, Any]) -> None:
    assert seen["bare"]["silently"] == ["frames", "mjpeg", 320, 240]


def test_a_format_that_cannot_be_copied_is_refused(seen: dict[str, Any]) -> None:
    assert seen["bare"]["refused"] == "format_not_supported"
    assert seen["encoded"]["refused"] == "format_not_supported"


def test_torn_pictures_are_dropped_and_harm_no_other(seen: dict[str, Any]) -> None:
    assert seen["torn"] == [True] * 5


def test_h264_is_copied(seen: dict[str, Any]) -> None:
    assert seen["encoded"]["modes"] == ["h264"]
    assert seen["encoded"]["probe"] == ["packets", "h264", 320, 240]
