"""Who has a device open, told by real processes that hold a terminal instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import grp
import os
from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.tripod.engine.errors import (
    DeviceBusy,
    DeviceHeld,
    DeviceMissing,
    DeviceNotPermitted,
    NoPermission,
)
from custom_components.tripod.engine.sources.v4l2.holders import cpu_time, explained, holders, is_own

BUSY = DeviceBusy("/dev/video0")


@contextmanager
def holding(device: str) -> Iterator[int]:
    """Have a process that keeps `device` open."""
    code = "import sys; sys.stdin.read()"
    with (
        Path(device).open() as file,
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(file.fileno(),)) as process,
    ):
        file.close()
        yield process.pid
        process.communicate()


def test_a_holder_is_named_whatever_its_path(terminal: str, tmp_path: Path) -> None:
    link = tmp_path / "camera"
    link.symlink_to(terminal)
    with holding(terminal) as pid:
        assert pid in holders(str(link))
        error = explained(BUSY, str(link))
    assert isinstance(error, DeviceHeld)
    assert error.placeholders["device"] == str(link)
    assert f"process {pid}" in error.placeholders["holder"]
    assert str(error).startswith(f"The device {link} is in use by another camera of Tripod (python")


def test_another_programs_process_is_named_without_us(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with holding(terminal) as pid:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        error = explained(BUSY, terminal)
    assert error.placeholders["holder"].startswith("python")
    assert error.placeholders["holder"].endswith(f"(process {pid})")


def test_a_holder_that_cannot_be_seen(terminal: str, tmp_path: Path) -> None:
    assert explained(BUSY, terminal, tmp_path) is BUSY
    assert explained(BUSY, "/dev/nothing") is BUSY


def test_what_else_failed_stays_as_it_is() -> None:
    error = DeviceMissing("/dev/video0")
    assert explained(error, "/dev/video0") is error


def test_own_processes() -> None:
    assert is_own(os.getpid())
    assert not is_own(os.getppid())
    assert not is_own(1)


def test_cpu_time() -> None:
    before = cpu_time(os.getpid())
    while cpu_time(os.getpid()) < before + 0.02:
        pass
    assert cpu_time(2**22 + 1) == 0


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be nobody in particular."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(os, "getegid", lambda: 12345)
    monkeypatch.setattr(os, "getgroups", list)


REFUSED = NoPermission("/dev/video0")


def test_the_group_of_a_device_is_named(stranger: None, tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch(0o660)
    device.chmod(0o660)
    error = explained(REFUSED, str(device))
    assert isinstance(error, DeviceNotPermitted)
    assert error.placeholders["gid"] == str(device.stat().st_gid)
    assert error.placeholders["group"] == device.group()


def test_a_group_without_a_name_here(stranger: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "video0"
    device.touch()
    device.chmod(0o660)

    def unknown(gid: int) -> None:
        raise KeyError(gid)

    monkeypatch.setattr(grp, "getgrgid", unknown)
    assert explained(REFUSED, str(device)).placeholders["group"] == str(device.stat().st_gid)


def test_a_group_that_would_not_help_is_not_named(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    device = tmp_path / "video0"
    device.touch()
    device.chmod(0o600)
    assert explained(REFUSED, str(device)) is REFUSED  # to whoever runs this, it belongs
    request.getfixturevalue("stranger")
    assert explained(REFUSED, str(device)) is REFUSED
    assert explained(REFUSED, str(tmp_path / "nothing")) is REFUSED
