"""Days that are over become chunks by themselves, and runs that are stopped videos: the real ffmpeg and files."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.engine.errors import LowSpace
from custom_components.tripod.engine.events import Failed, TimelapseReady
from custom_components.tripod.engine.timelapse import Job, Look, render

from ..media import decoded_frames
from .studio import BERLIN, Stage, Time, stage

EVENING = datetime(2026, 11, 21, 22, 0, 30, tzinfo=BERLIN)
TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)
SMALL = Look(width=64, height=64)
GARDEN = Job(name="garden", interval=1800, look=SMALL)


def chunked(on: Stage, job: str = "garden") -> list[date]:
    return [day.date for day in on.archive.days(Kind.CHUNK, job)]


@asynccontextmanager
async def evening(folder: Path, later: timedelta = timedelta()) -> AsyncIterator[Stage]:
    async with stage(folder, time=Time((EVENING + later).timestamp()), render=render) as on:
        yield on


async def encoded(on: Stage) -> None:
    """Wait until the calendar has nothing to do."""
    await on.time.asleep(2)


async def test_a_day_is_encoded_after_midnight(tmp_path: Path) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.time.run(7140)
        assert chunked(on) == []
        await on.time.run(1200)
        await encoded(on)
        assert chunked(on) == [TODAY]
        (chunk,) = on.archive.items(Kind.CHUNK, TODAY, "garden")
        assert decoded_frames(chunk.path.read_bytes()) == 3
        assert on.events == []


async def test_what_was_missed_is_encoded_after_a_restart(tmp_path: Path) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.time.run(7000)
    async with evening(tmp_path, timedelta(days=3)) as on:
        await on.timelapses.add(GARDEN, running=False)
        await on.time.run(600, sleepers=1)
        await on.time.asleep(1)
        assert chunked(on) == [TODAY]


async def test_a_run_from_before_midnight_is_not_encoded_twice(tmp_path: Path) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(5 * 3600)
        on.time.jump(20 * 3600)
        await on.time.run(4200)
        await encoded(on)
        assert chunked(on) == [TOMORROW]


async def test_a_full_disk_is_told_once_and_the_day_encoded_later(tmp_path: Path) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.time.run(7000)
        await on.timelapses.stop("garden", render=False)
        on.archive.floor = 1 << 60
        await on.time.run(3000, sleepers=1)
        (event,) = on.events
        assert isinstance(event, Failed)
        assert isinstance(event.error, LowSpace)
        on.archive.floor = 0
        await on.time.run(600, sleepers=1)
        await on.time.asleep(1)
        assert chunked(on) == [TODAY]
        assert len(on.events) == 1


async def test_another_look_is_encoded_soon(tmp_path: Path) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.add(GARDEN)
        await on.time.run(9000)
        await encoded(on)
        other = Job(name="garden", interval=1800, look=Look(width=32, height=32))
        await on.timelapses.add(other)
        await on.time.run(600)
        await encoded(on)
        assert (on.archive.chunk_folder("garden", other.look.key) / f"{TODAY}.mp4").is_file()


@pytest.mark.parametrize("killed", [False, True])
async def test_a_run_that_is_stopped_becomes_a_video(tmp_path: Path, *, killed: bool) -> None:
    async with evening(tmp_path) as on:
        await on.timelapses.start(GARDEN)
        await on.time.run(3600)
        await on.timelapses.stop("garden", render=False)
        await on.timelapses.start(GARDEN)
        await on.time.run(3600)
        finished = await on.timelapses.stop("garden", render=True)
        assert finished.status.frames == 2
        assert finished.render
        if not killed:
            async with asyncio.timeout(30):
                video = await finished.render.done()
            assert decoded_frames(video.path.read_bytes()) == 2
            assert [type(event) for event in on.events] == [TimelapseReady]
    async with evening(tmp_path, timedelta(hours=1)) as on:
        if killed:
            await on.until(lambda: bool(on.archive.days(Kind.VIDEO)) and not on.queue.renders)
        (day,) = on.archive.days(Kind.VIDEO)
        assert day.count == 1
