"""Render one day of an archive in a process of its own: `render_alone.py ROOT JOB DAY NOW`; the engine alone."""

import asyncio
from datetime import UTC, date
from pathlib import Path
import sys

from engine.archive import Archive  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.timelapse import RenderRequest, render  # type: ignore[import-not-found]


def main(root: str, job: str, day: str, now: str) -> None:
    """Run the program."""
    archive = Archive(Path(root), "bench", zone=UTC, floor=0, known=True)
    archive.open()
    request = RenderRequest(job=job, start=date.fromisoformat(day), end=date.fromisoformat(day))
    asyncio.run(render(request, archive, Ffmpeg(), clock=lambda: float(now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
