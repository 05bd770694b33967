"""Paths, rights and nonsense."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings, strategies as st
import pytest

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.options import Options
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources import Tools
from custom_components.tripod.engine.viewers import Client
from custom_components.tripod.engine.web import CameraEndpoints, Scope
from tests.engine.web.conftest import Serve, pictures
from tests.engine.web.hand import Hand

STREAMS = ["", "stream.mjpg", "stream.ts", "stream.m3u8", "hls/some-session/stream.m3u8", "webcam/?action=stream"]
SNAPSHOTS = ["snapshot.jpg", "webcam?action=snapshot"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("webcam/?action=stream", "multipart/x-mixed-replace"),
        ("webcam?action=stream", "multipart/x-mixed-replace"),
        ("?action=stream", "multipart/x-mixed-replace"),
        ("webcam/?action=stream_0", "multipart/x-mixed-replace"),
        ("webcam/?action=stream/", "multipart/x-mixed-replace"),
        ("webcam/?action=stream&1763718000000", "multipart/x-mixed-replace"),
        ("webcam/?action=snapshot", "image/jpeg"),
        ("webcam?action=snapshot", "image/jpeg"),
        ("?action=snapshot", "image/jpeg"),
        ("webcam//?action=snapshot_0&n=17", "image/jpeg"),
    ],
)
async def test_the_forms_of_mjpg_streamer(serve: Serve, path: str, kind: str) -> None:
    site = await serve(source := Hand(every=60), options=Options(linger=0, stall_limit=9))
    asking = asyncio.create_task(site.session.get(site.url(path)))
    (await source.lead.wanted()).frame(pictures()[0])
    async with await asking as answer:
        assert answer.status == 200
        assert answer.content_type == kind


@pytest.mark.parametrize("path", ["webcam", "webcam/"])
async def test_webcam_alone_leads_to_the_player(serve: Serve, path: str) -> None:
    site = await serve(Hand())
    async with site.session.get(site.url(path)) as answer:
        assert str(answer.url) == site.url("")
        assert answer.content_type == "text/html"
    async with site.session.get(site.url(path), allow_redirects=False) as answer:
        assert answer.headers["Location"] in ("./", "../")


async def test_an_unknown_action_is_refused(serve: Serve) -> None:
    site = await serve(Hand())
    async with site.session.get(site.url("webcam/?action=command")) as answer:
        assert answer.status == 400
        assert "stream, snapshot" in (await answer.json())["message"]


@pytest.mark.parametrize(
    "path", ["nothing", "latest.jpg", "hls/", "hls/short/stream.m3u8", "../health", "health/", "x" * 900]
)
async def test_an_unknown_path_is_not_found(serve: Serve, path: str) -> None:
    site = await serve(Hand())
    async with site.session.get(site.url(quote(path, safe=""))) as answer:
        assert answer.status == 404
        assert (await answer.json())["cause"] == "invalid_request"


@pytest.mark.parametrize("path", ["health", "snapshot.jpg", "stream.mjpg"])
async def test_other_methods_are_not_allowed(serve: Serve, path: str) -> None:
    site = await serve(Hand())
    async with site.session.post(site.url(path)) as answer:
        assert answer.status == 405


async def test_a_link_does_what_its_scope_says_and_no_more(serve: Serve) -> None:
    site = await serve(source := Hand())
    for scope, forbidden in ((Scope.SNAPSHOT, STREAMS), (Scope.STREAM, SNAPSHOTS)):
        site.scope = frozenset({scope})
        for path in forbidden:
            async with site.session.get(site.url(path)) as answer:
                assert answer.status == 403, path
                assert (await answer.json())["cause"] == "out_of_scope"
    assert source.lead.captures == 0
    site.scope = frozenset()
    for path in ("health", "ready", "metrics"):
        async with site.session.get(site.url(path)) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    [
        "stream.mjpg?fps=0",
        "stream.mjpg?fps=fast",
        "stream.mjpg?fps=-1",
        "stream.mjpg?fps=nan",
        "stream.mjpg?fps=1e3",
        "stream.ts?pre_roll=-1",
        "stream.ts?pre_roll=inf",
        "snapshot.jpg?width=0",
        "snapshot.jpg?width=1.5",
        "snapshot.jpg?height=999999",
        "snapshot.jpg?crop=1:2:3",
        "snapshot.jpg?crop=0:9:0:0",
        "snapshot.jpg?crop=a:b:c:d",
        "snapshot.jpg?crop=1:1:0:0,drawtext=x",
        "snapshot.jpg?max_age=yesterday",
        "snapshot.jpg?after=later",
        "snapshot.jpg?wait=3600",
    ],
)
async def test_a_value_that_means_nothing_is_refused_in_a_sentence(serve: Serve, path: str) -> None:
    site = await serve(source := Hand())
    async with site.session.get(site.url(path)) as answer:
        assert answer.status == 400
        body = await answer.json()
        assert body["cause"] == "invalid_request"
        assert body["message"].startswith("The request is not valid: ")
    assert source.lead.captures == 0


QUERIES = st.dictionaries(
    st.sampled_from(["fps", "pre_roll", "width", "height", "crop", "max_age", "after", "wait", "action"])
    | st.text(max_size=9),
    st.text(max_size=20)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.lists(st.integers(0, 99999), min_size=4, max_size=4).map(lambda numbers: ":".join(map(str, numbers))),
    max_size=4,
)


@settings(max_examples=300)
@given(
    path=st.sampled_from([*STREAMS, *SNAPSHOTS, "health", "ready", "metrics", "webcam"]) | st.text(max_size=30),
    query=QUERIES,
)
def test_no_query_is_an_error_of_ours(path: str, query: dict[str, str]) -> None:
    async def ask() -> None:
        source = Hand()
        pipeline = Pipeline(source, Tools(ffmpeg=Ffmpeg()), Options(), stopped=True)
        endpoints = CameraEndpoints(pipeline, title="Test")
        text = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
        request = make_mocked_request("HEAD", f"/?{text}")
        path_alone, _, _ = path.partition("?")
        response = await endpoints.handle(request, path_alone, Client("id", "Test"))
        assert response.status in (200, 302, 400, 404, 503)
        await endpoints.close()
        await pipeline.close()

    asyncio.run(ask())


async def test_a_closed_camera_sends_everybody_away(serve: Serve) -> None:
    site = await serve(source := Hand())
    async with site.multipart() as stream:
        (await source.lead.wanted()).frame(pictures()[0])
        await stream.part()
        await site.endpoints.close()
        assert len(site.pipeline.viewers) == 0
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await stream.absence()
