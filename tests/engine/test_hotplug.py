"""Device nodes that come and go, as files in a folder."""

import asyncio
import ctypes
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine import hotplug
from custom_components.tripod.engine.hotplug import Hotplug

NEVER = 60.0


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


async def told(watch: Hotplug, within: float = NEVER) -> bool:
    async with asyncio.timeout(10):
        return await watch.changed(within)


async def test_a_node_that_appears_is_told(tmp_path: Path) -> None:
    with Hotplug([tmp_path]) as watch:
        (tmp_path / "video0").touch()
        assert await told(watch)


async def test_a_node_that_goes_is_told(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    with Hotplug([tmp_path]) as watch:
        (tmp_path / "video0").unlink()
        assert await told(watch)


async def test_a_node_that_may_be_opened_from_now_on_is_told(tmp_path: Path) -> None:
    (tmp_path / "video0").touch(0o000)
    with Hotplug([tmp_path]) as watch:
        (tmp_path / "video0").chmod(0o660)
        assert await told(watch)


async def test_a_link_is_told_although_its_folder_was_not_there_at_first(tmp_path: Path) -> None:
    links = tmp_path / "v4l" / "by-id"
    with Hotplug([tmp_path, links.parent, links]) as watch:
        links.parent.mkdir()
        assert await told(watch)
        links.mkdir()
        assert await told(watch)
        (links / "usb-Camera-index0").symlink_to("video0")
        assert await told(watch)


async def test_without_a_change_it_is_time_for_a_look(tmp_path: Path) -> None:
    with Hotplug([tmp_path]) as watch:
        assert not await told(watch, within=0.1)


async def test_changes_nobody_waited_for_are_told_once(tmp_path: Path) -> None:
    with Hotplug([tmp_path]) as watch:
        for number in range(3):
            (tmp_path / f"video{number}").touch()
        assert await told(watch)
        assert not await told(watch, within=0.5)


async def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = descriptors()
    with Hotplug([tmp_path]):
        assert len(descriptors()) == len(before) + 1
    assert descriptors() == before


class WithoutInotify:
    """A C library that refuses, as the kernel does where all watches are used up."""

    def inotify_init1(self, _flags: int) -> int:
        return -1


@pytest.mark.parametrize("library", [WithoutInotify(), object()])
async def test_where_the_system_tells_nothing_a_look_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Any
) -> None:
    monkeypatch.setattr(hotplug, "ctypes", ctypes)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: library)
    with Hotplug([tmp_path]) as watch:
        (tmp_path / "video0").touch()
        assert not await told(watch, within=0.1)
