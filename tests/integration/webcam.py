"""A webcam that streams and has controls, in memory: what the driver adds is tested on real drivers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from custom_components.tripod.engine.controls import Control
from custom_components.tripod.engine.errors import DeviceMissing, TripodError
from custom_components.tripod.engine.sources import Sink, Tools, V4l2
from tests.engine.media import jpegs
from tests.engine.memory_controls import WEBCAM, MemoryControls

SOURCE = {"kind": "v4l2", "device": "/dev/video99"}

PICTURE = jpegs(frames=1, size="64x64")


class Webcam:
    """The hardware behind every V4L2 source of a test."""

    def __init__(self) -> None:
        self.has: list[Control] = WEBCAM
        self.error: TripodError | None = None
        self.still: Callable[[], Awaitable[bytes]] | None = None
        self.controls = MemoryControls([])

    def make_controls(self, wanted: Mapping[str, float]) -> MemoryControls | None:
        """Return the controls of a pipeline that begins."""
        self.controls = MemoryControls(self.has, wanted)
        self.controls.error = self.error
        return self.controls

    def fail(self, error: TripodError | None) -> None:
        """Fail so from now on; None: work again."""
        self.error = self.controls.error = error

    def unplug(self) -> None:
        self.fail(DeviceMissing("unplugged"))

    def plug(self) -> None:
        """Come back as a camera does that had no power: with its defaults."""
        self.controls.values = {control.key: control.value for control in self.has}
        self.fail(None)

    async def capture(self, sink: Sink) -> None:
        """Stream until the camera fails."""
        if self.error:
            raise self.error
        assert sink.controls is not None
        await sink.controls.apply()
        sink.still = self.still
        while not self.error:
            sink.frame(PICTURE)
            await asyncio.sleep(0.02)
        raise self.error


def install(monkeypatch: pytest.MonkeyPatch) -> Webcam:
    """Put the webcam behind every V4L2 source."""
    webcam = Webcam()

    async def capture(_source: V4l2, _tools: Tools, sink: Sink) -> None:
        await webcam.capture(sink)

    def controls(_source: V4l2, wanted: Mapping[str, float]) -> Any:
        return webcam.make_controls(wanted)

    def attached(_source: V4l2) -> bool:
        return not isinstance(webcam.error, DeviceMissing)

    monkeypatch.setattr(V4l2, "capture", capture)
    monkeypatch.setattr(V4l2, "controls", controls)
    monkeypatch.setattr(V4l2, "attached", attached)
    return webcam
