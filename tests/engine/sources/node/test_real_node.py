"""A node as it is shipped: a process of its own, on the distribution's Python and aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
import time

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.mpegts import Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Medium, NodeSource, settle
from custom_components.tripod.engine.sources.node import NodeAccess, NodeClient, Step, diagnose
from custom_components.tripod.engine.status import State
from tests.engine.capture import TOOLS
from tests.engine.test_pipeline import Soon, in_state, until
from tests.node_process import ONE_CAMERA, free_port, node_process

TWO_CAMERAS = f"""
{ONE_CAMERA}
[[camera]]
id = "gone"
[camera.source]
kind = "url"
url = "http://127.0.0.1:1/stream.mjpg"
delivery = "frames"
"""


@asynccontextmanager
async def pipeline(source: NodeSource) -> AsyncIterator[Pipeline]:
    camera = Pipeline(source, TOOLS, Options(linger=0), backoff=Soon())
    camera.open()
    try:
        async with asyncio.timeout(40):
            yield camera
    finally:
        await camera.close()


def reading(camera: Pipeline, times: list[int]) -> Callable[[int], Awaitable[None]]:
    """Return what reads so many more frames of one consumer that never leaves."""
    parser, packets = Parser(), camera.packet_feed.reader()

    async def read(count: int) -> None:
        until_then = len(times) + count
        while len(times) < until_then:
            times.extend(chunk.pts for chunk in parser.feed(await anext(packets)) if chunk.pts is not None)

    return read


async def test_a_camera_of_a_real_node(tmp_path: Path) -> None:
    port = free_port()
    listen = {"TRIPOD_LISTEN": f"127.0.0.1:{port}"}
    times: list[int] = []
    with node_process(tmp_path, TWO_CAMERAS, **listen) as node:
        async with NodeClient(NodeAccess(url=node.url)) as client:
            token, facts = await client.pair(node.code, "Test")
        assert [camera.id for camera in facts.cameras] == ["door", "gone"]
        source = NodeSource(url=node.url, camera="door", token=token, node=facts.id)
        assert (await diagnose(source, "door")).passed == (Step.DNS, Step.TCP, Step.NODE, Step.TOKEN, Step.CAMERA)

        found = await source.probe(TOOLS)
        settled = settle(source, found)
        assert isinstance(settled, NodeSource)
        assert (found.codec, found.width, found.height) == ("h264", 320, 240)
        assert settled.delivers == {Medium.PACKETS}, "what it has without transcoding"
        await is_away(source, token)
        await is_revoked(source)

    async with pipeline(source) as camera, camera.packets(), camera.frames() as frames:
        with node_process(tmp_path, TWO_CAMERAS, **listen) as node:
            read = reading(camera, times)
            await read(15)
            began = time.time()
            assert 0 <= began - (await anext(frames)).captured_at < 5
            node.process.kill()
            await until(camera, in_state(camera, State.RETRYING))
        with node_process(tmp_path, TWO_CAMERAS, **listen) as node:
            await until(camera, in_state(camera, State.STREAMING))
            await read(15)
            await is_stopped_there(camera, source)
            await read(15)
    assert all(before < after for before, after in pairwise(times)), "time never goes back"


async def is_away(source: NodeSource, token: str) -> None:
    """See why a camera of the node is away."""
    gone = NodeSource(url=source.url, camera="gone", token=token, node=source.node, packets=False)
    async with pipeline(gone) as camera, camera.frames():
        await until(camera, in_state(camera, State.RETRYING))
        assert isinstance(camera.error, errors.Refused)
        assert camera.error.placeholders["detail"] == "127.0.0.1"


async def is_revoked(source: NodeSource) -> None:
    stranger = NodeSource(url=source.url, camera="door", token="x" * 43, node=source.node)
    assert isinstance((await diagnose(stranger, "door")).error, errors.Unpaired)


async def is_stopped_there(camera: Pipeline, source: NodeSource) -> None:
    """Stop the camera on its node: only a user's start, there or here, lets it run again."""
    async with NodeClient(source) as client:
        assert await client.stop("door")
        await until(camera, in_state(camera, State.RETRYING))
        assert isinstance(camera.error, errors.Stopped)
        assert not await client.stop("door"), "it is"
    camera.start()
    await until(camera, in_state(camera, State.STREAMING))
