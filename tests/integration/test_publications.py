"""Publications: tried before they are kept, entities of their own, and secrets that nobody sees again."""

import json
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod import publication_flow
from custom_components.tripod.const import SUBENTRY_PUBLICATION
from custom_components.tripod.diagnostics import async_get_config_entry_diagnostics
from custom_components.tripod.engine.publisher import Publication
from tests.servers.receiver import listener, record_server
from tests.servers.start import free_port

from .conftest import PATTERN, SetUp, until_state

FORM = {"sound": "camera", "verify_tls": True}
SWITCH = "switch.yard_publish_to_wall"
STATE = "sensor.yard_publication_wall"
CONNECTED = "binary_sensor.yard_server_wall"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settle sooner."""
    monkeypatch.setattr(publication_flow, "SETTLED", 0.5)


def _publication(url: str, title: str = "Wall", **fields: Any) -> ConfigSubentryData:
    data = Publication(url=url, **fields).as_dict()
    return ConfigSubentryData(data=data, subentry_type=SUBENTRY_PUBLICATION, title=title, unique_id=None)


async def _to_the_end(hass: HomeAssistant, result: Any) -> Any:
    """Wait for what a dialog is doing."""
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await hass.config_entries.subentries.async_configure(result["flow_id"])
    return result


async def _add(hass: HomeAssistant, entry: MockConfigEntry, **answers: Any) -> Any:
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, SUBENTRY_PUBLICATION), context={"source": SOURCE_USER})
    if result["type"] is not FlowResultType.FORM:
        return result
    result = await flows.async_configure(result["flow_id"], {**FORM, "name": "Wall", **answers})
    return await _to_the_end(hass, result)


def _stored(entry: MockConfigEntry) -> list[dict[str, Any]]:
    return [dict(item.data) for item in entry.get_subentries_of_type(SUBENTRY_PUBLICATION)]


async def test_a_server_is_tried_added_switched_and_deleted(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    async with record_server("--user", "me", "--password", "secret") as server:
        url = f"rtsp://127.0.0.1:{server.port}/live"
        result = await _add(hass, entry, url=url, username="me", password="secret")
        assert result["type"] is FlowResultType.CREATE_ENTRY, result
        assert result["title"] == "Wall"
        assert [item["password"] for item in _stored(entry)] == ["secret"]
        await server.more(5)
        await until_state(hass, STATE, lambda state: state.state == "publishing")
        assert hass.states.get(SWITCH).state == "on"
        assert hass.states.get(CONNECTED).state == "on"
        await hass.services.async_call("switch", "turn_off", {"entity_id": SWITCH}, blocking=True)
        assert hass.states.get(STATE).state == "stopped"
        assert hass.states.get(CONNECTED).state == "unknown"
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert hass.states.get(SWITCH).state == "off"
        await hass.services.async_call("switch", "turn_on", {"entity_id": SWITCH}, blocking=True)
        await until_state(hass, STATE, lambda state: state.state == "publishing")
    await until_state(hass, STATE, lambda state: state.state == "retrying")
    assert hass.states.get(STATE).attributes["reason"].startswith("The server")
    [subentry] = entry.get_subentries_of_type(SUBENTRY_PUBLICATION)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()
    assert not entry.runtime_data.camera.publications.publishers
    assert not [item for item in er.async_get(hass).entities if item in (SWITCH, STATE, CONNECTED)]


async def test_what_does_not_work_is_not_kept(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    entry = await set_up()
    async with record_server("--user", "me", "--password", "right") as server:
        for url, key, words in (
            (f"rtsp://me:hush-hush@127.0.0.1:{server.port}/live", "", "The server refuses the user name"),
            (f"rtmp://127.0.0.1:{free_port()}/live", "hush-hush", "Nothing takes video under this address"),
            ("rtmp://127.0.0.1/live", "", "stream key"),
            ("rtsp://169.254.169.254/live", "", "address"),
        ):
            result = await _add(hass, entry, url=url, **({"key": key} if key else {}))
            assert result["type"] is FlowResultType.FORM
            assert result["errors"] == {"base": "failed"}
            assert words in result["description_placeholders"]["reason"]
            hass.config_entries.subentries.async_abort(result["flow_id"])
    assert _stored(entry) == []
    assert "hush-hush" not in caplog.text


async def test_a_camera_that_is_stopped_is_the_reason(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    await entry.runtime_data.pipeline.stop()
    result = await _add(hass, entry, url="srt://127.0.0.1:9", key="hush")
    assert result["description_placeholders"]["reason"].startswith("The camera is stopped")


async def test_changing_keeps_the_secrets_of_the_same_server_only(hass: HomeAssistant, set_up: SetUp) -> None:
    async with listener("rtmp") as server:
        url = f"rtmp://127.0.0.1:{server.port}/live"
        entry = await set_up(PATTERN, _publication(f"{url}/hush"))
        await server.until(1)
        [known] = entry.get_subentries_of_type(SUBENTRY_PUBLICATION)
        result: Any = await entry.start_subentry_reconfigure_flow(hass, known.subentry_id)
        assert "hush" not in json.dumps(str(result["data_schema"].schema))
        suggested = {str(key): key.description for key in result["data_schema"].schema}
        assert suggested["url"] == {"suggested_value": url}
        assert suggested["key"] is None
        flows = hass.config_entries.subentries
        elsewhere = {**FORM, "name": "Wall", "url": "rtmp://127.0.0.2/live"}
        result = await flows.async_configure(result["flow_id"], elsewhere)
        assert "stream key" in result["description_placeholders"]["reason"]
        await entry.runtime_data.camera.publications.publishers[known.subentry_id].stop()
        await server.ended()
        async with listener("rtmp", port=server.port):
            result = await flows.async_configure(
                result["flow_id"], {**FORM, "name": "Hall", "url": url, "sound": "none"}
            )
            result = await _to_the_end(hass, result)
        assert result["reason"] == "reconfigure_successful"
        [stored] = _stored(entry)
        assert (stored["key"], stored["sound"]) == ("hush", "none")


async def test_no_secret_in_diagnostics(hass: HomeAssistant, set_up: SetUp, hass_client: Any) -> None:
    urls = (
        "rtmp://127.0.0.1:9/live/hush",
        "srt://127.0.0.1:9?passphrase=hush-hush-hush",
        "rtsp://a:hush@127.0.0.1:9/b",
    )
    entry = await set_up(PATTERN, *(_publication(url, url[:4]) for url in urls))
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert [item["address"] for item in found["publications"]] == [
        "rtmp://127.0.0.1:9/live",
        "srt://127.0.0.1:9",
        "rtsp://127.0.0.1:9/b",
    ]
    assert "hush" not in json.dumps(found, default=str)
    assert "hush" not in json.dumps([state.as_dict() for state in hass.states.async_all()], default=str)


async def test_a_camera_publishes_to_a_place_once(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN, _publication("rtmp://127.0.0.1:9/live/hush"))
    result = await _add(hass, entry, url="rtmp://127.0.0.1:9/live", key="hush")
    assert result["reason"] == "already_configured"
    await hass.config_entries.async_unload(entry.entry_id)
    result = await _add(hass, entry, url="rtmp://127.0.0.1:9/live", key="other")
    assert result["reason"] == "not_loaded"
