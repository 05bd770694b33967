"""Which pictures of a sensor that was just switched on are worth keeping: the real ffmpeg looks at drawn pictures."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
import time

import pytest

from custom_components.tripod.engine.feed import FrameFeed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.warm_up import WarmUp

from .media import ffmpeg

LONG = 30.0


def grey(luma: int) -> bytes:
    return ffmpeg(
        *("-f", "lavfi", "-i", f"color=c=0x{luma:02x}{luma:02x}{luma:02x}:s=320x240"),
        *("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", "-f", "image2pipe"),
    )


def moving() -> Iterator[bytes]:
    """A picture in which something moves."""
    for second in count():
        yield ffmpeg(
            *("-f", "lavfi", "-ss", str(second % 5), "-i", "testsrc2=size=320x240:rate=5"),
            *("-frames:v", "1", "-c:v", "mjpeg", "-f", "image2pipe"),
        )


class Sensor:
    """A feed that gets a picture each tenth of a second, as far as their capture times go."""

    def __init__(self) -> None:
        self.feed = FrameFeed()
        self.now = 1000.0

    def show(self, picture: bytes) -> float:
        self.now += 0.1
        self.feed.publish(picture, self.now)
        return self.now

    async def show_until(self, pictures: Iterator[bytes], warm_up: WarmUp) -> None:
        """Go on until the present picture counts."""
        async with asyncio.timeout(20):
            for picture in pictures:
                if warm_up.settled(self.show(picture)):
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def warming(feed: FrameFeed, limit: float = LONG) -> AsyncIterator[WarmUp]:
    warm_up = WarmUp(Ffmpeg(), feed, limit)
    try:
        yield warm_up
    finally:
        await warm_up.close()


async def test_black_and_brightening_pictures_do_not_count() -> None:
    sensor = Sensor()
    async with warming(sensor.feed) as warm_up:
        warm_up.begin()
        for luma in (0, 0, 0, *range(20, 180, 20)):
            unsettled = sensor.show(grey(luma))
            await asyncio.sleep(0.05)
        await sensor.show_until(iter(lambda: grey(180), None), warm_up)
        assert not warm_up.settled(unsettled)


async def test_something_that_moves_does_not_keep_a_camera_from_settling() -> None:
    sensor = Sensor()
    async with warming(sensor.feed) as warm_up:
        warm_up.begin()
        await sensor.show_until(moving(), warm_up)


async def test_what_has_settled_stays_so_for_as_long_as_the_capture_runs() -> None:
    sensor = Sensor()
    async with warming(sensor.feed) as warm_up:
        warm_up.begin()
        await sensor.show_until(moving(), warm_up)
        warm_up.begin()  # as at a change beside the state, such as the microphone's
        assert warm_up.settled(sensor.now)


async def test_a_camera_in_the_dark_counts_after_the_limit() -> None:
    feed = FrameFeed()
    async with warming(feed, limit=0.5) as warm_up:
        warm_up.begin()
        began = time.time()
        reader = feed.reader()
        feed.publish(grey(0))
        assert await reader.next(10)
        assert not warm_up.settled(time.time())
        assert await reader.next(10) is None  # told that this has changed
        assert time.time() - began >= 0.4
        assert warm_up.settled(time.time())
        assert not warm_up.settled(began)


async def test_without_ffmpeg_the_limit_decides() -> None:
    feed = FrameFeed()
    warm_up = WarmUp(Ffmpeg("no-such-ffmpeg"), feed, 0.5)
    warm_up.begin()
    feed.publish(grey(100))
    reader = feed.reader()
    assert await reader.next(10)
    assert await reader.next(10) is None
    assert warm_up.settled(time.time())
    await warm_up.close()


async def test_switched_off_all_pictures_count() -> None:
    async with warming(FrameFeed(), limit=0) as warm_up:
        warm_up.begin()
        assert warm_up.settled(0)


@pytest.mark.parametrize("limit", [0, LONG])
async def test_without_a_capture_none_counts(limit: float) -> None:
    async with warming(FrameFeed(), limit) as warm_up:
        assert not warm_up.settled(time.time())
        warm_up.begin()
        warm_up.end()
        assert not warm_up.settled(time.time())
