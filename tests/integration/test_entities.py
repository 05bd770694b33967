"""The entities around a camera."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events, async_fire_time_changed

from custom_components.tripod.engine.status import State
from custom_components.tripod.sensor import DESCRIPTIONS
from custom_components.tripod.shared import tools

from .conftest import JPEG_PATTERN, SetUp, children, streaming, until, until_state
from .webcam import SOURCE, Webcam


@pytest.mark.usefixtures("all_enabled")
async def test_numbers_come_from_the_running_camera(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    async with streaming(entry) as pipeline:
        async for frame in pipeline.frame_feed.reader():
            if frame.sequence >= 12:
                break
        await entry.runtime_data.coordinator.async_refresh()
        value = {key.key: hass.states.get(f"sensor.yard_{key.key}").state for key in DESCRIPTIONS}
    assert value["state"] == "streaming"
    assert value["last_error"] == "none"
    assert 5 < float(value["frame_rate"]) < 20
    assert 0 <= float(value["frame_age"]) < 1
    assert float(value["bit_rate"]) > 0.01
    assert value["viewers"] == "0"
    assert value["restarts"] == "0"


async def test_numbers_are_refreshed_now_and_then(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    before = entry.runtime_data.coordinator.data
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=12))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.coordinator.data is not before


async def test_a_camera_that_fails_says_why(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up({"kind": "v4l2", "device": "/dev/video99"}, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    await hass.async_block_till_done()
    state = hass.states.get("sensor.yard_state")
    assert state.state == "retrying"
    assert state.attributes["reason"].startswith("The device is not there (")
    assert hass.states.get("sensor.yard_last_error").state == "device_missing"
    assert int(hass.states.get("sensor.yard_restarts").state) == 1
    assert hass.states.get("binary_sensor.yard_connectivity").state == "off"
    assert hass.states.get("camera.yard").state == "idle", "still available, so that it can be stopped"


async def test_each_change_is_an_event(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    """In the order in which they happened, though some follow at once."""
    events = async_capture_events(hass, "state_changed")
    entry = await set_up(SOURCE)
    assert hass.states.get("event.yard_change").state == "unknown"
    pipeline = entry.runtime_data.pipeline
    async with streaming(entry):
        webcam.unplug()
        await until(pipeline, lambda: pipeline.state is State.RETRYING)
    await pipeline.stop()
    await hass.async_block_till_done()
    changes = [event.data["new_state"] for event in events if event.data["entity_id"] == "event.yard_change"]
    seen = [(change.attributes["event_type"], change.attributes.get("previous")) for change in changes[1:]]
    assert seen == [
        ("starting", "idle"),
        ("streaming", "starting"),
        ("retrying", "streaming"),
        ("stopped", "retrying"),
    ]
    failed = changes[3].attributes
    assert failed["cause"] == "device_missing"
    assert failed["reason"].startswith("The device is not there (unplugged)")
    assert "cause" not in changes[4].attributes


async def test_nobody_knows_whether_an_idle_camera_is_connected(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    assert hass.states.get("binary_sensor.yard_connectivity").state == "unknown"


async def test_the_restart_button_begins_anew(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    async with streaming(entry) as pipeline:
        before = children()
        await hass.services.async_call("button", "press", {"entity_id": "button.yard_restart"}, blocking=True)
        await until(pipeline, lambda: pipeline.state is State.STREAMING)
        assert children().isdisjoint(before)


async def test_noisy_entities_are_off_by_default(
    hass: HomeAssistant, set_up: SetUp, entity_registry: er.EntityRegistry
) -> None:
    entry = await set_up()
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    disabled = {entity.unique_id.removeprefix(f"{entry.entry_id}_") for entity in entities if entity.disabled}
    assert disabled == {"frame_rate", "frame_age", "bit_rate"}


async def test_one_device_holds_all(
    hass: HomeAssistant, set_up: SetUp, device_registry: dr.DeviceRegistry, entity_registry: er.EntityRegistry
) -> None:
    entry = await set_up()
    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert (device.name, device.manufacturer, device.model) == ("Yard", "Tripod", "Test pattern")
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {entity.device_id for entity in entities} == {device.id}
    assert len(entities) == 24


async def test_a_camera_that_is_lost_and_comes_back_is_an_event(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    tools(hass).ffmpeg.binary = "/nowhere/ffmpeg"
    pipeline = entry.runtime_data.pipeline
    async with pipeline.frames():
        lost = await until_state(hass, "event.yard_connection", lambda state: state.state != "unknown")
        assert (lost.attributes["event_type"], lost.attributes["cause"]) == ("camera_lost", "ffmpeg_missing")
        assert lost.attributes["reason"].startswith("The program ffmpeg was not found")
        tools(hass).ffmpeg.binary = "ffmpeg"
        await pipeline.restart()
        back = await until_state(hass, "event.yard_connection", lambda state: state.state != lost.state)
        assert back.attributes["event_type"] == "camera_back"
