"""Other people's nodes in the dialog: by their base address, and motion-in-ocean by its token as well."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.jpeg import JpegSplitter
from tests.engine.media import jpegs
from tests.engine.recorded_node import RecordedNode, serving
from tests.engine.test_motion_in_ocean import RECORDED, STREAM
from tests.engine.test_recognise import WEBCAMS

from .conftest import SetUp
from .dialogs import change, choose, fill_in, suggested


def node(scene: str) -> RecordedNode:
    return RecordedNode(RECORDED[scene], JpegSplitter().feed(jpegs(frames=3)), STREAM)


async def test_a_base_address_is_enough(hass: HomeAssistant) -> None:
    pictures = JpegSplitter().feed(jpegs(frames=3))
    async with serving(RecordedNode(WEBCAMS["ustreamer"], pictures, "/stream")) as webcam:
        result = await fill_in(hass, await choose(hass, "url"), {"name": "Bench", "url": webcam.url})
        assert result["step_id"] == "confirm", result
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
        assert result["data"]["url"] == f"{webcam.url}/stream"
        result = await fill_in(hass, await choose(hass, "url"), {"name": "Again", "url": webcam.url})
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_a_node_of_motion_in_ocean_and_its_token(hass: HomeAssistant) -> None:
    async with serving(node("token")) as camera:
        given: dict[str, Any] = {"name": "Bench", "url": camera.url}
        result = await fill_in(hass, await choose(hass, "url"), given)  # recognised, but it wants its token
        assert (result["step_id"], result["errors"]) == ("url", {"base": "unauthorized"})
        result = await fill_in(hass, await choose(hass, "motion_in_ocean"), given)
        assert (result["step_id"], result["errors"]) == ("motion_in_ocean", {"base": "unauthorized"})
        camera.answers = dict(RECORDED["mock"])
        result = await fill_in(hass, result, {**given, "token": "hush"})
        assert result["errors"] == {"base": "mock_picture"}
        camera.answers = dict(RECORDED["camera"])
        result = await fill_in(hass, result, {**given, "token": "hush"})
        assert result["step_id"] == "confirm"
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
        entry = result["result"]
        assert (entry.data["kind"], entry.data["token"]) == ("motion_in_ocean", "hush")
        await hass.async_block_till_done()
        assert entry.state is ConfigEntryState.LOADED
        result = await change(hass, entry)
        assert "hush" not in str(suggested(result))
        result = await fill_in(hass, result, {"url": f"{camera.url}/"})  # an empty token keeps the stored one
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
        assert result["reason"] == "reconfigure_successful"
        assert entry.data["token"] == "hush"
        await hass.async_block_till_done()


async def test_another_token(hass: HomeAssistant, set_up: SetUp) -> None:
    async with serving(node("camera")) as camera:
        data = {"kind": "motion_in_ocean", "url": camera.url, "token": "old", "verify_tls": True}
        entry = await set_up(data)
        result = await entry.start_reauth_flow(hass)
        assert result["step_id"] == "reauth_token"
        result = await fill_in(hass, result, {"token": "new"})
        assert result["reason"] == "reauth_successful"
        assert entry.data["token"] == "new"
        await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)
