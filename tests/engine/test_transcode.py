"""Pictures of video keep their time stamps, whatever these are."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from custom_components.tripod.engine.feed import PacketFeed
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.mpegts import Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.transcode import packets_to_frames
from tests.engine.media import mpegts


@pytest.mark.parametrize("offset", ["0", "0.0154", "1.7371"])
async def test_each_picture_is_known_by_its_time_stamp(offset: str) -> None:
    feed = PacketFeed(keep_seconds=60)
    for chunk in Parser().feed(mpegts("-bf", "0", "-r", "25", "-output_ts_offset", offset, seconds=2)):
        feed.publish(chunk.data)
    arrivals: list[float | None] = []
    enough = asyncio.Event()

    def deliver(_: bytes, seconds: float) -> None:
        arrivals.append(feed.arrival(seconds))
        if len(arrivals) >= 12:
            enough.set()

    decoding = asyncio.create_task(packets_to_frames(Ffmpeg(), feed.reader(60), Options(), deliver))
    async with asyncio.timeout(20):
        await enough.wait()
    decoding.cancel()
    with suppress(asyncio.CancelledError):
        await decoding
    assert None not in arrivals
