"""A camera to control: its picture is real, its controls are in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from custom_components.tripod.engine.archive import Archive
from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.keeper import Keeper
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import TestPattern, Tools
from custom_components.tripod.engine.timelapse import RenderQueue, render
from tests.engine.memory_controls import WEBCAM, MemoryControls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from custom_components.tripod.engine.controls import Controls


@dataclass(frozen=True, slots=True, kw_only=True)
class Webcam(TestPattern):
    """A test pattern that can be turned."""

    def controls(self, wanted: Mapping[str, float]) -> Controls:
        return MemoryControls(WEBCAM, wanted)


@asynccontextmanager
async def controlled(folder: Path) -> AsyncIterator[Camera]:
    """Let a camera run that keeps its files in `folder`."""
    pipeline = Pipeline(Webcam(width=320, height=240, rate=10), Tools(ffmpeg=Ffmpeg()), name="Yard")
    renders = RenderQueue(folder / "renders.json", Ffmpeg(), render)
    await renders.open()
    camera = Camera(pipeline, Archive(folder / "yard", "yard", zone=UTC, floor=0), keeper=Keeper(), renders=renders)
    pipeline.open()
    camera.open()
    try:
        yield camera
    finally:
        await camera.close()
        await pipeline.close()
        await renders.close()
