"""Metrics in Home Assistant: for whoever has a token, right by Prometheus' judgement, and enough for the dashboard."""

from pathlib import Path
import re
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest

from custom_components.tripod.const import SUBENTRY_PUBLICATION, SUBENTRY_TIMELAPSE
from custom_components.tripod.engine.publisher import Publication
from custom_components.tripod.engine.timelapse import Job
from tests.servers.prometheus import complaints, prometheus, queries
from tests.servers.receiver import record_server

from .conftest import JPEG_PATTERN, KEY, PATTERN, SetUp, act, link, until_state

URL = "/api/tripod/metrics"
DASHBOARD = Path(__file__).parents[2] / "docs/grafana/tripod.json"
SAMPLE = re.compile(r'(\w+)(\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)')


def _samples(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


async def test_without_a_token_there_is_nothing(hass: HomeAssistant, set_up: SetUp, hass_client_no_auth: Any) -> None:
    await set_up()
    client = await hass_client_no_auth()
    assert (await client.get(URL)).status == 401
    assert (await client.get(URL, headers={"Authorization": f"Bearer {KEY}"})).status == 401


async def test_several_cameras_in_one_exposition(hass: HomeAssistant, set_up: SetUp, hass_client: Any) -> None:
    secrets = Publication(url="rtmp://me:hush@127.0.0.1:9/live/hush", verify_tls=False).as_dict()
    hushed = ConfigSubentryData(data=secrets, subentry_type=SUBENTRY_PUBLICATION, title="Wall", unique_id=None)
    await set_up(PATTERN, hushed, title='A "quoted" \\ name\nhere')
    await set_up(JPEG_PATTERN, link("OctoPrint"), title="Yard")
    await set_up(PATTERN, title="Yard")
    client: TestClient[Any, Any] = await hass_client()
    answer = await client.get(URL)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = await answer.text()
    assert complaints(text) == ""
    assert all(SAMPLE.fullmatch(line) for line in _samples(text))
    names = [line.rpartition(" ")[0] for line in _samples(text)]
    assert len(names) == len(set(names))
    assert {re.search(r'camera="([^"\\]|\\.)*"', name)[0] for name in names if "camera=" in name} == {
        r'camera="A \"quoted\" \\ name\nhere"',
        'camera="Yard"',
        'camera="Yard 2"',
    }
    assert "process_resident_memory_bytes" in text
    assert 'publication="Wall"' in text
    assert not [secret for secret in ("hush", KEY, "127.0.0.1") if secret in text]


@pytest.mark.timeout(90)
async def test_each_query_of_the_dashboard_finds_something(
    hass: HomeAssistant, set_up: SetUp, hass_client: Any, hass_access_token: str, tmp_path: Path
) -> None:
    async with record_server() as server:
        publication = Publication(url=f"rtsp://127.0.0.1:{server.port}/live").as_dict()
        wall = ConfigSubentryData(data=publication, subentry_type=SUBENTRY_PUBLICATION, title="Wall", unique_id=None)
        job = Job(name="Sky", interval=60.0).as_dict()
        sky = ConfigSubentryData(data=job, subentry_type=SUBENTRY_TIMELAPSE, title="Sky", unique_id=None)
        entry = await set_up(PATTERN, wall, sky, link())
        client: TestClient[Any, Any] = await hass_client()
        await until_state(hass, "sensor.yard_publication_wall", lambda state: state.state == "publishing")
        await act(hass, "snapshot")
        await entry.runtime_data.camera.look()
        async with (
            client.get(f"/api/tripod/{KEY}/stream.mjpg") as viewer,
            prometheus(tmp_path, f"{client.host}:{client.port}", URL, hass_access_token) as found,
        ):
            await viewer.content.readexactly(10_000)
            assert await found.until('up{job="tripod"} == 1')
            for expression in queries(DASHBOARD):
                try:
                    await found.until(expression)
                except TimeoutError:
                    pytest.fail(f"nothing for {expression}")
            assert complaints(await (await client.get(URL)).text()) == ""
