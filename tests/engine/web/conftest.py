"""Cameras on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, TypeAlias

from aiohttp import ClientSession, TCPConnector, web
import pytest

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Source, TestPattern, Tools
from custom_components.tripod.engine.web import CameraEndpoints, Timing
from tests.engine.media import jpegs
from tests.engine.web.site import SUB_PATH, Site, assert_nothing_left, workers
from tests.servers.application import serve as serve_application

Serve: TypeAlias = Callable[..., Awaitable[Site]]

NO_LINGER = Options(linger=0.0, stall_limit=2.0)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve a camera; when the test is over nothing of it may be left."""
    before = asyncio.all_tasks(), workers()
    async with AsyncExitStack() as stack:

        async def begin(
            source: Source,
            *,
            options: Options = NO_LINGER,
            ffmpeg: Ffmpeg | None = None,
            timing: Timing | None = None,
            **more: Any,
        ) -> Site:
            pipeline = Pipeline(source, Tools(ffmpeg=ffmpeg or Ffmpeg()), options, name="test")
            pipeline.open()
            stack.push_async_callback(pipeline.close)
            endpoints = CameraEndpoints(pipeline, timing=timing, **{"title": "Test <camera>"} | more)
            session = ClientSession(connector=TCPConnector(force_close=True))
            site = Site(pipeline, endpoints, session, port=0)
            app = web.Application()
            app.router.add_route("*", SUB_PATH + "{path:.*}", site.handle)
            runner = await serve_application(app, "127.0.0.1", 0, ending=1, cancelling=False)
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(endpoints.close)
            await stack.enter_async_context(session)
            site.port = runner.addresses[0][1]
            return site

        yield begin
    await assert_nothing_left(*before)


@cache
def pictures() -> list[bytes]:
    """Return some pictures of 320x240 that differ."""
    data = jpegs(frames=5)
    return [b"\xff\xd8\xff" + picture for picture in data.split(b"\xff\xd8\xff")[1:]]


def pattern(**options: Any) -> TestPattern:
    """Return a small test pattern."""
    return TestPattern(**{"width": 320, "height": 240, "rate": 25} | options)
