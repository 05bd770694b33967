"""Keep a source captured: try for ever, notice a frozen one, explain each failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import logging
import time

from .audio import Audio
from .backoff import Backoff
from .condition import Condition
from .controls import Controls
from .errors import DeviceMissing, Stalled, StreamEnded, TripodError, Unauthorized, WorkerFailed
from .feed import FrameFeed, PacketFeed
from .hotplug import Hotplug
from .sources.base import Medium, Source, Tools, Wanted
from .status import State

_LOGGER = logging.getLogger(__name__)

FIRST_PICTURE = 20.0
"""Seconds that a capture may take to its first picture, where the stall limit is shorter: cameras wake up slowly."""

GOOD_STREAM = 60.0
"""Seconds of streaming after which a failure counts as the first again."""

WATCH = 1.0
"""Seconds between two looks at a capture that may have frozen, or at a device that may have gone or come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a capture fills, and what it goes by meanwhile."""

    frames: FrameFeed
    packets: PacketFeed
    wanted: Wanted
    controls: Controls | None
    audio: Audio | None


class Capture:
    """The supervision of one source; `run` is the work."""

    def __init__(
        self,
        source: Source,
        tools: Tools,
        delivery: Delivery,
        *,
        condition: Condition,
        stall_limit: float,
        backoff: Backoff,
        age: Callable[[], float],
    ) -> None:
        """Capture from `source` into the feeds of `delivery`.

        It is frozen after `stall_limit` seconds without a picture; `age` tells the pipeline's age in seconds.
        """
        self.sink: _Sink | None = None
        """Of the run under way."""
        self._source = source
        self._tools = tools
        self._delivery = delivery
        self._condition = condition
        self._stall_limit = stall_limit
        self._backoff = backoff
        self._age = age

    async def run(self) -> None:
        """Capture until cancelled."""
        self._backoff.reset()
        try:
            while True:
                self._condition.set(State.STARTING)
                begin = self._delivery.packets.free_from(self._age())
                sink = self.sink = _Sink(self._delivery, begin, self._began_streaming)
                error = await self._once(sink)
                if sink.streamed >= GOOD_STREAM:
                    self._backoff.reset()
                await self._rest(error)
        finally:
            self.sink = None
            self._delivery.frames.clear()
            self._delivery.packets.clear()

    async def _once(self, sink: _Sink) -> TripodError:
        """Capture until it fails; return why."""
        if Medium.PACKETS in self._source.delivers:
            self._delivery.packets.restart()
        capture = asyncio.create_task(self._source.capture(self._tools, sink))
        try:
            return await self._watch(capture, sink)
        finally:
            capture.cancel()
            await asyncio.wait([capture])
            self.sink = None
            self._delivery.frames.clear()

    async def _watch(self, capture: asyncio.Task[None], sink: _Sink) -> TripodError:
        """Wait for the capture's end, or for it to freeze."""
        while True:
            limit = self._stall_limit if sink.pictures else max(self._stall_limit, FIRST_PICTURE)
            left = limit - sink.silence
            if left <= 0:
                return Stalled(seconds=f"{limit:g}")
            # the limit is another one once the first picture is there
            await asyncio.wait([capture], timeout=min(left, WATCH))
            if capture.done():
                return _ending(capture)

    async def _rest(self, error: TripodError) -> None:
        """Wait for the next try."""
        # a wrong password tried every second locks accounts
        delay = self._backoff.longest() if isinstance(error, Unauthorized) else self._backoff.next()
        if not isinstance(error, DeviceMissing) and not await asyncio.to_thread(self._source.attached):
            error = DeviceMissing(self._source.address)  # whatever its driver or ffmpeg made of that
        self._condition.failed(error, delay)
        await self._next_try(time.monotonic() + delay)

    async def _next_try(self, at: float) -> None:
        """Wait until `at`, or for as long as the device is gone: once it is put back, there is nothing to wait for."""
        gone = False
        with Hotplug() as hotplug:
            while True:
                left = at - time.monotonic()
                if not await asyncio.to_thread(self._source.attached):
                    gone = True
                elif gone:
                    self._backoff.reset()
                    return
                elif left <= 0:
                    return
                await hotplug.changed(WATCH if gone else min(left, WATCH))

    def _began_streaming(self) -> None:
        self._condition.set(State.STREAMING)


class _Sink:
    """Where one run of a capture puts what it gets."""

    def __init__(self, delivery: Delivery, timestamp_offset: float, on_first: Callable[[], None]) -> None:
        self.timestamp_offset = timestamp_offset
        self.still: Callable[[], Awaitable[bytes]] | None = None
        self.pictures = 0
        self.wanted = delivery.wanted
        self.controls = delivery.controls
        self.audio = delivery.audio
        self._frames = delivery.frames
        self._packets = delivery.packets
        self._on_first = on_first
        self._heard = time.monotonic()
        self._first: float | None = None

    @property
    def silence(self) -> float:
        """Seconds since the source was heard last."""
        return time.monotonic() - self._heard

    @property
    def streamed(self) -> float:
        """Seconds since the first picture."""
        return 0.0 if self._first is None else time.monotonic() - self._first

    def frame(self, jpeg: bytes, captured_at: float | None = None) -> None:
        self._frames.publish(jpeg, captured_at)
        self._note_picture()

    def packets(self, data: bytes) -> None:
        before = self._packets.frames
        self._packets.publish(data)
        if self._packets.frames > before:
            self._note_picture()

    def alive(self) -> None:
        self._heard = time.monotonic()

    def _note_picture(self) -> None:
        self.alive()
        self.pictures += 1
        if self._first is None:
            self._first = self._heard
            self._on_first()


def _ending(capture: asyncio.Task[None]) -> TripodError:
    if capture.cancelled():
        return WorkerFailed("cancelled")
    error = capture.exception()
    if error is None:
        return StreamEnded()
    if isinstance(error, TripodError):
        return error
    _LOGGER.error("The capture failed in a way that was not foreseen", exc_info=error)
    return WorkerFailed(type(error).__name__)
