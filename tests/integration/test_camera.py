"""The camera entity: stills, moving JPEGs, and the streams that core makes of it."""

import asyncio
import importlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import ClientResponse
from homeassistant.components.camera import (
    CameraEntityFeature,
    async_get_image,
    async_get_stream_source,
    async_request_stream,
    get_camera_from_entity_id,
)
from homeassistant.components.stream import Stream
from homeassistant.components.stream.const import HLS_PROVIDER
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator
from yarl import URL

from custom_components import tripod
from custom_components.tripod import dashboard_hls, ring_stream
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.status import State

from .conftest import JPEG_PATTERN, PATTERN, Client, SetUp, children, streaming

CAMERA = "camera.yard"


@pytest.mark.parametrize("data", [PATTERN, JPEG_PATTERN])
async def test_a_still_is_the_newest_frame(hass: HomeAssistant, set_up: SetUp, data: dict[str, Any]) -> None:
    entry = await set_up(data)
    image = await async_get_image(hass, CAMERA)
    assert dimensions(image.content) == (320, 240)
    assert image.content == entry.runtime_data.pipeline.frame_feed.latest.data


async def test_a_stopped_camera_gives_no_still_and_says_why(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    await entry.runtime_data.pipeline.stop()
    with pytest.raises(HomeAssistantError, match="The camera is stopped") as caught:
        await async_get_image(hass, CAMERA)
    assert caught.value.translation_key == "stopped"
    assert hass.states.get(CAMERA).state == "idle"


async def test_moving_jpegs_come_from_the_feed(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    await set_up(JPEG_PATTERN)
    client: Client = await hass_client()
    response = await client.get(f"/api/camera_proxy_stream/{CAMERA}")
    assert response.status == 200
    assert response.content_type == "multipart/x-mixed-replace"
    body = await response.content.readexactly(60_000)
    assert body.count(b"\xff\xd8\xff") > 2
    assert len(children()) == 1
    response.close()


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (PATTERN, {}, True),
        (JPEG_PATTERN, {}, False),
        ({**PATTERN, "codec": "hevc"}, {}, False),
        (PATTERN, {"dashboard_video": "off"}, False),
        (JPEG_PATTERN, {"dashboard_video": "on"}, True),
    ],
)
async def test_dashboards_get_video_where_it_costs_nothing_or_is_wanted(
    hass: HomeAssistant,
    set_up: SetUp,
    data: dict[str, Any],
    options: dict[str, Any],
    expected: bool,  # noqa: FBT001
) -> None:
    await set_up(data, **options)
    features = hass.states.get(CAMERA).attributes["supported_features"]
    assert bool(features & CameraEntityFeature.STREAM) is expected


async def test_a_new_entity_id_restarts_nothing(
    hass: HomeAssistant, set_up: SetUp, entity_registry: er.EntityRegistry
) -> None:
    entry = await set_up()
    async with streaming(entry) as pipeline:
        workers = children()
        entity_registry.async_update_entity(CAMERA, new_entity_id="camera.garden")
        await hass.async_block_till_done()
        assert hass.states.get("camera.garden").state == "streaming"
        assert children() == workers != set()
        assert pipeline.state is State.STREAMING


async def test_dashboard_hls_comes_from_the_ring(
    hass: HomeAssistant, set_up: SetUp, hass_client_no_auth: ClientSessionGenerator
) -> None:
    entry = await set_up()
    url = await async_request_stream(hass, CAMERA, "hls")
    assert url.startswith("/api/tripod/hls/")
    client: Client = await hass_client_no_auth()
    master = await client.get(url, headers={"Origin": "http://elsewhere"})
    assert master.status == 200
    assert master.headers["Access-Control-Allow-Origin"] in ("*", "http://elsewhere")
    text = await master.text()
    assert 'CODECS="avc1.' in text
    media = await client.get(_last_line(master, text))
    segment = await client.get(_last_line(media, await media.text()))
    data = await segment.read()
    assert data[0] == 0x47
    assert len(data) % 188 == 0
    camera = get_camera_from_entity_id(hass, CAMERA)
    assert camera.stream._thread is None, "core's worker runs only for core's own outputs"
    assert {viewer.client.name for viewer in entry.runtime_data.pipeline.viewers.present} == {"Dashboard"}


async def test_an_idle_dashboard_lets_the_camera_and_the_token_go(
    hass: HomeAssistant, set_up: SetUp, hass_client_no_auth: ClientSessionGenerator
) -> None:
    await set_up(linger=0)
    url = await async_request_stream(hass, CAMERA, "hls")
    client: Client = await hass_client_no_auth()
    assert (await client.get(url)).status == 200
    stream = get_camera_from_entity_id(hass, CAMERA).stream
    await stream._on_idle()
    assert (await client.get(url)).status == 404
    assert await async_request_stream(hass, CAMERA, "hls") != url


