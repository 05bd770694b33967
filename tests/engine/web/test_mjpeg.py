"""MJPEG as a browser, a slow client and a dead one see it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import os
import signal
import time

import pytest

from custom_components.tripod.engine.errors import Refused, Unauthorized
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.sources import Medium
from custom_components.tripod.engine.status import State
from custom_components.tripod.engine.viewers import Client
from custom_components.tripod.engine.web import Timing
from tests.engine.media import mpegts
from tests.engine.web.conftest import NO_LINGER, Serve, pattern, pictures
from tests.engine.web.hand import Hand
from tests.engine.web.site import workers

QUICK = Timing(look=0.1, stalled=0.5, no_signal_after=0.2, no_signal_every=0.3)


async def test_each_part_is_whole_and_says_when_it_was_captured(serve: Serve) -> None:
    site = await serve(pattern(format="mjpeg"))
    async with site.multipart() as stream:
        assert stream.status == "HTTP/1.1 200 OK"
        assert stream.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        assert stream.headers["Connection"] == "close"
        assert stream.headers["Cache-Control"] == "no-store"
        assert "Transfer-Encoding" not in stream.headers
        first = await stream.part()
        assert await stream.part() == first
        parts = [await stream.picture() for _ in range(12)]
    assert {dimensions(part.body) for part in parts} == {(320, 240)}
    assert {part.headers["Content-Type"] for part in parts} == {"image/jpeg"}
    sequences = [part.sequence for part in parts]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    stamps = [float(part.headers["X-Timestamp"]) for part in parts]
    assert stamps == sorted(stamps)
    assert abs(stamps[-1] - time.time()) < 5
    assert all(0 <= float(part.headers["X-Age"]) < 5 for part in parts)


async def test_a_picture_is_complete_before_the_next_one_exists(serve: Serve) -> None:
    site = await serve(source := Hand())
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(pictures()[0])
        assert (await stream.part()).body == pictures()[0]
        assert (await stream.part()).body == pictures()[0]


async def test_pictures_that_come_seldom_are_sent_twice(serve: Serve) -> None:
    """Chrome shows a picture when it sees the headers of the next one."""
    site = await serve(source := Hand())
    async with site.multipart() as stream:
        sink = await source.lead.wanted()
        for picture in pictures()[:2]:
            sink.frame(picture)
            assert [(await stream.part()).body for _ in range(2)] == [picture] * 2
            await asyncio.sleep(0.25)
        for picture in pictures()[2:4]:
            sink.frame(picture)
            while (await stream.part()).body != picture:
                pass


async def test_who_joins_later_is_told_the_age_of_what_it_gets(serve: Serve) -> None:
    site = await serve(source := Hand(every=60))
    async with site.multipart() as first:
        (await source.lead.wanted()).frame(pictures()[0], time.time() - 7)
        assert float((await first.part()).headers["X-Age"]) == pytest.approx(7, abs=0.5)
        async with site.multipart() as second:
            assert float((await second.part()).headers["X-Age"]) == pytest.approx(7, abs=1)


async def test_the_rate_can_be_limited(serve: Serve) -> None:
    site = await serve(pattern(format="mjpeg"))
    async with site.multipart("stream.mjpg?fps=5") as stream:
        parts = [await stream.picture() for _ in range(8)]
    stamps = [float(part.headers["X-Timestamp"]) for part in parts]
    assert (stamps[-1] - stamps[0]) / 7 == pytest.approx(0.2, abs=0.05)


async def test_pictures_of_video_come_too(serve: Serve) -> None:
    site = await serve(pattern(format="h264"))
    async with site.multipart() as stream:
        parts = [await stream.picture() for _ in range(6)]
    assert {dimensions(part.body) for part in parts} == {(320, 240)}
    assert len({part.body for part in parts}) == 6


async def test_head_is_answered_without_asking_the_camera(serve: Serve) -> None:
    site = await serve(source := Hand())
    async with site.session.head(site.url("stream.mjpg")) as answer:
        assert answer.status == 200
        assert answer.content_type == "multipart/x-mixed-replace"
    assert source.lead.captures == 0


async def test_a_slow_viewer_skips_and_the_others_lose_nothing(serve: Serve) -> None:
    """The slow one's own connection holds one picture at most, whatever comes."""
    site = await serve(source := Hand())
    async with site.multipart() as quick, site.multipart(receive_buffer=4096) as slow:
        sink = await source.lead.wanted()
        big = pictures()[0][:-2] + bytes(400_000) + pictures()[0][-2:]
        first = 1
        for number in range(60):
            sink.frame(big)
            assert (await quick.picture()).sequence == first + number
        lagging = site.pipeline.viewers.present[1]
        assert lagging.kind == "mjpeg"
        assert lagging.pictures <= 3
        assert max(c._transport.get_write_buffer_size() for c in site.endpoints._connections._open) <= len(big) + 500
        sequences = [(await slow.picture()).sequence]
        sink.frame(big)
        while sequences[-1] < first + 60:
            sequences.append((await slow.picture()).sequence)
        assert len(sequences) < 8
        await site.until(lambda: lagging.dropped > 50)


async def test_a_stalled_viewer_is_let_go(serve: Serve) -> None:
    site = await serve(source := Hand(), timing=QUICK)
    big = pictures()[0][:-2] + bytes(2_000_000) + pictures()[0][-2:]
    async with site.multipart() as healthy, site.multipart(receive_buffer=4096):
        sink = await source.lead.wanted()
        assert len(site.pipeline.viewers) == 2
        async with asyncio.timeout(10):
            while len(site.pipeline.viewers) == 2:
                sink.frame(big)
                await healthy.part()
        sink.frame(pictures()[1])
        while (await healthy.part()).body != pictures()[1]:
            pass
    await site.until(lambda: len(site.endpoints._connections) == 0)


