"""A base address leads to the pictures behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.errors import Refused, Unauthorized
from custom_components.tripod.engine.jpeg import JpegSplitter
from custom_components.tripod.engine.sources import MotionInOcean, UrlSource
from custom_components.tripod.engine.sources.recognise import is_base, recognise
from tests.servers.start import Server

from .capture import TOOLS, capturing
from .media import jpegs
from .recorded_node import RecordedNode, serving
from .test_motion_in_ocean import RECORDED

WEBCAMS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "recorded" / "webcams.json").read_text()
)


@pytest.mark.parametrize(
    ("program", "streams", "name", "found"),
    [
        ("ustreamer", ["/stream", "/?action=stream"], "µStreamer", "stream"),
        ("camera-streamer", ["/stream", "/?action=stream"], "camera-streamer", "stream"),
        ("mjpg-streamer", ["/?action=stream"], "mjpg-streamer", "?action=stream"),
        ("spyglass", ["/stream"], "spyglass", "stream"),
        ("octoprint", ["/webcam/?action=stream"], "OctoPrint's webcam", "webcam/?action=stream"),
    ],
)
async def test_a_program_is_found_and_its_pictures_come(
    program: str, streams: list[str], name: str, found: str
) -> None:
    async with serving(RecordedNode(WEBCAMS[program], JpegSplitter().feed(jpegs(frames=3)), *streams)) as webcam:
        recognised = await recognise(UrlSource(url=webcam.url, username="keeper"), TOOLS.resolve)
        assert recognised
        assert recognised.program == name
        assert recognised.source == UrlSource(url=f"{webcam.url}/{found}", username="keeper", delivery="frames")
        async with capturing(recognised.source) as capture:
            await capture.until(lambda sink: len(sink.pictures) > 3)


async def test_below_a_folder_as_behind_a_proxy() -> None:
    pictures = JpegSplitter().feed(jpegs(frames=3))
    async with serving(RecordedNode({}, pictures, "/webcam/?action=stream")) as webcam:
        recognised = await recognise(UrlSource(url=f"{webcam.url}/webcam/"), TOOLS.resolve)
    assert recognised
    assert recognised.source.address == f"{webcam.url}/webcam/?action=stream"


@pytest.mark.parametrize("scene", ["camera", "token"])
async def test_motion_in_ocean_is_a_kind_of_its_own(scene: str) -> None:
    async with serving(RecordedNode(RECORDED[scene], [], "/stream.mjpg")) as node:
        recognised = await recognise(UrlSource(url=node.url, password="hush"), TOOLS.resolve)
    assert recognised
    assert recognised.source == MotionInOcean(url=node.url, token="hush")


async def test_pictures_right_there_and_nothing_known_are_left_as_they_are() -> None:
    pictures = JpegSplitter().feed(jpegs(frames=3))
    async with serving(RecordedNode({}, pictures, "/")) as webcam:
        assert await recognise(UrlSource(url=webcam.url), TOOLS.resolve) is None
        webcam.streams = ()
        assert await recognise(UrlSource(url=webcam.url), TOOLS.resolve) is None


async def test_what_keeps_the_host_from_being_asked_is_raised(http_camera: Server, unused_tcp_port: int) -> None:
    with pytest.raises(Unauthorized):
        await recognise(UrlSource(url=http_camera.url("basic/")), TOOLS.resolve)
    with pytest.raises(Refused):
        await recognise(UrlSource(url=f"http://127.0.0.1:{unused_tcp_port}"), TOOLS.resolve)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://pi", True),
        ("https://pi:8080/", True),
        ("http://pi/webcam/", True),
        ("http://pi/stream.mjpg", False),
        ("http://pi/?action=stream", False),
        ("rtsp://pi", False),
    ],
)
def test_what_a_base_address_is(url: str, base: bool) -> None:  # noqa: FBT001 - a table of cases
    assert is_base(UrlSource(url=url)) is base
