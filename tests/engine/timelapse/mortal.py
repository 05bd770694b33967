"""A process with timelapses, to be killed at any instant: `python -m tests.engine.timelapse.mortal FOLDER BEGIN`.

It says once which jobs go on, and then takes frames, starts and stops jobs, and encodes days and runs without a pause.
"""

import asyncio
from itertools import count
import json
from pathlib import Path
import sys

from custom_components.tripod.engine.timelapse import Job, Look, render

from .studio import Time, picture, stage

SMALL = Look(width=64, height=64)
SITE = Job(name="site", interval=600, look=SMALL)
PRINT = Job(name="print", interval=60, look=SMALL)


async def live(folder: Path, begin: float) -> None:
    """Never return."""
    time = Time(begin, settle=8)
    async with stage(folder, time=time, shows=lambda: picture(60 + int(time.now // 60) % 3 * 40), render=render) as on:
        await on.timelapses.add(SITE)
        jobs = sorted(status.job.name for status in on.timelapses.jobs if status.running)
        print(json.dumps({"jobs": jobs, "renders": len(on.queue.renders)}), flush=True)
        for round_ in count():
            if any(status.job.name == "print" for status in on.timelapses.jobs):
                await on.timelapses.stop("print", render=round_ % 2 == 0)
                await on.time.run(1800)
            else:
                await on.timelapses.start(PRINT)
                await on.time.run(1800, sleepers=3)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), float(sys.argv[2])))
