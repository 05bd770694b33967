"""Control by MQTT: Home Assistant's own MQTT integration, and a real broker that asks for certificates."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from homeassistant.components.media_source import async_resolve_media
from homeassistant.components.mqtt import client as mqtt_client, util as mqtt_util
from homeassistant.components.mqtt.const import CONFIG_ENTRY_MINOR_VERSION, CONFIG_ENTRY_VERSION
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import CONF_MQTT, CONF_PREFIX
from custom_components.tripod.diagnostics import async_get_config_entry_diagnostics
from custom_components.tripod.engine.mqtt import control
from custom_components.tripod.engine.status import State
from tests.servers.mosquitto import Listener, Mosquitto

from .conftest import SetUp
from .webcam import SOURCE, Webcam

PREFIX = "tripod/yard"

MQTT = {CONF_MQTT: {CONF_PREFIX: PREFIX}}

type SetUpMqtt = Callable[[], Awaitable[MockConfigEntry]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(control, "REPORT_INTERVAL", 0.05)
    monkeypatch.setattr(mqtt_client, "RECONNECT_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(mqtt_client, "INITIAL_SUBSCRIBE_COOLDOWN", 0.05)
    # where core writes the certificates: other tests run beside this one
    monkeypatch.setattr(mqtt_util, "TEMP_DIR_NAME", str(tmp_path / "mqtt"))


@pytest.fixture
async def set_up_mqtt(hass: HomeAssistant, mosquitto: Mosquitto) -> AsyncIterator[SetUpMqtt]:
    """Set up Home Assistant's MQTT integration with TLS and a client certificate."""

    Path(hass.config.path("configuration.yaml")).touch()

    async def set_up_mqtt() -> MockConfigEntry:
        home = mosquitto.chain.home
        data = {
            "broker": "localhost",
            "port": mosquitto.port,
            "protocol": "5",
            "certificate": mosquitto.chain.root.read_text(),
            "client_cert": home.certificate.read_text(),
            "client_key": home.key.read_text(),
            "discovery": False,
        }
        entry = MockConfigEntry(
            domain="mqtt", data=data, version=CONFIG_ENTRY_VERSION, minor_version=CONFIG_ENTRY_MINOR_VERSION
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        return entry

    yield set_up_mqtt
    for entry in hass.config_entries.async_loaded_entries("mqtt"):  # the broker goes before Home Assistant does
        await hass.config_entries.async_unload(entry.entry_id)


async def test_commands_do_as_actions_do(
    hass: HomeAssistant, mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp, media: Path
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    await set_up_mqtt()
    entry = await set_up(**MQTT)
    async with mosquitto.listener(PREFIX) as listener:
        assert await listener.until("availability") == "online"
        picture = await listener.ask('{"action": "picture", "name": "gate", "id": 7}')
        assert (picture["ok"], picture["id"]) == (True, "7"), picture
        path = Path(picture["path"])
        assert path.is_relative_to(media)
        assert path.stat().st_size == picture["size"]
        assert picture["media_content_id"] == f"media-source://tripod/{entry.entry_id}/{picture['key']}"
        shown = await async_resolve_media(hass, picture["media_content_id"], None)
        assert shown.mime_type == "image/jpeg"
        assert (await listener.ask("record 0.5"))["state"] == "waiting"
        done = await listener.until("reply", lambda reply: reply["state"] == "done")
        event = hass.states.get("event.yard_recording").attributes
        assert event["event_type"] == "recording_ready"
        assert event["media_content_id"] == done["media_content_id"]
        assert (await listener.ask("stop"))["cause"] == "not_recording"
        assert (await listener.ask("stream off"))["state"] == "stopped"
        assert entry.runtime_data.pipeline.state is State.STOPPED
        refused = await listener.ask("picture")
        assert refused["message"] == "The camera is stopped. Switch its stream on, or call the action Start stream."
        await hass.config_entries.async_reload(entry.entry_id)
        assert await listener.until("availability", lambda text: text == "offline")
        assert await listener.until("availability", lambda text: text == "online")
        assert (await listener.until("status/json"))["state"] == "stopped"
        for payload in (b"", b"\xff\xd8", b"x" * 5000, b"{", b"dance"):
            assert (await listener.ask(payload))["cause"] == "invalid_command"


async def test_what_the_broker_kept_is_not_done(mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp) -> None:
    await set_up_mqtt()
    async with mosquitto.listener(PREFIX) as listener:
        await listener.do("record 60", retain=True)
        entry = await set_up(**MQTT)
        refused = await listener.until("reply")
        assert (refused["command"], refused["cause"]) == ("record 60", "invalid_command")
        assert entry.runtime_data.camera.recordings == ()
        await listener.do(b"", retain=True)


async def test_controls_are_turned_and_remembered(
    hass: HomeAssistant, mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp, webcam: Webcam
) -> None:
    await set_up_mqtt()
    entry = await set_up(SOURCE, **MQTT)
    async with mosquitto.listener(PREFIX) as listener:
        await listener.until("availability")
        refused = await listener.ask("focus 20", to="settings")
        assert refused["cause"] == "control_inactive"
        assert "focus" in refused["message"]
        assert "autofocus" in refused["message"]
        assert (await listener.ask("autofocus off\nfocus 20", to="settings"))["ok"]
        await hass.async_block_till_done()
        assert hass.states.get("number.yard_focus").state == "20.0"
        assert entry.runtime_data.controls.engine.wanted["focus_absolute"] == 20
        assert (await listener.ask("reset"))["ok"]
        assert entry.runtime_data.controls.engine.wanted == {}


async def test_a_broker_that_restarts_forgets_nothing(
    mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp
) -> None:
    await set_up_mqtt()
    entry = await set_up(**MQTT)
    async with mosquitto.listener(PREFIX) as listener:
        await listener.until("availability")
    mosquitto.stop()
    entry.runtime_data.mqtt._control.say("Nobody hears this yet")
    mosquitto.start()
    async with mosquitto.listener(PREFIX) as listener:
        assert await listener.until("availability") == "online"
        await listener.until("status/json", lambda facts: facts["state"] == "idle")
        assert await listener.until("status") == "Nobody hears this yet"
        assert (await listener.ask("picture"))["ok"]


async def test_mqtt_may_be_reloaded_removed_and_set_up_again(
    hass: HomeAssistant, mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(**MQTT)
    assert entry.state is ConfigEntryState.LOADED
    assert (await async_get_config_entry_diagnostics(hass, entry))["mqtt"] == {
        "prefix": PREFIX,
        "connected": False,
        "error": None,
        "breaks": 0,
        "dropped": 0,
    }
    async with mosquitto.listener(PREFIX) as listener:
        mqtt = await set_up_mqtt()
        assert await listener.until("availability") == "online"
        await hass.config_entries.async_reload(mqtt.entry_id)
        assert await listener.until("availability") == "offline"
        assert await listener.until("availability") == "online"
        await _answers_once(listener)
        await hass.config_entries.async_remove(mqtt.entry_id)
        assert await listener.until("availability") == "offline"
        await set_up_mqtt()
        assert await listener.until("availability") == "online"
        await _answers_once(listener)
        await hass.config_entries.async_unload(entry.entry_id)
        assert await listener.until("availability") == "offline"
        await listener.do("picture")
        await hass.config_entries.async_setup(entry.entry_id)
        assert await listener.until("availability") == "online"
        await _answers_once(listener)
        await hass.async_stop()
        assert await listener.until("availability") == "offline"
    assert [
        record
        for record in caplog.records
        if record.levelname in ("ERROR", "WARNING") and "mqtt" in record.name.lower()
    ] == []


async def _answers_once(listener: Listener) -> None:
    """Give two commands: replies come in order, so one for each means one for the first."""
    before = len([1 for topic, *_ in listener.heard if topic == "reply"])
    await listener.do("status")
    await listener.do("dance")
    await listener.until("reply", lambda reply: not reply["ok"])
    assert len([1 for topic, *_ in listener.heard if topic == "reply"]) == before + 2


async def test_it_is_an_option_that_leaves_the_camera_running(
    hass: HomeAssistant, mosquitto: Mosquitto, set_up_mqtt: SetUpMqtt, set_up: SetUp
) -> None:
    await set_up_mqtt()
    entry, other = await set_up(), await set_up(title="Gate", **{CONF_MQTT: {CONF_PREFIX: "tripod/gate"}})
    pipeline = entry.runtime_data.pipeline
    shown = await _mqtt_form(hass, entry)
    assert _suggested(shown) == {"enabled": False, "prefix": "tripod/yard"}
    for prefix, error in (("a/+/b", "prefix_not_valid"), ("tripod/gate", "prefix_taken")):
        refused = await _answer(hass, shown, enabled=True, prefix=prefix)
        assert refused["errors"] == {"prefix": error}
    assert refused["description_placeholders"]["camera"] == "Gate"
    async with mosquitto.listener("house/yard") as listener:
        done = await _answer(hass, shown, enabled=True, prefix=" house/yard/ ")
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert entry.options[CONF_MQTT] == {CONF_PREFIX: "house/yard"}
        assert await listener.until("availability") == "online"
        assert (await listener.ask("picture"))["ok"]
        off = await _answer(hass, await _mqtt_form(hass, entry), enabled=False, prefix="house/yard")
        assert off["type"] is FlowResultType.CREATE_ENTRY
        assert CONF_MQTT not in entry.options
        assert await listener.until("availability") == "offline"
    assert entry.runtime_data.pipeline is pipeline
    assert (await async_get_config_entry_diagnostics(hass, entry))["mqtt"] is None
    assert other.options[CONF_MQTT] == {CONF_PREFIX: "tripod/gate"}


async def test_two_cameras_of_one_name_are_not_offered_one_prefix(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(**MQTT)
    twin = await set_up()
    assert _suggested(await _mqtt_form(hass, twin))["prefix"] == "tripod/yard_2"


async def _mqtt_form(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    return await hass.config_entries.options.async_configure(menu["flow_id"], {"next_step_id": "mqtt"})


async def _answer(hass: HomeAssistant, form: Any, **given: Any) -> Any:
    result = await hass.config_entries.options.async_configure(form["flow_id"], given)
    await hass.async_block_till_done()
    return result


def _suggested(form: Any) -> dict[str, Any]:
    return {str(key): key.description["suggested_value"] for key in form["data_schema"].schema}
