"""The dialogs: each really opens the camera that it sets up."""

import asyncio
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.network import NoURLAvailableError
import pytest

from custom_components.tripod import link_flow
from custom_components.tripod.const import DOMAIN, SUBENTRY_LINK
from custom_components.tripod.engine.status import State
from custom_components.tripod.forms import DEFAULT_OPTIONS
from custom_components.tripod.shared import SHARED
from tests.servers.start import Server

from .conftest import JPEG_PATTERN, KEY, PATTERN, Client, SetUp, children, link, streaming, until
from .dialogs import SMALL, change_options, choose, fill_in, pictures


async def test_a_test_pattern_is_set_up(hass: HomeAssistant, browser: Client) -> None:
    result = await choose(hass, "test_pattern")
    assert result["step_id"] == "test_pattern"
    result = await fill_in(hass, result, {"name": "Yard", "format": "h264", "advanced": SMALL})
    assert result["step_id"] == "confirm"
    shown = result["description_placeholders"]
    assert (shown["codec"], shown["size"], shown["audio"]) == ("H.264", "320 × 240", "–")  # noqa: RUF001
    assert shown["rate"].endswith("fps")
    [address] = pictures(shown["picture"])
    picture = await browser.get(address)
    assert picture.content_type == "image/jpeg"
    assert (await picture.read()).startswith(b"\xff\xd8")
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Yard"
    assert result["data"] == {**PATTERN, "bit_rate": 2_000_000, "codec": "h264"}
    assert result["options"] == DEFAULT_OPTIONS
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert (await browser.get(address)).status == 404, "the picture goes with the dialog"


async def test_the_fields_of_a_form_have_defaults(hass: HomeAssistant) -> None:
    result = await choose(hass, "test_pattern")
    result = await fill_in(hass, result, {"name": "Yard"})
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"]["size"] == "1280 × 720"  # noqa: RUF001


async def test_what_cannot_be_is_told_in_the_form(hass: HomeAssistant) -> None:
    result = await choose(hass, "test_pattern")
    given = {"name": "Yard", "advanced": {**SMALL, "width": 321}}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "test_pattern"
    assert result["errors"] == {"base": "invalid_source"}
    assert "321" in result["description_placeholders"]["detail"]
    result = await fill_in(hass, result, {**given, "advanced": SMALL})
    assert result["step_id"] == "confirm"


async def test_closing_the_dialog_ends_the_live_check(hass: HomeAssistant) -> None:
    before = children()  # an earlier test may have left some that are just ending
    result = await choose(hass, "test_pattern")
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"name": "Yard", "advanced": SMALL})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["description_placeholders"] == {"address": "320x240, 10/s, h264"}
    look = hass.config_entries.flow._progress[result["flow_id"]].async_get_progress_task()
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert look is not None
    await asyncio.wait([look])  # Home Assistant waits for nothing that is cancelled
    assert children() <= before


async def test_a_network_camera_is_set_up_once(hass: HomeAssistant, http_camera: Server) -> None:
    given = {"name": "Door", "url": http_camera.url("stream.mjpg")}
    result = await fill_in(hass, await choose(hass, "url"), given)
    assert result["step_id"] == "confirm", result
    assert result["description_placeholders"]["codec"] == "JPEG"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["data"]["codec"] == "mjpeg"
    assert result["data"]["delivery"] == "frames"
    await hass.async_block_till_done()
    again = await fill_in(hass, await choose(hass, "url"), {**given, "name": "Door again"})
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("rtsp://127.0.0.1:1/x", "refused"),
        ("-i /etc/passwd", "invalid_source"),
        ("file:///etc/passwd", "address_not_allowed"),
        ("concat:a|b", "address_not_allowed"),
    ],
)
async def test_a_wrong_address_is_told_in_the_form(hass: HomeAssistant, url: str, cause: str) -> None:
    result = await fill_in(hass, await choose(hass, "url"), {"name": "Door", "url": url})
    assert result["step_id"] == "url"
    assert result["errors"]["base"] in (cause, "invalid_source")


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("nowhere", "not_found"),
        ("bad/html.jpg", "not_a_picture"),
        ("basic/still.jpg", "unauthorized"),
        ("bad/status/500", "source_failed"),
    ],
)
async def test_what_a_camera_answers_is_told_in_the_form(
    hass: HomeAssistant, http_camera: Server, path: str, cause: str
) -> None:
    result = await fill_in(hass, await choose(hass, "url"), {"name": "Door", "url": http_camera.url(path)})
    assert result["errors"] == {"base": cause}


