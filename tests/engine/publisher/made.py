"""Cameras whose video ffmpeg makes as a test wants it, and publishers to watch."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from custom_components.tripod.engine.ffmpeg import mpegts_output
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.publisher import Publication, Publisher, PublisherState
from custom_components.tripod.engine.sources import Found, Medium, Sink, Source, Tools
from custom_components.tripod.engine.sources.workers import capture_packets
from tests.engine.media import SINE, TESTSRC, X264
from tests.engine.test_pipeline import Soon

VIDEO = (*TESTSRC, *X264)
WITH_SOUND = (*TESTSRC, *SINE, *X264, "-c:a", "aac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Source):
    """A camera that delivers MPEG-TS as ffmpeg's `options` say, in real time."""

    kind: ClassVar[str] = "made"

    options: tuple[str, ...] = VIDEO

    @property
    def native(self) -> Medium:
        return Medium.PACKETS

    @property
    def address(self) -> str:
        return "the test"

    async def probe(self, tools: Tools) -> Found:
        raise NotImplementedError

    async def capture(self, tools: Tools, sink: Sink) -> None:
        argv = tools.ffmpeg.argv("-re", *self.options, *mpegts_output(sink.timestamp_offset))
        await capture_packets(argv, sink)

    def as_dict(self) -> dict[str, Any]:
        raise NotImplementedError


@asynccontextmanager
async def publishing(camera: Pipeline, url: str, *, sound: str = "camera", **options: Any) -> AsyncIterator[Publisher]:
    """Publish for the time of the context."""
    fields = {key: options.pop(key) for key in ("verify_tls",) if key in options}
    publication = Publication.from_dict({"url": url, "sound": sound, **fields})
    publisher = Publisher(camera, publication, backoff=Soon(), **options)
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()
        assert publisher.status.state is PublisherState.STOPPED


async def until(publisher: Publisher, holds: Callable[[], bool]) -> None:
    """Wait for a condition that changes with the publisher's state."""
    changed = asyncio.Event()
    unlisten = publisher.listen(changed.set)
    try:
        async with asyncio.timeout(20):
            while not holds():
                changed.clear()
                await changed.wait()
    finally:
        unlisten()


async def state(publisher: Publisher, wanted: PublisherState) -> None:
    """Wait until it is in a state."""
    await until(publisher, lambda: publisher.status.state is wanted)


async def failed(publisher: Publisher) -> Exception:
    """Wait for a failure, and return it."""
    await until(publisher, lambda: publisher.status.state is PublisherState.RETRYING)
    error = publisher.status.error
    assert error
    return error
