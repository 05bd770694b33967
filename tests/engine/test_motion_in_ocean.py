"""motion-in-ocean's nodes: pictures of a camera pass, drawn ones never do. The answers are recorded ones."""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine import errors
from custom_components.tripod.engine.jpeg import JpegSplitter
from custom_components.tripod.engine.sources import Medium, MotionInOcean, load, motion_in_ocean

from .capture import TOOLS, capturing
from .media import jpegs
from .recorded_node import RecordedNode, serving

RECORDED: dict[str, dict[str, dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "recorded" / "motion_in_ocean.json").read_text()
)["answers"]

STREAM = "/stream.mjpg"


def node(scene: str, pictures: int = 5, **other: Mapping[str, Any]) -> RecordedNode:
    answers = {**RECORDED[scene], **{f"/{path}": said for path, said in other.items()}}
    return RecordedNode(answers, JpegSplitter().feed(jpegs(frames=pictures)), STREAM)


async def test_pictures_come_untouched_and_the_token_goes_with_each_request() -> None:
    async with serving(node("camera")) as camera:
        source = MotionInOcean(url=f"{camera.url}/", token="hush")
        async with capturing(source) as capture:
            sink = await capture.until(lambda sink: len(sink.pictures) > 10)
        found = await source.probe(TOOLS)
    assert set(sink.pictures) <= set(camera.pictures)
    assert (found.medium, found.codec, found.width) == (Medium.FRAMES, "mjpeg", 320)
    assert {sent for _, sent in camera.asked} == {"Bearer hush"}
    assert "hush" not in repr(source)
    assert load(source.as_dict()) == source


@pytest.mark.parametrize(
    ("scene", "error", "said"),
    [
        ("mock", errors.MockPicture, "mock camera"),
        ("drawn without a camera", errors.MockPicture, "No cameras detected"),
        ("no camera", errors.SourceFailed, "No cameras detected"),
        ("hub", errors.SourceFailed, "hub"),
        ("token", errors.Unauthorized, "401"),
    ],
)
async def test_what_is_no_camera_says_why(scene: str, error: type[Exception], said: str) -> None:
    async with serving(node(scene)) as camera, capturing(MotionInOcean(url=camera.url)) as capture:
        ended = await capture.end()
    assert isinstance(ended, error)
    assert said in str(ended)
    assert not capture.sink.pictures


async def test_a_drawn_picture_is_known_by_itself() -> None:
    """Versions that call themselves ready, and say nothing of it anywhere."""
    async with serving(node("camera", pictures=1)) as camera, capturing(MotionInOcean(url=camera.url)) as capture:
        assert isinstance(await capture.end(), errors.MockPicture)
    assert not capture.sink.pictures


async def test_its_limit_of_viewers_is_named() -> None:
    full = RECORDED["limit of viewers"]
    async with serving(node("camera")) as camera:
        camera.answers.update(full)
        async with capturing(MotionInOcean(url=camera.url)) as capture:
            ended = await capture.end()
    assert isinstance(ended, errors.TooManyViewers)
    assert ended.placeholders["limit"] == "1"


async def test_a_limit_of_requests_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_in_ocean, "WATCH", 0.1)
    busy = RECORDED["limit of requests"]["/health"]
    async with serving(node("camera", ready=busy)) as camera:
        camera.answers["/api/status"] = busy
        async with capturing(MotionInOcean(url=camera.url)) as capture:
            await capture.until(lambda sink: len(sink.pictures) > 50 and _asked(camera, "/ready") > 2)


async def test_a_node_that_stops_being_ready_ends_the_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_in_ocean, "WATCH", 0.1)
    async with serving(node("camera")) as camera, capturing(MotionInOcean(url=camera.url)) as capture:
        await capture.until(lambda sink: len(sink.pictures) > 5)
        camera.answers.update(RECORDED["no camera"])
        ended = await capture.end()
    assert isinstance(ended, errors.SourceFailed)
    assert "No cameras detected" in str(ended)


@pytest.mark.parametrize("body", ["<html>", "[]", '{"other": 1}', "x" * 100_000])
async def test_what_is_no_such_node_is_refused(body: str) -> None:
    answers = {"/api/status": {"status": 200, "type": "text/html", "body": body}}
    async with serving(RecordedNode(answers, [])) as camera, capturing(MotionInOcean(url=camera.url)) as capture:
        assert isinstance(await capture.end(), errors.SourceFailed)


@pytest.mark.parametrize(
    "fields", [{"url": "rtsp://a"}, {"url": "http://u:p@a"}, {"url": "http://a?x=1"}, {"url": "http://a", "token": "é"}]
)
def test_what_is_no_base_address_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidSource):
        MotionInOcean(**fields)


def _asked(camera: RecordedNode, path: str) -> int:
    return [asked for asked, _ in camera.asked].count(path)
