"""A sink to wait at, and a capture that runs beside a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from custom_components.tripod.engine.audio import Audio
from custom_components.tripod.engine.controls import Controls
from custom_components.tripod.engine.errors import TripodError
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.mpegts import Chunk, Parser
from custom_components.tripod.engine.sources import Medium, Source, Tools, Wanted

TOOLS = Tools(ffmpeg=Ffmpeg())


class Collector:
    """Keep what a capture brings."""

    controls: Controls | None = None
    audio: Audio | None = None
    still: Callable[[], Awaitable[bytes]] | None = None

    def __init__(self, timestamp_offset: float = 0.0) -> None:
        self.timestamp_offset = timestamp_offset
        self.wanted = Wanted(Medium)
        self.pictures: list[bytes] = []
        self.captured_at: list[float | None] = []
        self.chunks: list[Chunk] = []
        self.unchanged = 0
        self.parser = Parser()
        self._changed = asyncio.Event()

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        self.pictures.append(jpeg)
        self.captured_at.append(captured_at)
        self._changed.set()

    def packets(self, data: bytes) -> None:
        self.chunks += self.parser.feed(data)
        self._changed.set()

    def alive(self) -> None:
        self.unchanged += 1
        self._changed.set()

    @property
    def frames(self) -> list[Chunk]:
        """The beginnings of video frames."""
        return [chunk for chunk in self.chunks if chunk.starts_frame]

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()


class Capture:
    """A running capture."""

    def __init__(self, source: Source, tools: Tools, timestamp_offset: float) -> None:
        self.sink = Collector(timestamp_offset)
        self.task = asyncio.create_task(source.capture(tools, self.sink))

    async def until(self, condition: Callable[[Collector], bool]) -> Collector:
        """Wait for the sink; raises the capture's end."""
        waiting = asyncio.create_task(self.sink.until(lambda: condition(self.sink)))
        async with asyncio.timeout(20):
            await asyncio.wait([waiting, self.task], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            self.task.result()
        return self.sink

    async def end(self) -> TripodError:
        """Wait for the capture to fail."""
        try:
            async with asyncio.timeout(20):
                await self.task
        except TripodError as error:
            return error
        raise AssertionError("the capture returned")


@asynccontextmanager
async def capturing(source: Source, tools: Tools = TOOLS, timestamp_offset: float = 0.0) -> AsyncIterator[Capture]:
    """Capture as long as the context is open."""
    capture = Capture(source, tools, timestamp_offset)
    try:
        yield capture
    finally:
        capture.task.cancel()
        with suppress(asyncio.CancelledError, TripodError):
            await capture.task
