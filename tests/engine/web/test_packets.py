"""MPEG-TS as VLC, core's stream and a recorder take it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from custom_components.tripod.engine.errors import Refused
from custom_components.tripod.engine.mpegts import Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.sources import Medium
from custom_components.tripod.engine.web import Timing
from tests.engine.media import decoded_frames
from tests.engine.web.conftest import Serve, pattern
from tests.engine.web.hand import Hand
from tests.engine.web.site import Site, workers

QUICK = Timing(look=0.1, stalled=0.5, first_packets=0.5)


async def read(site: Site, path: str, *, frames: int) -> bytes:
    """Take a stream until it holds so many frames."""
    data, parser, seen = b"", Parser(), 0
    async with site.session.get(site.url(path)) as answer, asyncio.timeout(30):
        assert answer.status == 200
        assert answer.content_type == "video/mp2t"
        while seen < frames:
            piece = await answer.content.readany()
            assert piece
            data += piece
            seen += sum(chunk.starts_frame for chunk in parser.feed(piece))
    return data


@pytest.mark.parametrize("encoding", ["h264", "mjpeg"])
async def test_a_stream_begins_with_a_key_frame_and_can_be_decoded(serve: Serve, encoding: str) -> None:
    site = await serve(pattern(format=encoding))
    await read(site, "stream.ts", frames=2)  # somebody came before, so that this one joins in the middle
    data = await read(site, "stream.ts", frames=40)
    first = Parser().feed(data)[0]
    assert first.key
    assert data.startswith(b"\x47\x40\x00")  # the PAT
    assert decoded_frames(data[: len(data) // 188 * 188]) >= 35


async def test_pre_roll_begins_in_the_past(serve: Serve) -> None:
    site = await serve(pattern(), options=Options(linger=0, pre_roll=6))
    await site.until(lambda: len(site.pipeline.packet_feed.complete) >= 3)
    async with site.session.get(site.url("stream.ts?pre_roll=6")) as answer:
        first = await answer.content.readany()
        past = Parser().feed(first + await answer.content.readexactly(100_000))
    async with site.session.get(site.url("stream.ts")) as answer:
        live = Parser().feed(await answer.content.readany())
    assert past[0].pts is not None
    assert live[0].pts is not None
    assert (live[0].pts - past[0].pts) / 90_000 >= 2


async def test_viewers_stay_through_the_death_of_the_worker(serve: Serve) -> None:
    site = await serve(pattern())
    reading = asyncio.create_task(read(site, "stream.ts", frames=60))
    await site.until(lambda: site.pipeline.packet_feed.frames > 10)
    victim = next(pid for pid, command in workers().items() if "testsrc2" in command)
    os.kill(victim, signal.SIGKILL)
    stamps = [chunk.pts for chunk in Parser().feed(await reading) if chunk.starts_frame and chunk.pts is not None]
    assert stamps == sorted(set(stamps))
    assert site.pipeline.status.restarts == 1


async def test_frames_are_counted(serve: Serve) -> None:
    site = await serve(pattern())
    async with site.session.get(site.url("stream.ts")) as answer:
        await answer.content.readany()
        viewer = site.pipeline.viewers.present[0]
        await site.until(lambda: viewer.pictures >= 25)
        assert viewer.kind == "ts"
        assert viewer.bytes > 188


async def test_a_camera_that_is_away_is_an_answer_and_not_an_empty_stream(serve: Serve) -> None:
    site = await serve(source := Hand(medium=Medium.PACKETS), timing=QUICK)
    async with site.session.get(site.url("stream.ts")) as answer:
        assert answer.status == 503
        assert (await answer.json())["cause"] == "no_fresh_picture"
    source.lead.fail(Refused("192.0.2.1"))
    async with site.session.get(site.url("stream.ts")) as answer:
        assert answer.status == 503
        assert (await answer.json())["cause"] == "refused"
    assert len(site.pipeline.viewers) == 0


async def test_a_camera_that_is_stopped_ends_the_stream(serve: Serve) -> None:
    site = await serve(pattern())
    async with site.session.get(site.url("stream.ts")) as answer:
        await answer.content.readany()
        await site.pipeline.stop()
        async with asyncio.timeout(5):
            while await answer.content.readany():
                pass
    async with site.session.get(site.url("stream.ts")) as answer:
        assert (await answer.json())["cause"] == "stopped"


async def test_a_viewer_who_left_is_noticed(serve: Serve) -> None:
    site = await serve(pattern(), timing=QUICK)
    async with site.session.get(site.url("stream.ts")) as answer:
        await answer.content.readany()
        assert len(site.pipeline.viewers) == 1
    await site.until(lambda: len(site.pipeline.viewers) == 0)