async def test_a_viewer_who_left_is_noticed_while_nothing_is_sent(serve: Serve) -> None:
    site = await serve(source := Hand(every=60), timing=QUICK)
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(pictures()[0])
        await stream.part()
        assert len(site.pipeline.viewers) == 1
    await site.until(lambda: len(site.pipeline.viewers) == 0)


async def test_no_signal_says_why_and_goes_when_the_camera_is_back(serve: Serve) -> None:
    site = await serve(source := Hand(), timing=QUICK)
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(pictures()[0])
        before = (await stream.part()).sequence
        source.lead.fail(Refused("192.0.2.1 port 554"))
        absence = await stream.absence()
        assert absence.no_signal == "refused"
        assert dimensions(absence.body) == (320, 240)
        assert "X-Sequence" not in absence.headers
        again = [await stream.absence() for _ in range(3)]  # refreshed without anything happening
        assert {part.body for part in again} == {absence.body}
        async with site.session.get(site.url("snapshot.jpg")) as answer:
            assert answer.status == 503
            assert (await answer.json())["cause"] == "refused"
        source.lead.fail(Unauthorized())
        await site.pipeline.restart()
        while (await stream.absence()).no_signal != "unauthorized":
            pass
        source.lead.heal()
        await site.pipeline.restart()
        (await source.lead.wanted()).frame(pictures()[1])
        after = await stream.picture()
        assert after.body == pictures()[1]
        assert after.sequence > before
        assert (await stream.part()).body == pictures()[1]
        assert site.pipeline.viewers.present[0].pictures == 2


async def test_no_signal_says_that_the_camera_is_stopped(serve: Serve) -> None:
    site = await serve(source := Hand(), timing=QUICK)
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(pictures()[0])
        await stream.part()
        await site.pipeline.stop()
        assert (await stream.absence()).no_signal == "stopped"
        site.pipeline.start()
        (await source.lead.wanted()).frame(pictures()[1])
        assert (await stream.picture()).body == pictures()[1]


async def test_no_signal_also_stands_in_for_a_camera_that_was_never_there(serve: Serve) -> None:
    site = await serve(source := Hand(), timing=QUICK)
    source.lead.refuse = Refused("192.0.2.1")
    async with site.multipart() as stream:
        assert dimensions((await stream.absence()).body) == (1280, 720)


async def test_a_camera_that_takes_its_time_is_said_to(serve: Serve) -> None:
    site = await serve(source := Hand(), timing=QUICK)
    async with site.multipart() as stream:
        await source.lead.wanted()
        assert (await stream.absence()).no_signal == "no_fresh_picture"


async def test_a_transcoder_that_fails_is_a_reason_too(serve: Serve) -> None:
    site = await serve(source := Hand(medium=Medium.PACKETS), timing=QUICK, ffmpeg=Ffmpeg("/nonexistent/ffmpeg"))
    async with site.multipart() as stream:
        sink = await source.lead.wanted()
        sink.packets(mpegts(seconds=2))
        while (await stream.absence()).no_signal != "ffmpeg_missing":
            sink.packets(mpegts(seconds=2))


@pytest.mark.parametrize("encoding", ["mjpeg", "h264"])
async def test_viewers_stay_through_the_death_of_the_worker(serve: Serve, encoding: str) -> None:
    site = await serve(pattern(format=encoding), timing=QUICK)
    async with site.multipart() as stream:
        before = await stream.picture()
        captures = [pid for pid, command in workers().items() if "testsrc2" in command]
        assert len(captures) == 1
        os.kill(captures[0], signal.SIGKILL)
        await stream.absence()
        after = await stream.picture()
    assert after.sequence > before.sequence
    assert site.pipeline.status.restarts == 1


async def test_a_revoked_client_is_sent_away_and_the_others_stay(serve: Serve) -> None:
    site = await serve(source := Hand())
    async with site.multipart() as stays:
        site.client = Client("other", "Other")
        async with site.multipart() as goes:
            sink = await source.lead.wanted()
            sink.frame(pictures()[0])
            await goes.part()
            site.endpoints.disconnect("other")
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await goes.absence()
        await site.until(lambda: len(site.pipeline.viewers) == 1)
        sink.frame(pictures()[1])
        while (await stays.part()).body != pictures()[1]:
            pass


async def test_too_many_viewers_are_told_to_come_back(serve: Serve) -> None:
    site = await serve(Hand(), options=replace(NO_LINGER, max_viewers=1), timing=QUICK)
    async with site.multipart(), site.session.get(site.url("stream.mjpg")) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await answer.json())["cause"] == "too_many_viewers"
    await site.until(lambda: len(site.pipeline.viewers) == 0)
    async with site.multipart() as stream:
        assert stream.status == "HTTP/1.1 200 OK"


async def test_the_capture_ends_with_the_last_viewer(serve: Serve) -> None:
    site = await serve(pattern(format="mjpeg"), timing=QUICK)
    async with site.multipart() as stream:
        await stream.picture()
        assert site.pipeline.state is State.STREAMING
    await site.until(lambda: site.pipeline.state is State.IDLE)
    await site.until(lambda: not any("testsrc2" in command for command in workers().values()))