async def test_a_preloaded_dashboard_stays(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    url = await async_request_stream(hass, CAMERA, "hls")
    stream = get_camera_from_entity_id(hass, CAMERA).stream
    stream.dynamic_stream_settings.preload_stream = True
    await stream._on_idle()
    assert stream.endpoint_url(HLS_PROVIDER) == url


async def test_core_gets_its_own_hls_where_it_is_built_in_another_way(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up()
    await set_up(title="Door")

    def changed(self: Stream, fmt: str) -> None:
        """Stand for a method whose parameters changed."""

    with patch.object(Stream, "add_provider", changed):
        for camera in (CAMERA, "camera.door"):
            assert type(await get_camera_from_entity_id(hass, camera).async_create_stream()) is Stream
    assert caplog.text.count("Home Assistant's streams have changed") == 1


def test_without_the_parts_it_is_built_on_the_ring_is_left_out() -> None:
    try:
        with patch.dict("sys.modules", {"custom_components.tripod.ring_stream": None}):
            del tripod.ring_stream
            assert importlib.reload(dashboard_hls).ring_stream is None
    finally:
        tripod.ring_stream = ring_stream
        assert importlib.reload(dashboard_hls).ring_stream is ring_stream


async def test_a_stream_that_is_not_started_has_no_address(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    stream = await get_camera_from_entity_id(hass, CAMERA).async_create_stream()
    for output in (HLS_PROVIDER, "recorder"):
        with pytest.raises(ValueError, match="not"):
            stream.endpoint_url(output)


def test_core_is_as_expected() -> None:
    assert ring_stream.core_is_as_expected()
    with patch.dict(ring_stream._EXPECTED, {"Stream.no_such_method": ("self",)}):
        assert not ring_stream.core_is_as_expected()


async def test_h265_keeps_cores_hls_that_packs_it_for_browsers(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up({**PATTERN, "codec": "hevc"}, dashboard_video="on")
    assert type(await get_camera_from_entity_id(hass, CAMERA).async_create_stream()) is Stream


async def test_core_plays_the_stream_source(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    assert entry.runtime_data.pipeline.state is State.IDLE, "asking for the source starts nothing"
    url = await async_get_stream_source(hass, CAMERA)
    assert url.startswith("http://127.0.0.1:")
    camera = get_camera_from_entity_id(hass, CAMERA)
    stream = await camera.async_create_stream()
    output = Stream.add_provider(stream, HLS_PROVIDER)
    await stream.start()
    assert await output.part_recv(timeout=20)
    assert stream.get_diagnostics()["video_codec"] == "h264"


async def test_core_records(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up()
    await hass.async_add_executor_job(lambda: media.mkdir(exist_ok=True))
    target = media / "clip.mp4"
    async with asyncio.timeout(40):
        await hass.services.async_call(
            "camera", "record", {"entity_id": CAMERA, "filename": str(target), "duration": 2}, blocking=True
        )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert target.stat().st_size > 10_000


async def test_core_decodes_a_still_from_the_stream(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    stream = await get_camera_from_entity_id(hass, CAMERA).async_create_stream()
    async with asyncio.timeout(30):
        await stream.async_get_image(wait_for_next_keyframe=True)
    assert HLS_PROVIDER in stream.outputs(), "it took core's own output"


async def test_the_loopback_listener_keeps_strangers_out(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    url = await async_get_stream_source(hass, CAMERA)
    session = async_get_clientsession(hass)
    assert (await session.get(url.replace("auth=", "auth=x"))).status == 403
    assert (await session.get(url.split("?")[0])).status == 403
    assert (await session.get(url.replace(entry.entry_id, "nobody"))).status == 404
    await entry.runtime_data.pipeline.stop()
    assert (await session.get(url)).status == 503


async def test_the_loopback_connection_outlives_the_worker(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    url = await async_get_stream_source(hass, CAMERA)
    async with asyncio.timeout(20), async_get_clientsession(hass).get(url) as response:
        await response.content.readexactly(18_800)
        await entry.runtime_data.pipeline.restart()
        assert (await response.content.readexactly(188 * 1000))[0] == 0x47


async def test_websocket_tells_how_to_show_the_camera(
    hass: HomeAssistant, set_up: SetUp, hass_ws_client: WebSocketGenerator
) -> None:
    await async_setup_component(hass, "websocket_api", {})
    await set_up()
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "camera/capabilities", "entity_id": CAMERA})
    assert (await client.receive_json())["result"]["frontend_stream_types"] == ["hls"]


def _last_line(playlist: ClientResponse, text: str) -> str:
    return playlist.url.join(URL(text.strip().splitlines()[-1])).path
