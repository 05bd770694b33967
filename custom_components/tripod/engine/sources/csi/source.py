"""A CSI camera of this Raspberry Pi."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
import time
from typing import Any, ClassVar, NoReturn

from ...errors import InvalidSource
from ...mpegts_writer import MpegTsWriter
from ...picamera2_worker import Kind
from ..base import Found, Medium, Sink, Source, Tools
from ..look import look
from . import rpicam
from .camera import Program
from .controls import CsiControls
from .protocol import Message
from .worker import Worker

MAX_ID = 200
MIN_SIDE = 64
MAX_SIDE = 4096
MAX_RATE = 240
MAX_BIT_RATE = 25_000_000
"""Bits per second; the hardware encoder's level allows no more."""

_COMMANDED = {Medium.PACKETS: "h264", Medium.FRAMES: "jpeg"}
"""The worker's names of the media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Csi(Source):
    """One camera, with the H.264 stream and the smaller JPEGs to make of it at once."""

    kind: ClassVar[str] = "csi"

    camera: str
    """libcamera's Id, the device-tree path."""
    width: int = 1280
    height: int = 720
    rate: float = 30
    """Frames per second."""
    bit_rate: int = 3_000_000
    """Bits per second of the H.264 stream."""
    lores_width: int = 640
    lores_height: int = 360
    """Size of the JPEGs, at most that of the video."""
    jpeg_rate: float = 10
    """JPEGs per second, as near as leaving out frames comes to it."""
    quality: int = 80
    """Of the JPEGs, in percent."""
    hflip: bool = False
    vflip: bool = False
    """Both turn the picture by half."""
    program: Program = Program.PICAMERA2

    def __post_init__(self) -> None:
        """Raise `InvalidSource` for what is no camera, or what no encoder takes."""
        if not 0 < len(self.camera) <= MAX_ID or not self.camera.isprintable():
            raise InvalidSource(f"camera {self.camera!r}")
        sides = (self.width, self.height, self.lores_width, self.lores_height)
        if not all(MIN_SIDE <= side <= MAX_SIDE and side % 2 == 0 for side in sides):
            raise InvalidSource(f"size {self.width}x{self.height}, {self.lores_width}x{self.lores_height}")
        if self.lores_width > self.width or self.lores_height > self.height:
            raise InvalidSource("the JPEGs are larger than the video")
        if not (0 < self.rate <= MAX_RATE and 0 < self.jpeg_rate <= MAX_RATE and 0 < self.bit_rate <= MAX_BIT_RATE):
            raise InvalidSource(f"{self.rate}/s, {self.jpeg_rate}/s, {self.bit_rate} bit/s")
        if not 1 <= self.quality <= 100:
            raise InvalidSource(f"quality {self.quality}")
        if self.program not in tuple(Program):
            raise InvalidSource(f"program {self.program!r}")

    @property
    def native(self) -> Medium:
        """H.264."""
        return Medium.PACKETS

    @property
    def delivers(self) -> frozenset[Medium]:
        """Both media at once, but by rpicam-vid."""
        return frozenset(Medium if self.program == Program.PICAMERA2 else (Medium.PACKETS,))

    @property
    def warms_up(self) -> bool:
        """Always: exposure and white balance begin with a guess."""
        return True

    @property
    def takes_stills(self) -> bool:
        """By Picamera2; rpicam-vid cannot."""
        return self.program == Program.PICAMERA2

    def controls(self, wanted: Mapping[str, float]) -> CsiControls | None:
        """Return the controls of the camera; rpicam-vid has none that turn while it runs."""
        return CsiControls(wanted) if self.program == Program.PICAMERA2 else None

    @property
    def address(self) -> str:
        """Libcamera's Id."""
        return self.camera

    async def probe(self, tools: Tools) -> Found:
        """Open the camera and say what comes."""
        return await look(self, tools)

    async def capture(self, tools: Tools, sink: Sink) -> None:
        """Hold the camera open, and run the encoders that are wanted."""
        if self.program == Program.PICAMERA2:
            await _capture(self, tools, sink)
        else:
            await rpicam.capture(self, tools, sink)

    def settings(self, controls: Mapping[str, float]) -> dict[str, Any]:
        """Return what the worker is started with."""
        return {name: value for name, value in asdict(self).items() if name != "program"} | {"controls": controls}

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON-able data."""
        return {"kind": self.kind, **asdict(self)}


async def _capture(source: Csi, tools: Tools, sink: Sink) -> NoReturn:
    controls = sink.controls if isinstance(sink.controls, CsiControls) else None
    run = _Run(sink, controls)
    settings = source.settings(controls.effective if controls else {})
    async with Worker(tools, settings, on_frame=run.take, on_metadata=run.note) as worker:
        sink.still = worker.still
        try:
            if controls:
                await controls.attach(worker)
            await run.follow(worker)
        finally:
            sink.still = None
            if controls:
                controls.detach()


class _Run:
    """One run of the camera: what it delivers, and what it is wanted for."""

    def __init__(self, sink: Sink, controls: CsiControls | None) -> None:
        self._sink = sink
        self._controls = controls
        self._writer = MpegTsWriter()
        self._running: set[Medium] = set()
        self._began = time.monotonic()

    def take(self, message: Message) -> None:
        """Pass a frame on; one that was on its way when nobody wanted it any more is late, not new."""
        sink, age = self._sink, time.monotonic() - message.stamp
        if message.kind is Kind.JPEG:
            if Medium.FRAMES in sink.wanted:
                sink.frame(message.body, time.time() - age)
        elif Medium.PACKETS in sink.wanted:
            seconds = sink.timestamp_offset + max(0.0, message.stamp - self._began)
            sink.packets(self._writer.write(message.body, seconds, key=message.key))

    def note(self, metadata: Mapping[str, Any]) -> None:
        """Hear the camera."""
        if self._controls:
            self._controls.metadata = metadata
        if not self._running:
            # with an encoder running only its pictures count, or nobody would notice one that hangs
            self._sink.alive()

    async def follow(self, worker: Worker) -> NoReturn:
        """Run the encoders that are wanted; raises the worker's death."""
        death = asyncio.ensure_future(worker.wait())
        change: asyncio.Future[None] | None = None
        try:
            while True:
                await self._obey(worker)
                change = asyncio.ensure_future(self._sink.wanted.changed())
                await asyncio.wait([death, change], return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
                if death.done():
                    death.result()
        finally:
            death.cancel()
            if change:
                change.cancel()

    async def _obey(self, worker: Worker) -> None:
        for medium, name in _COMMANDED.items():
            if medium in self._sink.wanted and medium not in self._running:
                # at once, so that the start of the encoder is watched, too
                self._running.add(medium)
                await worker.ask("start", medium=name)
            elif medium not in self._sink.wanted and medium in self._running:
                await worker.ask("stop", medium=name)
                self._running.discard(medium)
