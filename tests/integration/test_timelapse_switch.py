"""The switches of standing timelapses: with a real camera, and over restarts."""

import asyncio
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry, ConfigSubentryData
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import SUBENTRY_TIMELAPSE
from custom_components.tripod.engine.timelapse import Job, JobStatus

from .conftest import JPEG_PATTERN, SetUp

SWITCH = "switch.yard_timelapse_garden"

GARDEN = Job(name="Garden", interval=3600, render=False)


def _stored(job: Job) -> ConfigSubentryData:
    return ConfigSubentryData(data=job.as_dict(), subentry_type=SUBENTRY_TIMELAPSE, title=job.name, unique_id=None)


def _jobs(entry: MockConfigEntry) -> dict[str, JobStatus]:
    return {status.job.name: status for status in entry.runtime_data.timelapses.jobs}


async def _turn(hass: HomeAssistant, how: str) -> None:
    await hass.services.async_call("switch", f"turn_{how}", {"entity_id": SWITCH}, blocking=True)


async def _shows(hass: HomeAssistant, wanted: str) -> None:
    """Wait until the switch shows a state."""
    shown = asyncio.Event()

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) and state.state == wanted:
            shown.set()

    unlisten = async_track_state_change_event(hass, SWITCH, changed)
    try:
        if (state := hass.states.get(SWITCH)) is None or state.state != wanted:
            async with asyncio.timeout(20):
                await shown.wait()
    finally:
        unlisten()


async def test_a_timelapse_runs_from_the_start_and_stays_off_once_it_is_switched_off(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(JPEG_PATTERN, _stored(GARDEN))
    await _shows(hass, "on")
    assert hass.states.get(SWITCH).name == "Yard Timelapse Garden"
    await _turn(hass, "off")
    await _shows(hass, "off")
    assert not _jobs(entry)["Garden"].running
    await hass.config_entries.async_reload(entry.entry_id)
    await _shows(hass, "off")
    await _turn(hass, "on")
    await _turn(hass, "on")
    await hass.config_entries.async_reload(entry.entry_id)
    await _shows(hass, "on")


async def test_timelapses_come_change_and_go_without_touching_the_camera(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    await entry.runtime_data.camera.ready()
    pipeline = entry.runtime_data.pipeline
    garden = ConfigSubentry(
        data=MappingProxyType(GARDEN.as_dict()), subentry_type=SUBENTRY_TIMELAPSE, title="Garden", unique_id=None
    )
    hass.config_entries.async_add_subentry(entry, garden)
    await _shows(hass, "on")

    changed = Job.from_dict({**GARDEN.as_dict(), "interval": 60})
    hass.config_entries.async_update_subentry(entry, garden, data=changed.as_dict())
    await hass.async_block_till_done()
    assert _jobs(entry)["Garden"].job == changed

    hass.config_entries.async_remove_subentry(entry, garden.subentry_id)
    await hass.async_block_till_done()
    assert _jobs(entry) == {}
    assert hass.states.get(SWITCH) is None
    assert er.async_get(hass).async_get(SWITCH) is None
    assert entry.runtime_data.pipeline is pipeline


async def test_a_switch_of_a_timelapse_that_went_while_the_camera_was_off_is_forgotten(
    hass: HomeAssistant, set_up: SetUp
) -> None:
    entry = await set_up(JPEG_PATTERN, _stored(GARDEN))
    await hass.config_entries.async_unload(entry.entry_id)
    [garden] = entry.get_subentries_of_type(SUBENTRY_TIMELAPSE)
    hass.config_entries.async_remove_subentry(entry, garden.subentry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert er.async_get(hass).async_get(SWITCH) is None


async def test_without_a_disk_the_switch_says_why_it_cannot_be_on(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, _stored(GARDEN), storage={"folder": "/not/allowed"})
    assert hass.states.get(SWITCH).state == "unknown"
    with pytest.raises(HomeAssistantError, match="cannot write to"):
        await _turn(hass, "on")
    await _turn(hass, "off")
    assert _jobs(entry) == {}
