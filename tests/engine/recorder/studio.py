"""A camera, its archive and its recorder, and what they told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
import time
from typing import Any
from zoneinfo import ZoneInfo

from custom_components.tripod.engine.archive import Archive, Item, Kind
from custom_components.tripod.engine.backoff import Backoff
from custom_components.tripod.engine.events import Event, Failed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.recorder import Recorder
from custom_components.tripod.engine.sources import Source, Tools

TOOLS = Tools(ffmpeg=Ffmpeg())
ZONE = ZoneInfo("Europe/Berlin")


class Soon(Backoff):
    """No delay to speak of."""

    def next(self) -> float:
        return 0.01

    def longest(self) -> float:
        return 0.01


@dataclass
class Studio:
    pipeline: Pipeline
    archive: Archive
    recorder: Recorder
    told: list[Event] = field(default_factory=list)

    @property
    def failures(self) -> list[Failed]:
        return [event for event in self.told if isinstance(event, Failed)]

    @property
    def items(self) -> list[Item]:
        days = self.archive.days(Kind.RECORDING)
        return [item for day in days for item in self.archive.items(Kind.RECORDING, day.date)]

    @property
    def parts(self) -> list[Path]:
        """What is being written."""
        folder = self.archive.root / ".parts"
        return sorted(folder.iterdir()) if folder.exists() else []

    async def filled(self, seconds: float) -> None:
        """Wait until the ring reaches so far back."""
        feed = self.pipeline.packet_feed
        await self.until(lambda: bool(feed.segments) and feed.monotonic() - feed.segments[0].arrived > seconds)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looking after each frame."""
        while not holds():
            await self.pipeline.packet_feed.waiters.wait(0.1)


def open_archive(root: Path, *, floor: int = 0, known: bool = False, zone: tzinfo = ZONE) -> Archive:
    archive = Archive(root, "camera", zone=zone, floor=floor, known=known)
    archive.open()
    return archive


@asynccontextmanager
async def studio(
    source: Source,
    root: Path,
    *,
    floor: int = 0,
    clock: Callable[[], float] = time.time,
    recorder: Mapping[str, Any] | None = None,
    patience: float = 40,
    **options: Any,
) -> AsyncIterator[Studio]:
    pipeline = Pipeline(source, TOOLS, Options(linger=0, **options), backoff=Soon(), clock=clock)
    pipeline.open()
    archive = open_archive(root, floor=floor)
    told: list[Event] = []
    here = Studio(pipeline, archive, Recorder(pipeline, archive, told.append, **(recorder or {})), told)
    try:
        async with asyncio.timeout(patience):
            yield here
    finally:
        await here.recorder.close()
        await pipeline.close()
        archive.close()
