"""The engine on a real V4L2 device: the kernel's virtual camera driver, in a virtual machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".venv/vivid"

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("needs QEMU for x86-64: scripts/setup hardware")
    command = [str(HERE / "with-vivid"), "--timeout", "400", "--", sys.executable, "-B", str(HERE / "guest.py")]
    environment = {**os.environ, "WITH_VIVID_CACHE": str(CACHE)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    report: dict[str, Any] = json.loads(run.stdout)
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
    assert seen["taken"] == {"cause": "device_busy"}


def test_an_unplugged_device_is_named_and_taken_up_again(seen: dict[str, Any]) -> None:
    assert seen["unplugged"] == "device_missing"
    assert seen["sequence_after"]


def test_a_closed_camera_frees_the_device(seen: dict[str, Any]) -> None:
    assert seen["freed"] == {"codec": "mjpeg", "size": [640, 360]}
