"""Links: what their keys open, for how long, and what ends when they are revoked."""

import asyncio
from datetime import datetime, timedelta
import gc
import tracemalloc
from unittest.mock import patch

from aiohttp import ClientResponse
from homeassistant.components.http.ban import KEY_FAILED_LOGIN_ATTEMPTS
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.tripod.const import DOMAIN, SUBENTRY_LINK
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.link_flow import urls
from custom_components.tripod.links import _end_of, new_key
from custom_components.tripod.shared import SHARED

from .conftest import JPEG_PATTERN, KEY, PATTERN, Client, SetUp, act, children, link, streaming

BASE = f"/api/tripod/{KEY}"


@pytest.fixture
async def client(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """Return a client that Home Assistant does not know."""
    for component in ("camera", "image", DOMAIN):  # their addresses must be there before the test server starts
        assert await async_setup_component(hass, component, {})
    client: Client = await hass_client_no_auth()
    return client


def _link_id(entry: MockConfigEntry) -> str:
    return entry.get_subentries_of_type(SUBENTRY_LINK)[0].subentry_id


async def _watch(client: Client) -> ClientResponse:
    response = await client.get(f"{BASE}/stream.mjpg")
    assert response.status == 200
    await response.content.readuntil(b"\xff\xd9")
    return response


async def _ended(response: ClientResponse) -> bool:
    """Read on until the connection ends; False if it does not within ten seconds."""
    try:
        async with asyncio.timeout(10):
            while await response.content.readany():
                pass
    except TimeoutError:
        return False
    except Exception:  # noqa: BLE001 - however aiohttp calls a broken connection
        return True
    return True


async def test_a_key_opens_the_camera_and_notes_its_use(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    picture = await client.get(f"{BASE}/snapshot.jpg")
    assert picture.status == 200
    assert dimensions(await picture.read()) == (320, 240)
    used = hass.data[SHARED].storage.used(_link_id(entry))
    assert dt_util.utcnow() - used < timedelta(seconds=10)


async def test_a_key_never_reaches_the_log(set_up: SetUp, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    await set_up(JPEG_PATTERN, link())
    assert (await client.get(f"{BASE}/snapshot.jpg")).status == 200
    assert KEY not in "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")


async def test_all_addresses_that_the_dialog_shows_answer(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    await set_up(PATTERN, link())
    await act(hass, "snapshot")
    for name, url in urls(hass, KEY).items():
        response = await client.get(URL(url).path_qs)
        assert response.status == 200, name
        response.close()


async def test_without_the_slash_the_page_is_found_all_the_same(set_up: SetUp, client: Client) -> None:
    await set_up(PATTERN, link())
    response = await client.get(BASE, allow_redirects=False)
    assert response.status == 302
    assert response.headers["Location"] == f"{KEY}/"
    with_query = await client.get(f"{BASE}?action=stream", allow_redirects=False)
    assert with_query.headers["Location"] == f"{KEY}/?action=stream"


async def test_scope_decides_what_opens(set_up: SetUp, client: Client) -> None:
    await set_up(JPEG_PATTERN, link(scopes=["snapshot"]))
    assert (await client.get(f"{BASE}/stream.mjpg")).status == 403
    assert (await client.get(f"{BASE}/snapshot.jpg")).status == 200


async def test_the_end_of_a_link_cuts_its_viewers(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    end = dt_util.utcnow() + timedelta(seconds=2)
    with patch("custom_components.tripod.links._end_of", return_value=end):
        await set_up(JPEG_PATTERN, link(expires="2099-12-31"))
    watching = await _watch(client)
    assert await _ended(watching)
    assert dt_util.utcnow() >= end
    expired = await client.get(f"{BASE}/health")
    assert expired.status == 403
    assert "expired" in await expired.text()


async def test_a_link_works_on_its_last_day(set_up: SetUp, client: Client) -> None:
    today = dt_util.now().date()
    await set_up(JPEG_PATTERN, link(expires=today.isoformat()))
    assert (await client.get(f"{BASE}/health")).status == 200
    assert _end_of({"expires": "2026-11-21"}) == datetime(2026, 11, 22, tzinfo=dt_util.get_default_time_zone())


async def test_a_link_that_expired_long_ago_stays_shut(set_up: SetUp, client: Client) -> None:
    await set_up(PATTERN, link(expires="2020-01-31"))
    assert (await client.get(f"{BASE}/health")).status == 403


async def test_revoking_cuts_its_viewers_at_once_and_nobody_else(
    hass: HomeAssistant, set_up: SetUp, client: Client
) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    async with streaming(entry) as pipeline:
        watching = await _watch(client)
        await hass.async_block_till_done(wait_background_tasks=True)  # the encoders are tried
        workers = children()
        hass.config_entries.async_remove_subentry(entry, _link_id(entry))
        assert await _ended(watching)
        assert (await client.get(f"{BASE}/health")).status == 404
        assert entry.runtime_data.pipeline is pipeline
        assert children() == workers != set()
        assert hass.data[SHARED].storage._used == {}


async def test_a_new_key_shuts_the_old_one_out(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    watching = await _watch(client)
    subentry = entry.get_subentries_of_type(SUBENTRY_LINK)[0]
    key = new_key()
    hass.config_entries.async_update_subentry(entry, subentry, data={**subentry.data, "key": key})
    assert await _ended(watching)
    assert (await client.get(f"{BASE}/health")).status == 404
    assert (await client.get(f"/api/tripod/{key}/health")).status == 200


async def test_another_name_or_limit_leaves_viewers_watching(
    hass: HomeAssistant, set_up: SetUp, client: Client
) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    watching = await _watch(client)
    subentry = entry.get_subentries_of_type(SUBENTRY_LINK)[0]
    hass.config_entries.async_update_subentry(entry, subentry, title="TV", data={**subentry.data, "limit": 1})
    await watching.content.readexactly(40_000)
    refused = await client.get(f"{BASE}/stream.mjpg")
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    watching.close()


async def test_adding_a_link_does_not_touch_the_camera(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    entry = await set_up(JPEG_PATTERN)
    async with streaming(entry) as pipeline:
        workers = children()
        hass.config_entries.async_add_subentry(entry, ConfigSubentry(**{**link(), "data": link()["data"]}))
        await hass.async_block_till_done()
        assert (await client.get(f"{BASE}/health")).status == 200
        assert entry.runtime_data.pipeline is pipeline
        assert pipeline.status.restarts == 0
        assert workers & children(), "an encoder that is tried in the background may come or go meanwhile"


async def test_options_change_without_losing_links(hass: HomeAssistant, set_up: SetUp, client: Client) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    hass.config_entries.async_update_entry(entry, options={"linger": 7})
    await hass.async_block_till_done()
    assert entry.runtime_data.pipeline.options.linger == 7
    assert (await client.get(f"{BASE}/snapshot.jpg")).status == 200


async def test_while_the_camera_is_away_a_link_is_asked_to_come_back(
    hass: HomeAssistant, set_up: SetUp, client: Client
) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    entry.mock_state(hass, ConfigEntryState.SETUP_IN_PROGRESS)
    response = await client.get(f"{BASE}/snapshot.jpg")
    assert response.status == 503
    assert response.headers["Retry-After"]
    entry.mock_state(hass, ConfigEntryState.LOADED)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert (await client.get(f"{BASE}/snapshot.jpg")).status == 404


async def test_a_flood_of_wrong_keys_bans_nobody_logs_nothing_and_takes_no_memory(
    hass: HomeAssistant, set_up: SetUp, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up(PATTERN, link())

    session = async_get_clientsession(hass)

    async def flood(count: int) -> None:
        for _ in range(count):
            async with session.get(client.make_url(f"/api/tripod/{new_key()}/stream.mjpg")) as response:
                assert response.status == 404

    await flood(50)
    caplog.clear()
    tracemalloc.start()
    await flood(500)
    # the coordinator says every ten seconds that it read the numbers
    records = [record for record in caplog.records if not record.getMessage().startswith("Finished fetching tripod")]
    logged = [record.name for record in records if record.name.startswith(("homeassistant", "custom_com"))]
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(inclusive=True, filename_pattern="*/custom_components/tripod/*")]
    )
    tracemalloc.stop()
    assert logged == []
    assert sum(trace.size for trace in kept.traces) < 10_000
    attempts: dict[object, int] = hass.http.app.get(KEY_FAILED_LOGIN_ATTEMPTS) or {}
    assert sum(attempts.values()) == 0
    assert (await client.get(f"{BASE}/snapshot.jpg")).status == 200


@pytest.mark.parametrize("key", ["", "short", "x" * 44, "../../states", "%00" * 43, "é" * 43])
async def test_what_is_no_key_is_not_found(set_up: SetUp, client: Client, key: str) -> None:
    await set_up(JPEG_PATTERN, link())
    assert (await client.get(f"/api/tripod/{key}/snapshot.jpg")).status in (401, 404)


async def test_another_origin_may_play(set_up: SetUp, client: Client) -> None:
    await set_up(PATTERN, link())
    response = await client.get(f"{BASE}/stream.m3u8", headers={"Origin": "http://octopi.local"})
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "http://octopi.local")
    headers = {"Origin": "http://octopi.local", "Access-Control-Request-Method": "GET"}
    assert (await client.options(f"{BASE}/stream.m3u8", headers=headers)).status == 200


async def test_head_tells_what_there_is_without_a_stream(set_up: SetUp, client: Client) -> None:
    await set_up(JPEG_PATTERN, link())
    assert (await client.head(f"{BASE}/snapshot.jpg")).status == 200
