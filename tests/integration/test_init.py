"""Set-up, unloading, and what outlives them."""

from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
import pytest

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.status import State
from custom_components.tripod.shared import SHARED

from .conftest import JPEG_PATTERN, PATTERN, SetUp, children, link, streaming, until


async def test_set_up_starts_nothing_until_somebody_looks(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get("camera.yard").state == "idle"
    assert entry.runtime_data.pipeline.state is State.IDLE
    assert children() == set()


async def test_an_always_on_camera_runs_from_the_start_and_unloading_ends_it(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(PATTERN, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    await hass.async_block_till_done()
    assert hass.states.get("camera.yard").state == "streaming"
    assert hass.states.get("binary_sensor.yard_connectivity").state == "on"
    assert len(children()) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert children() == set()


async def test_the_end_of_home_assistant_ends_the_worker(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert children() == set()


async def test_a_stop_survives_reload_and_restart(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(start="always")
    await hass.services.async_call("switch", "turn_off", {"entity_id": "switch.yard_stream"}, blocking=True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.runtime_data.pipeline.state is State.STOPPED
    assert hass.states.get("switch.yard_stream").state == "off"
    assert hass.states.get("camera.yard").state == "idle"
    await hass.services.async_call("switch", "turn_on", {"entity_id": "switch.yard_stream"}, blocking=True)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.runtime_data.pipeline.state is not State.STOPPED


async def test_an_off_camera_runs_only_between_start_and_stop(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, start="manual")
    assert entry.runtime_data.pipeline.state is State.STOPPED
    await hass.services.async_call("switch", "turn_on", {"entity_id": "switch.yard_stream"}, blocking=True)
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.runtime_data.pipeline.state is not State.STOPPED


async def test_memory_is_read_from_its_file(hass: HomeAssistant, hass_storage: dict[str, Any], set_up: SetUp) -> None:
    hass_storage[DOMAIN] = {
        "version": 1,
        "minor_version": 1,
        "key": DOMAIN,
        "data": {"stopped": {"abc": True}, "used": {"link": "2026-11-21T10:00:00+00:00", "odd": "never"}},
    }
    await set_up()
    storage = hass.data[SHARED].storage
    assert storage.stopped("abc", default=False)
    assert storage.used("link").year == 2026
    assert storage.used("odd") is None


async def test_a_removed_camera_is_forgotten(hass: HomeAssistant, hass_storage: dict[str, Any], set_up: SetUp) -> None:
    entry = await set_up(PATTERN, link())
    storage = hass.data[SHARED].storage
    [link_id] = entry.subentries
    storage.note_use(link_id)
    await hass.services.async_call("switch", "turn_off", {"entity_id": "switch.yard_stream"}, blocking=True)
    assert hass_storage[DOMAIN]["data"]["stopped"] == {entry.entry_id: True}
    await hass.config_entries.async_remove(entry.entry_id)
    assert not storage.stopped(entry.entry_id, default=False)
    assert storage.used(link_id) is None


async def test_an_entry_that_describes_no_camera_fails_with_the_reason(hass: HomeAssistant, set_up: SetUp) -> None:
    with pytest.raises(AssertionError):
        await set_up({"kind": "magic"})
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "invalid_source"


async def test_changed_options_restart_the_camera_with_them(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    hass.config_entries.async_update_entry(entry, options={"linger": 5, "ring": 4, "h264_bit_rate": 500})
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    options = entry.runtime_data.pipeline.options
    assert (options.linger, options.ring_bytes, options.h264_bit_rate) == (5, 4 * 2**20, 500_000)


async def test_a_new_title_restarts_nothing(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN)
    async with streaming(entry) as pipeline:
        workers = children()
        hass.config_entries.async_update_entry(entry, title="Garden")
        await hass.async_block_till_done()
        assert entry.runtime_data.pipeline is pipeline
        assert children() == workers != set()


async def test_platforms_that_do_not_unload_leave_the_camera_running(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    with patch.object(hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    async with streaming(entry) as pipeline:
        assert pipeline.state is State.STREAMING