async def _camera_with_password(hass: HomeAssistant, server: Server, password: str = "p@ss word") -> ConfigEntry:
    given = {"name": "Door", "url": server.url("h264"), "username": "user", "password": password}
    result = await fill_in(hass, await choose(hass, "url"), given)
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    return entry


async def test_an_rtsp_camera_with_password(hass: HomeAssistant, rtsp_server_with_password: Server) -> None:
    entry = await _camera_with_password(hass, rtsp_server_with_password)
    async with streaming(entry) as pipeline:
        assert pipeline.status.codec == "h264"


async def test_reauthentication_tries_the_password_on_the_camera(
    hass: HomeAssistant, rtsp_server_with_password: Server
) -> None:
    entry = await _camera_with_password(hass, rtsp_server_with_password)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "password": "changed"})
    await hass.async_block_till_done()
    pipeline = entry.runtime_data.pipeline
    async with pipeline.packets():
        await until(pipeline, lambda: pipeline.state is State.RETRYING)
        await hass.async_block_till_done()
        [flow] = entry.async_get_active_flows(hass, {SOURCE_REAUTH})
    result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["step_id"] == "reauth_confirm"
    result = await fill_in(hass, result, {"username": "user", "password": "wrong"})
    assert result["errors"] == {"base": "unauthorized"}
    result = await fill_in(hass, result, {"username": "user", "password": "p@ss word"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    async with streaming(entry) as pipeline:
        assert pipeline.source.as_dict()["password"] == "p@ss word"


async def test_reauthentication_of_an_entry_that_knows_no_user(
    hass: HomeAssistant, http_camera: Server, set_up: SetUp
) -> None:
    entry = await set_up({"kind": "url", "url": http_camera.url("basic/still.jpg"), "delivery": "stills"})
    result = await entry.start_reauth_flow(hass)
    assert result["step_id"] == "reauth_confirm"
    result = await fill_in(hass, result, {"username": "user", "password": "p@ss:wörd"})
    assert result["reason"] == "reauth_successful"
    assert entry.data["username"] == "user"


async def test_reconfiguring_keeps_the_password_that_is_not_shown(
    hass: HomeAssistant, rtsp_server_with_password: Server
) -> None:
    entry = await _camera_with_password(hass, rtsp_server_with_password)
    result = (
        await entry.start_reconfigure_flow(hass)
        if hasattr(entry, "start_reconfigure_flow")
        else await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
        )
    )
    assert result["step_id"] == "url"
    suggested = {
        str(key.schema): key.description["suggested_value"] for key in result["data_schema"].schema if key.description
    }
    assert suggested["username"] == "user"
    assert "p@ss word" not in str(suggested)
    given = {"url": entry.data["url"], "username": "user", "advanced": {"rtsp_transport": "udp"}}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data["password"] == "p@ss word"
    assert entry.runtime_data.pipeline.source.rtsp_transport == "udp"
    assert entry.title == "Door"


async def test_reconfiguring_a_test_pattern_applies_it(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "test_pattern"
    result = await fill_in(hass, result, {"format": "mjpeg", "advanced": {**SMALL, "width": 640}})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.runtime_data.pipeline.source.width == 640


async def test_reconfiguring_mends_a_camera_that_could_not_be_set_up(hass: HomeAssistant, set_up: SetUp) -> None:
    with pytest.raises(AssertionError):
        await set_up({**PATTERN, "width": 3})
    entry: Any = hass.config_entries.async_entries(DOMAIN)[0]
    assert entry.state.value == "setup_error"
    result = await entry.start_reconfigure_flow(hass)
    result = await fill_in(hass, result, {"advanced": SMALL})
    await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_options(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    result = await change_options(hass, entry, "behaviour")
    suggested = {key.schema: key.description["suggested_value"] for key in result["data_schema"].schema}
    # day and night are a matter of cameras whose exposure can be set
    defaults = {name: value for name, value in DEFAULT_OPTIONS.items() if name != "day_night"}
    assert suggested == defaults
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**defaults, "start": "always", "ring": 8, "mjpeg_rate": 2.5}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    options = entry.runtime_data.pipeline.options
    assert (options.start, options.ring_bytes, options.mjpeg_rate) == ("always", 8 * 2**20, 2.5)


async def test_a_link_is_added_without_touching_the_camera(hass: HomeAssistant, set_up: SetUp) -> None:
    hass.config.internal_url = "http://192.168.1.2:8123"
    entry = await set_up(PATTERN)
    async with streaming(entry) as pipeline:
        workers = children()
        flows = hass.config_entries.subentries
        result = await flows.async_init((entry.entry_id, SUBENTRY_LINK), context={"source": SOURCE_USER})
        assert result["step_id"] == "user"
        result = await flows.async_configure(
            result["flow_id"], {"name": "OctoPrint", "scopes": ["stream"], "limit": 3, "expires": "2099-01-31"}
        )
        assert result["step_id"] == "urls"
        address = result["description_placeholders"]["mjpeg"]
        result = await flows.async_configure(result["flow_id"], {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        [subentry] = entry.get_subentries_of_type(SUBENTRY_LINK)
        key = subentry.data["key"]
        assert len(key) == 43
        assert address == f"http://192.168.1.2:8123/api/tripod/{key}/stream.mjpg"
        assert subentry.title == "OctoPrint"
        await hass.async_block_till_done()
        assert hass.data[SHARED].links.find(key).client.limit == 3
        assert entry.runtime_data.pipeline is pipeline
        assert children() == workers != set()


async def test_a_link_is_shown_and_changed(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    [subentry] = entry.get_subentries_of_type(SUBENTRY_LINK)
    result: Any = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert result["step_id"] == "reconfigure"
    assert result["description_placeholders"]["last_used"] == "–"  # noqa: RUF001
    assert KEY in result["description_placeholders"]["snapshot"]
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], {"name": "Hall TV", "scopes": ["stream"]}
    )
    assert result["reason"] == "reconfigure_successful"
    [subentry] = entry.get_subentries_of_type(SUBENTRY_LINK)
    assert subentry.title == "Hall TV"
    assert subentry.data == {"key": KEY, "scopes": ["stream"]}


async def test_a_link_gets_a_new_key(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, link())
    [subentry] = entry.get_subentries_of_type(SUBENTRY_LINK)
    hass.data[SHARED].storage.note_use(subentry.subentry_id)
    result: Any = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert result["description_placeholders"]["last_used"].startswith("20")
    given = {"name": "OctoPrint", "scopes": ["stream", "snapshot"], "new_key": True}
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], given)
    assert result["step_id"] == "urls"
    assert KEY not in str(result["description_placeholders"])
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    [subentry] = entry.get_subentries_of_type(SUBENTRY_LINK)
    assert subentry.data["key"] != KEY
    assert hass.data[SHARED].links.find(KEY) is None


async def test_without_an_address_of_its_own_home_assistants_usual_name_is_shown(
    hass: HomeAssistant, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_url(*_: object, **__: object) -> str:
        raise NoURLAvailableError

    monkeypatch.setattr(link_flow, "get_url", no_url)
    assert link_flow.urls(hass, KEY)["page"] == f"http://homeassistant.local:8123/api/tripod/{KEY}/"
