"""A camera of a node: the engine on both sides, and a real connection between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
import time

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.mpegts import Parser
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Medium, NodeSource, TestPattern, load, settle
from custom_components.tripod.engine.status import State
from tests.engine.capture import TOOLS, Collector, capturing
from tests.engine.test_pipeline import Soon, in_state, until

from .small_node import STILL, TOKEN, small_node


@asynccontextmanager
async def pipeline(source: NodeSource, linger: float = 30) -> AsyncIterator[Pipeline]:
    camera = Pipeline(source, TOOLS, Options(linger=linger), backoff=Soon())
    camera.open()
    try:
        async with asyncio.timeout(30):
            yield camera
    finally:
        await camera.close()


async def test_both_media_come_as_the_node_has_them() -> None:
    async with small_node() as node, node.pipeline.packets() as reader:
        assert await anext(reader)
        await asyncio.sleep(0.5)
        began = time.time()
        async with capturing(node.source(), timestamp_offset=1000.0) as capture:
            sink = await capture.until(lambda sink: len(sink.pictures) >= 3 and len(sink.frames) >= 10)
            assert sink.frames[0].key
            assert 0 <= (sink.frames[0].pts or 0) - 1000 * 90_000 < 2 * 90_000
            assert all(0 < (after.pts or 0) - (before.pts or 0) < 9000 for before, after in pairwise(sink.frames))
            assert len(set(sink.pictures)) == len(sink.pictures), "each picture comes once"
            assert all(dimensions(picture) == (320, 240) for picture in sink.pictures)
            assert all(began - 5 < (at or 0) <= time.time() for at in sink.captured_at)


async def test_the_clock_of_the_node_need_not_be_right() -> None:
    async with small_node(clock=lambda: time.time() - 86_000) as node:
        began = time.time()
        async with capturing(node.source(packets=False)) as capture:
            sink = await capture.until(lambda sink: len(sink.pictures) >= 2)
            assert all(began <= (at or 0) <= time.time() for at in sink.captured_at)


async def test_only_what_is_wanted_is_asked_of_the_node() -> None:
    async with small_node() as node, pipeline(node.source(), linger=0.0) as camera:
        assert node.asked == []
        async with camera.packets() as packets:
            assert await anext(packets)
            assert not any("stream.mjpg" in asked for asked in node.asked)
            async with camera.frames() as frames:
                assert (await anext(frames)).data
            assert sum("stream.mjpg" in asked for asked in node.asked) == 1
        await camera._media[Medium.FRAMES].cancel()  # what lingers
        await camera._media[Medium.PACKETS].cancel()
        await until(camera, in_state(camera, State.IDLE))
        async with asyncio.timeout(10):
            while len(node.pipeline.viewers):  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.05)
        asked = len(node.asked)
        await asyncio.sleep(0.5)
        assert len(node.asked) == asked


@pytest.mark.parametrize("media", [{"packets": False}, {"frames": False}])
async def test_the_other_medium_is_made_here(media: dict[str, bool]) -> None:
    async with (
        small_node() as node,
        pipeline(node.source(**media)) as camera,
        camera.frames() as frames,
        camera.packets() as packets,
    ):
        assert (await anext(frames)).data
        assert await anext(packets)
        assert len({asked for asked in node.asked if "stream." in asked}) == 1


async def test_nobody_wants_a_picture_for_a_while() -> None:
    async with small_node() as node:
        source = node.source()
        sink = Collector()
        sink.wanted.discard(Medium.FRAMES)
        sink.wanted.discard(Medium.PACKETS)
        capture = asyncio.create_task(source.capture(TOOLS, sink))
        async with asyncio.timeout(20):
            await sink.until(lambda: sink.unchanged >= 1)
            assert not any("stream" in asked for asked in node.asked)
            sink.wanted.add(Medium.PACKETS)
            await sink.until(lambda: len(sink.frames) > 5)
            before = sink.frames[-1].pts or 0
            sink.wanted.discard(Medium.PACKETS)
            await sink.until(lambda: sink.unchanged >= 2)
            sink.parser, sink.chunks = Parser(), []
            sink.wanted.add(Medium.PACKETS)
            await sink.until(lambda: len(sink.frames) > 5)
            assert (sink.frames[0].pts or 0) > before, "time never goes back"
        capture.cancel()
        await asyncio.wait([capture])


async def test_time_goes_on_over_a_restart_of_the_node() -> None:
    async with (
        asyncio.timeout(60),
        small_node() as node,
        pipeline(node.source()) as camera,
        camera.packets() as packets,
    ):
        parser, times = Parser(), list[int]()

        async def read(count: int) -> None:
            until_then = len(times) + count
            while len(times) < until_then:
                times.extend(chunk.pts for chunk in parser.feed(await anext(packets)) if chunk.pts is not None)

        for _ in range(2):
            await read(20)
            node.endpoints.disconnect("id")
            await until(camera, in_state(camera, State.RETRYING))
            await until(camera, in_state(camera, State.STREAMING))
        await read(20)
        assert all(before < after for before, after in pairwise(times))


async def test_a_node_that_is_gone_and_comes_back() -> None:
    async with small_node() as first:
        port, source = first.port, first.source()
    async with pipeline(source) as camera, camera.frames() as frames:
        await until(camera, in_state(camera, State.RETRYING))
        assert isinstance(camera.error, errors.Refused)
        async with small_node(port=port):
            await until(camera, in_state(camera, State.STREAMING))
            assert (await anext(frames)).data
        await until(camera, in_state(camera, State.RETRYING))


async def test_what_keeps_the_nodes_camera_away_is_said() -> None:
    class Unplugged(TestPattern):
        async def capture(self, _tools: object, _sink: object) -> None:
            raise errors.DeviceHeld(device="/dev/video0", holder="motion (pid 7)")

    async with small_node(Unplugged(width=320, height=240)) as node:
        for media in ({"packets": False}, {"frames": False}):
            async with capturing(node.source(**media)) as capture:
                error = await capture.end()
            assert isinstance(error, errors.DeviceHeld)
            assert str(error) == "The device /dev/video0 is in use by motion (pid 7)"


@pytest.mark.parametrize("media", [{"packets": False}, {"frames": False}])
async def test_a_camera_that_was_stopped_on_its_node(media: dict[str, bool]) -> None:
    async with small_node(stopped=True) as node:
        async with capturing(node.source(**media)) as capture:
            assert isinstance(await capture.end(), errors.Stopped)
        assert node.pipeline.state is State.STOPPED


async def test_a_still_and_the_controls() -> None:
    async with small_node() as node:
        async with pipeline(node.source(has_still=True, adjustable=True)) as camera:
            assert await camera.still() == STILL
            assert camera.controls
            assert "brightness" in camera.controls.current
        assert not any(asked.startswith("PATCH") for asked in node.asked)


async def test_a_look_learns_what_the_node_has() -> None:
    async with small_node() as node:
        source = node.source(frames=False, packets=True, chief="frames")
        found = await source.probe(TOOLS)
        assert (found.codec, found.width, found.height) == ("h264", 320, 240)
        assert found.picture
        settled = settle(source, found)
        assert isinstance(settled, NodeSource)
        assert (settled.delivers, settled.native) == (frozenset({Medium.PACKETS}), Medium.PACKETS)
        assert (settled.adjustable, settled.has_still) == (True, True)
        assert load(settled.as_dict()) == settled
        assert TOKEN not in repr(settled)


async def test_a_token_that_was_revoked() -> None:
    async with small_node() as node:
        source = node.source()
        node.token = "another"
        async with capturing(source) as capture:
            assert isinstance(await capture.end(), errors.Unpaired)
        assert node.credentials == [], "the token is for whom knows it"


async def test_another_node_under_the_address_is_not_told_the_token() -> None:
    async with small_node(id="f" * 32) as node:
        async with capturing(node.source(node="e" * 32)) as capture:
            assert isinstance(await capture.end(), errors.NotANode)
        assert node.credentials == []


async def test_a_camera_that_the_node_does_not_have() -> None:
    async with small_node() as node, capturing(node.source(camera="attic")) as capture:
        error = await capture.end()
    assert isinstance(error, errors.NoSuchCamera)
    assert "attic" in str(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "rtsp://pi:8089"},
        {"url": "http://pi:8089?x=1"},
        {"url": "http://user@pi:8089"},
        {"camera": "../other"},
        {"camera": ""},
        {"frames": False, "packets": False},
        {"chief": "sound"},
        {"node": "x"},
        {"token": "two words"},
        {"fingerprint": "abc"},
        {"client_key": "key.pem"},
        {"picture_interval": -1.0},
    ],
)
def test_what_is_no_camera_of_a_node(fields: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidSource):
        load({"kind": "node", "url": "http://pi:8089", "camera": "bench"} | fields)


def test_a_path_of_a_reverse_proxy_and_a_fingerprint_as_people_paste_it() -> None:
    source = NodeSource(url="https://pi/node/", camera="a", fingerprint=":".join(["AB"] * 32))
    assert (source.url, source.fingerprint) == ("https://pi/node", "ab" * 32)
    assert source.address == "https://pi/node/cameras/a"
