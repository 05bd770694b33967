"""A camera with a real ALSA microphone, the kernel's virtual sound card, which goes and comes back while it streams."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest

SILENT = -60
"""Decibels."""


@pytest.fixture(scope="module")
def seen(guest: Guest) -> dict[str, Any]:
    report: dict[str, Any] = guest("guest_audio.py", options=["--sound", "--loopback", "1"], seconds=850)
    return report


def test_the_cards_are_listed_by_their_names(seen: dict[str, Any]) -> None:
    assert [found["device"] for found in seen["microphones"]] == [
        "plughw:CARD=Loopback,DEV=0",
        "plughw:CARD=Loopback,DEV=1",
        "plughw:CARD=Dummy,DEV=0",
    ]


@pytest.mark.parametrize("camera", ["jpegs", "h264"])
def test_video_has_the_microphones_sound(seen: dict[str, Any], camera: str) -> None:
    plugged = seen[camera]["plugged"]
    assert plugged["codecs"] == ["h264", "aac"]
    assert (plugged["state"], plugged["audio"], plugged["cause"]) == ("streaming", "streaming", None)
    assert plugged["decibels"] > SILENT


@pytest.mark.parametrize("camera", ["jpegs", "h264"])
def test_video_goes_on_without_the_microphone(seen: dict[str, Any], camera: str) -> None:
    unplugged = seen[camera]["unplugged"]
    assert unplugged["codecs"] == ["h264", "aac"]
    assert (unplugged["state"], unplugged["audio"], unplugged["cause"]) == ("streaming", "retrying", "device_missing")
    assert unplugged["decibels"] < SILENT
    assert seen[camera]["restarts"] == 0


@pytest.mark.parametrize("camera", ["jpegs", "h264"])
def test_sound_comes_back_with_the_microphone(seen: dict[str, Any], camera: str) -> None:
    again = seen[camera]["again"]
    assert (again["state"], again["audio"], again["cause"]) == ("streaming", "streaming", None)
    assert again["decibels"] > SILENT
