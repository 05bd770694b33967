"""A camera through fault after fault: the picture comes back each time, and nothing is left behind.

`tests/hardware/faults.py 500` in the same machine is the long form, of half an hour.
"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Guest

FAULTS = {
    "unplug": "device_missing",
    "disconnect": "device_missing",
    "error": "stream_ended",
    "kill": "worker_failed",
    "stall": "stalled",
}
"""What is done to the camera, and what the user is told."""
CYCLES = 2 * len(FAULTS)
ALLOWED_GROWTH = 2 << 20
"""Bytes: room for an allocator's whims, far less than a leaked picture each cycle would take over the long form."""


@pytest.fixture(scope="module")
def seen(guest: Guest) -> Any:
    return guest("faults.py", str(CYCLES))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_picture_comes_back(seen: Any, fault: str) -> None:
    assert seen["mended"][fault]["times"] == CYCLES // len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_named(seen: Any, fault: str) -> None:
    assert FAULTS[fault] in seen["mended"][fault]["causes"]


@pytest.mark.parametrize("kind", ["descriptors", "children", "tasks"])
def test_nothing_more_is_held_than_before(seen: Any, kind: str) -> None:
    assert seen["after"][kind] <= seen["before"][kind]


def test_memory_does_not_grow(seen: Any) -> None:
    assert seen["after"]["memory"] - seen["before"]["memory"] < ALLOWED_GROWTH


def test_a_closed_camera_leaves_nothing(seen: Any) -> None:
    assert seen["closed"]["children"] == 0
    assert seen["closed"]["tasks"] == 1  # the one that looks
