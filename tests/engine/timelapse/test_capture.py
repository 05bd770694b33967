"""Single frames of real cameras on the network, at a given moment or later, and never of before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time

from aiohttp import web
import pytest

from custom_components.tripod.engine.errors import NoFreshPicture, NotAPicture
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Medium, TestPattern, UrlSource
from custom_components.tripod.engine.status import State
from custom_components.tripod.engine.timelapse.capture import Holds, Shutter
from tests.servers import start

from ..capture import TOOLS
from .studio import Soon, picture

ALL_MEDIA = frozenset(Medium)


@asynccontextmanager
async def shutter_of(source: UrlSource | TestPattern, **options: float) -> AsyncIterator[Shutter]:
    pipeline = Pipeline(source, TOOLS, Options(**options), backoff=Soon())  # type: ignore[arg-type]
    shutter = Shutter(pipeline)
    pipeline.open()
    try:
        async with asyncio.timeout(30):
            yield shutter
    finally:
        await shutter.close()
        await pipeline.close()


@pytest.mark.parametrize("kind", ["h264", "mjpeg"])
async def test_a_picture_of_the_moment(kind: str) -> None:
    source = TestPattern(width=320, height=240, rate=15, format="h264" if kind == "h264" else "mjpeg")
    async with shutter_of(source) as shutter:
        for _ in range(2):
            now = time.time()
            shot = await shutter.take(now, 20)
            assert now - 0.001 < shot.captured_at


async def test_a_still_that_does_not_change_counts_as_that_of_now() -> None:
    with start.http_camera("--period", "3600") as camera:
        source = UrlSource(url=camera.url("still.jpg"), delivery="stills", still_interval=0.1)
        async with shutter_of(source, stall_limit=0.4) as shutter:
            first = await shutter.take(time.time(), 20)
            with shutter.pipeline.demand(source.native):
                while (await asyncio.to_thread(camera.control))["not_modified"] < 6:
                    pass
            now = time.time()
            second = await shutter.take(now, 0.1)
            assert second.data == first.data
            assert second.captured_at >= now


async def test_a_page_in_between_is_no_picture_and_brings_no_old_one() -> None:
    answers = [(picture(120), "image/jpeg")]

    async def answer(_: web.Request) -> web.Response:
        body, kind = answers[0]
        return web.Response(body=body, content_type=kind)

    app = web.Application()
    app.router.add_get("/still.jpg", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/still.jpg"
    try:
        async with shutter_of(UrlSource(url=url, delivery="stills", still_interval=0.1)) as shutter:
            await shutter.take(time.time(), 20)
            answers[0] = (b"<html><body>Please log in</body></html>", "text/html")
            changed = asyncio.Event()
            shutter.pipeline.listen(changed.set)
            await changed.wait()
            assert shutter.pipeline.state is not State.STREAMING
            with pytest.raises(NotAPicture):
                await shutter.take(time.time(), 0.3)
            answers[0] = (picture(140), "image/jpeg")
            now = time.time()
            shot = await shutter.take(now, 20)
            assert shot.data == picture(140)
            assert shot.captured_at >= now
    finally:
        await runner.cleanup()


async def test_a_stream_that_stands_still_brings_no_old_picture() -> None:
    async with shutter_of(TestPattern(width=320, height=240, rate=1, format="mjpeg")) as shutter:
        shot = await shutter.take(time.time(), 20)
        with pytest.raises(NoFreshPicture):
            await shutter.take(shot.captured_at + 60, 0.1)


async def test_how_long_a_start_takes_is_learned() -> None:
    async with shutter_of(TestPattern(width=320, height=240, rate=5), warm_up=0.0) as shutter:
        expected = shutter.camera.lead, shutter.transcoder.lead
        holds = Holds(shutter)
        holds.want(ALL_MEDIA)
        await started(shutter)
        assert shutter.camera.lead != expected[0]
        holds.want({Medium.PACKETS})
        with shutter.pipeline.demand(Medium.PACKETS):
            await shutter.pipeline._media[Medium.FRAMES].cancel()
            holds.want(ALL_MEDIA)
            await started(shutter)
        assert shutter.transcoder.lead != expected[1]
        holds.want(frozenset())
        assert not shutter.pipeline._media[Medium.FRAMES].wanted


async def started(shutter: Shutter) -> None:
    assert shutter._watching
    await asyncio.wait([shutter._watching])
