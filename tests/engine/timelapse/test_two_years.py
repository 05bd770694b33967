"""Two years of a building site, at the pace of the disk: real files, chunks, the governor, restarts and failures.

TRIPOD_SOAK_DAYS is the number of days (730 are two years); without it a few show that it all works together.
"""

import asyncio
from datetime import datetime, timedelta
import gc
import os
from pathlib import Path
import random
import resource

import pytest

from custom_components.tripod.engine.archive import Governor, Kind, Limits, Retention
from custom_components.tripod.engine.errors import Unreachable
from custom_components.tripod.engine.events import Failed
from custom_components.tripod.engine.timelapse import Job, Look, RenderRequest, render

from ..media import decoded_frames
from .studio import BERLIN, Stage, Time, picture, stage

DAYS = int(os.environ.get("TRIPOD_SOAK_DAYS", "2"))
KEPT_DAYS = max(1, DAYS // 20)
"""Days that frames stay; their chunks stay for good."""

RESTART_EVERY = max(1, DAYS // 50)
"""Days between two restarts."""

BEGIN = datetime(2026, 3, 28, tzinfo=BERLIN)
"""The second day has 23 hours."""

INTERVAL = 300.0 if DAYS > 10 else 900.0
HOUR = 3600.0
SITE = Job(name="site", interval=INTERVAL, look=Look(width=64, height=64))
RETENTION = Retention({Kind.FRAME: Limits(max_age_days=KEPT_DAYS)})

MEMORY = 16 << 20
"""Bytes by which the process may grow, from a third of the time to its end: less than the frames of three days."""


class Site:
    """A camera whose picture changes with the time of the day, and that is away for an hour now and then."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.away = False

    def __call__(self) -> bytes:
        if self.away:
            raise Unreachable("no route to host")
        return picture(60 + int(self.time.now // HOUR) % 12 * 10)


def resident() -> int:
    """Return the bytes of memory that the process has now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def a_day(on: Stage, site: Site, governor: Governor, chance: random.Random) -> None:
    """Let a day pass; the governor looks once an hour."""
    end = (datetime.fromtimestamp(on.time.now, BERLIN) + timedelta(days=1)).replace(hour=0, minute=30)
    failing = chance.choice([None, *range(6)])
    while on.time.now < end.timestamp():
        site.away = failing == int(on.time.now // HOUR) % 24
        await on.time.run(HOUR)
        await asyncio.to_thread(governor.prune)
    site.away = False


@pytest.mark.timeout(120 + 20 * DAYS)
async def test_years_pass_within_limits_and_with_flat_memory(tmp_path: Path) -> None:
    time = Time(BEGIN.timestamp(), settle=8)
    site, chance = Site(time), random.Random(4)  # noqa: S311 - no secret
    memory, missed, passed = 0, 0, 0
    while passed < DAYS:
        async with stage(tmp_path, time=time, shows=site, render=render, patience=0.02) as on:
            await on.timelapses.add(SITE)
            governor = Governor({on.archive: RETENTION}, clock=time, monotonic=time)
            for _ in range(min(RESTART_EVERY, DAYS - passed)):
                before = on.status("site").missed
                await a_day(on, site, governor, chance)
                missed += on.status("site").missed - before
                passed += 1
                if passed == DAYS // 3 or DAYS < 3:
                    memory = memory or resident()
            assert all(isinstance(event, Failed) for event in on.events)
            days = on.archive.days(Kind.FRAME, "site")
            assert sum(day.count for day in days) <= (KEPT_DAYS * 24 + 2) * HOUR / INTERVAL
    assert resident() - memory < MEMORY
    await all_that_came_is_in_the_video(tmp_path, time, site, missed)


async def all_that_came_is_in_the_video(folder: Path, time: Time, site: Site, missed: int) -> None:
    came = round((time.now - BEGIN.timestamp()) / INTERVAL) - missed
    async with stage(folder, time=time, shows=site, render=render) as on:
        chunks = on.archive.days(Kind.CHUNK, "site")
        frames = on.archive.days(Kind.FRAME, "site")
        assert len(chunks) == DAYS
        assert frames[0].date > chunks[0].date
        today = datetime.fromtimestamp(time.now, BERLIN).date()
        queued = await on.queue.add("garden", RenderRequest(job="site", start=BEGIN.date(), end=today, look=SITE.look))
        async with asyncio.timeout(300):
            video = await queued.done()
        details = on.archive.details(video)
        assert details["frames"] == came
        assert decoded_frames(video.path.read_bytes()) == came
    print(f"{DAYS} days, {came} frames, {missed} missed, {len(chunks)} chunks")
