"""Snapshots: fresh, or none and the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
import time

import pytest

from custom_components.tripod.engine.errors import DeviceMissing
from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.options import Options
from tests.engine.media import jpegs
from tests.engine.web.conftest import Serve, pattern, pictures
from tests.engine.web.hand import Hand
from tests.engine.web.site import Site


class CountingFfmpeg(Ffmpeg):
    """ffmpeg that counts its one-shot jobs and how many ran at once."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs = 0
        self.running = 0
        self.most = 0

    async def run(self, argv: Sequence[str], data: bytes | None = None, timeout: float = 10) -> bytes:
        self.jobs += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await super().run(argv, data, timeout)
        finally:
            self.running -= 1


async def with_frame(site: Site, source: Hand, jpeg: bytes, age: float = 0.0) -> None:
    """Let the camera deliver one picture, somebody watching meanwhile."""
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(jpeg, time.time() - age)
        await stream.part()


@pytest.mark.parametrize("encoding", ["mjpeg", "h264"])
async def test_a_picture_and_all_about_it(serve: Serve, encoding: str) -> None:
    site = await serve(pattern(format=encoding))
    before = time.time()
    async with site.session.get(site.url("snapshot.jpg")) as answer:
        body = await answer.read()
    assert answer.status == 200
    assert answer.content_type == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert dimensions(body) == (320, 240)
    stamp = float(answer.headers["X-Timestamp"])
    assert before - 0.5 <= stamp <= time.time() + 0.001
    assert int(answer.headers["X-Sequence"]) >= 1
    # both are rounded to a millisecond
    assert 0 <= float(answer.headers["X-Age"]) <= time.time() - stamp + 0.001
    assert int(answer.headers["Age"]) == int(float(answer.headers["X-Age"]))
    assert parsedate_to_datetime(answer.headers["Last-Modified"]).timestamp() == pytest.approx(stamp, abs=1)


async def test_an_old_picture_is_handed_out_only_within_its_limit(serve: Serve) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=5, stall_limit=10))
    await with_frame(site, source, pictures()[0], age=8)
    async with site.session.get(site.url("snapshot.jpg")) as answer:
        assert answer.status == 200
        assert float(answer.headers["X-Age"]) == pytest.approx(8, abs=0.5)
        assert int(answer.headers["Age"]) == 8
    async with site.session.get(site.url("snapshot.jpg?max_age=7&wait=0.2")) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await answer.json())["cause"] == "no_fresh_picture"


async def test_after_now_is_a_picture_of_the_future(serve: Serve) -> None:
    site = await serve(source := Hand(), options=Options(linger=5))
    await with_frame(site, source, pictures()[0])
    asked = time.time()

    async def later() -> None:
        sink = await source.lead.wanted()
        while not waiting.done():
            sink.frame(pictures()[1])
            await asyncio.sleep(0.02)

    waiting = asyncio.create_task(site.session.get(site.url("snapshot.jpg?after=now")))
    feeding = asyncio.create_task(later())
    async with await waiting as answer:
        assert await answer.read() == pictures()[1]
        assert float(answer.headers["X-Timestamp"]) >= asked - 0.001
    await feeding
    async with site.session.get(site.url(f"snapshot.jpg?after={time.time() + 60:.3f}&wait=0.1")) as answer:
        assert answer.status == 503


async def test_a_camera_that_is_away_says_why(serve: Serve) -> None:
    site = await serve(source := Hand(), describe=lambda error: f"<{error.cause}>")
    source.lead.refuse = DeviceMissing("/dev/video0")
    async with site.session.get(site.url("snapshot.jpg")) as answer:
        assert answer.status == 503
        assert answer.content_type == "application/json"
        assert await answer.json() == {
            "cause": "device_missing",
            "message": "<device_missing>",
            "placeholders": {"detail": "/dev/video0"},
        }
    await site.pipeline.stop()
    async with site.session.get(site.url("snapshot.jpg")) as answer:
        assert (await answer.json())["cause"] == "stopped"


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("width=160", (160, 120)),
        ("height=60", (80, 60)),
        ("width=160&height=60", (80, 60)),
        ("width=100", (100, 75)),
        ("crop=100:50:220:190", (100, 50)),
        ("crop=101:51:3:7", (101, 51)),
        ("crop=160:120:0:0&width=80", (80, 60)),
        ("width=5000", (320, 240)),
        ("crop=32:24:0:0&width=640&height=480", (32, 24)),
        ("crop=320:240:0:0", (320, 240)),
        ("width=1&height=1", (1, 1)),
    ],
)
async def test_it_is_cut_and_shrunk_but_never_enlarged(serve: Serve, query: str, size: tuple[int, int]) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=5))
    await with_frame(site, source, pictures()[0])
    async with site.session.get(site.url(f"snapshot.jpg?{query}")) as answer:
        body = await answer.read()
        assert answer.status == 200, body
        assert dimensions(body) == size
        if size == (320, 240):
            assert body == pictures()[0]


async def test_a_crop_beyond_the_picture_is_refused(serve: Serve) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=5))
    await with_frame(site, source, pictures()[0])
    async with site.session.get(site.url("snapshot.jpg?crop=320:240:1:0")) as answer:
        assert answer.status == 400
        assert "320x240" in (await answer.json())["message"]


async def test_many_who_ask_for_the_same_cost_one_job(serve: Serve) -> None:
    ffmpeg = CountingFfmpeg()
    site = await serve(source := Hand(every=60), options=Options(linger=5), ffmpeg=ffmpeg)
    await with_frame(site, source, jpegs(frames=1, size="1280x720"))

    async def get(width: int) -> bytes:
        async with site.session.get(site.url(f"snapshot.jpg?width={width}")) as answer:
            assert answer.status == 200
            return await answer.read()

    answers = await asyncio.gather(*(get(640) for _ in range(12)))
    assert len(set(answers)) == 1
    assert ffmpeg.jobs == 1
    await asyncio.gather(*(get(100 + number) for number in range(10)))
    assert ffmpeg.jobs == 11
    assert ffmpeg.most == 2
    assert len(site.endpoints._snapshot._fitter._jobs) == 8


async def test_a_job_that_fails_is_an_answer_and_the_next_tries_again(serve: Serve) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=5))
    await with_frame(site, source, pictures()[0])
    binary, site.pipeline.tools.ffmpeg.binary = site.pipeline.tools.ffmpeg.binary, "/nonexistent/ffmpeg"
    async with site.session.get(site.url("snapshot.jpg?width=99")) as answer:
        assert answer.status == 503
        assert (await answer.json())["cause"] == "ffmpeg_missing"
    site.pipeline.tools.ffmpeg.binary = binary
    async with site.session.get(site.url("snapshot.jpg?width=99")) as answer:
        assert answer.status == 200


async def test_head_says_what_get_would(serve: Serve) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=5))
    await with_frame(site, source, pictures()[0])
    async with site.session.head(site.url("snapshot.jpg")) as answer:
        assert answer.status == 200
        assert answer.content_length == len(pictures()[0])
        assert await answer.read() == b""
