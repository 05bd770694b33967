"""A camera's controls as entities."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State as EntityState
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.tripod.control_entity import KNOWN
from custom_components.tripod.engine.controls import Control, ControlKind
from custom_components.tripod.engine.status import State
from custom_components.tripod.shared import SHARED
from tests.engine.memory_controls import WEBCAM, menu, number

from .conftest import SetUp, streaming, until
from .webcam import SOURCE, Webcam

pytestmark = pytest.mark.usefixtures("webcam")

ENABLED = {
    "number.yard_brightness",
    "number.yard_exposure_time",
    "number.yard_focus",
    "number.yard_gain",
    "number.yard_pan",
    "number.yard_white_balance_temperature",
    "select.yard_automatic_exposure",
    "select.yard_exposure_mode",
    "switch.yard_autofocus",
    "switch.yard_automatic_white_balance",
    "switch.yard_stream",
}


def _state(hass: HomeAssistant, entity_id: str) -> EntityState:
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state


async def _set(hass: HomeAssistant, entity_id: str, value: Any) -> None:
    domain, data = entity_id.split(".", maxsplit=1)[0], {"entity_id": entity_id}
    action, more = {
        "number": ("set_value", {"value": value}),
        "select": ("select_option", {"option": value}),
        "switch": (f"turn_{value}", {}),
        "button": ("press", {}),
    }[domain]
    await hass.services.async_call(domain, action, {**data, **more}, blocking=True)


async def _written(hass: HomeAssistant) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=5))
    await hass.async_block_till_done()


async def test_every_control_is_an_entity(
    hass: HomeAssistant, set_up: SetUp, entity_registry: er.EntityRegistry
) -> None:
    entry = await set_up(SOURCE)
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    prefix = f"{entry.entry_id}_control_"
    controls = {entity.unique_id.removeprefix(prefix): entity for entity in entities if prefix in entity.unique_id}
    assert set(controls) == {control.key for control in WEBCAM}
    assert all(entity.entity_category == "config" for entity in controls.values())
    enabled = {entity.entity_id for entity in entities if not entity.disabled}
    assert {entity for entity in enabled if entity.split(".")[0] in ("number", "select", "switch")} == ENABLED
    assert controls["pan_reset"].entity_id == "button.yard_pan_reset", "called as the driver calls it"
    assert controls["pan_reset"].disabled


async def test_a_control_has_its_own_range_and_unit(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(SOURCE)
    focus = _state(hass, "number.yard_focus")
    assert (focus.state, focus.attributes["min"], focus.attributes["max"], focus.attributes["step"]) == (
        "30.0",
        0,
        250,
        5,
    )
    exposure = _state(hass, "number.yard_exposure_time")
    assert (exposure.state, exposure.attributes["max"], exposure.attributes["unit_of_measurement"]) == (
        "33.3",
        204.7,
        "ms",
    )
    pan = _state(hass, "number.yard_pan")
    assert (pan.attributes["min"], pan.attributes["step"], pan.attributes["unit_of_measurement"]) == (-10, 1, "°")
    assert _state(hass, "number.yard_white_balance_temperature").attributes["unit_of_measurement"] == "K"
    menu = _state(hass, "select.yard_automatic_exposure")
    assert menu.attributes["options"] == ["Manual Mode", "Aperture Priority Mode"]
    assert menu.state == "Aperture Priority Mode"
    assert _state(hass, "switch.yard_autofocus").state == "on"


async def test_a_control_is_turned_while_the_camera_streams(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up(SOURCE)
    async with streaming(entry):
        await _set(hass, "number.yard_brightness", 200)
        await _set(hass, "select.yard_automatic_exposure", "Manual Mode")
        await _set(hass, "number.yard_exposure_time", 50)
        await _set(hass, "number.yard_pan", -2)
        await _set(hass, "switch.yard_autofocus", "off")
    assert webcam.controls.wanted == {
        "brightness": 200,
        "auto_exposure": 1,
        "exposure_time_absolute": 500,
        "pan_absolute": -7200,
        "focus_automatic_continuous": 0,
    }
    assert webcam.controls.values["exposure_time_absolute"] == 500
    assert _state(hass, "number.yard_exposure_time").state == "50.0"
    assert _state(hass, "switch.yard_autofocus").state == "off"


async def test_an_inactive_control_says_what_to_do(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    await set_up(SOURCE)
    sentence = "Focus cannot be set now. Set Autofocus to Off first."
    assert _state(hass, "number.yard_focus").attributes["reason"] == sentence
    with pytest.raises(ServiceValidationError, match="Set Autofocus to Off first"):
        await _set(hass, "number.yard_focus", 100)
    with pytest.raises(ServiceValidationError, match="Set Automatic exposure to Manual Mode first"):
        await _set(hass, "number.yard_exposure_time", 100)
    assert webcam.controls.wanted == {}
    await _set(hass, "switch.yard_autofocus", "off")
    assert "reason" not in _state(hass, "number.yard_focus").attributes
    await _set(hass, "number.yard_focus", 100)
    assert webcam.controls.values["focus_absolute"] == 100
    await _set(hass, "switch.yard_autofocus", "on")
    assert _state(hass, "number.yard_focus").attributes["reason"] == sentence


async def test_what_another_program_made_possible_is_done(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    await set_up(SOURCE)
    webcam.controls.values["focus_automatic_continuous"] = 0
    await _set(hass, "number.yard_focus", 100)
    assert webcam.controls.values["focus_absolute"] == 100


async def test_settings_survive_a_restart_and_a_replug(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(SOURCE)
    await _set(hass, "number.yard_brightness", 200)
    await _written(hass)
    assert hass_storage["tripod"]["data"]["controls"] == {entry.entry_id: {"brightness": 200}}
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert webcam.controls.values["brightness"] == 128, "another process, the same camera after a power cut"
    async with streaming(entry) as pipeline:
        assert webcam.controls.values["brightness"] == 200
        webcam.unplug()
        await until(pipeline, lambda: pipeline.state is State.RETRYING)
        webcam.plug()
        await until(pipeline, lambda: pipeline.state is State.STREAMING)
        assert webcam.controls.values["brightness"] == 200


async def test_a_camera_that_is_unplugged_at_a_restart_keeps_its_entities(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam
) -> None:
    entry = await set_up(SOURCE)
    await _set(hass, "number.yard_brightness", 200)
    before = set(hass.states.async_entity_ids())
    webcam.unplug()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert set(hass.states.async_entity_ids()) == before
    assert _state(hass, "number.yard_brightness").state == "200.0", "what it will be set to"
    assert _state(hass, "number.yard_gain").state == STATE_UNKNOWN
    assert _state(hass, "select.yard_automatic_exposure").state == STATE_UNKNOWN
    assert _state(hass, "switch.yard_autofocus").state == STATE_UNKNOWN
    with pytest.raises(HomeAssistantError, match="The device is not there"):
        await _set(hass, "number.yard_gain", 5)
    webcam.plug()
    async with streaming(entry):
        await hass.async_block_till_done()
        assert _state(hass, "number.yard_gain").state == "37.0"
    assert set(hass.states.async_entity_ids()) == before, "none twice"


async def test_entities_come_when_the_camera_is_first_seen(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.unplug()
    entry = await set_up(SOURCE)
    assert hass.states.get("number.yard_brightness") is None
    webcam.plug()
    async with streaming(entry):
        await hass.async_block_till_done()
    assert _state(hass, "number.yard_brightness").state == "128.0"
    assert _state(hass, "select.yard_exposure_mode").state == "auto"


async def test_a_control_that_is_gone_is_unavailable(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    """Another camera was plugged in the same place."""
    entry = await set_up(SOURCE)
    webcam.controls._controls = [control for control in WEBCAM if control.key != "brightness"]
    async with streaming(entry):
        await entry.runtime_data.coordinator.async_refresh()
    assert _state(hass, "number.yard_brightness").state == STATE_UNAVAILABLE


async def test_labels_of_a_menu_are_told_apart(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.has = [menu("led1_mode", "LED1 Mode", 3, v0="Off", v1="On", v3="On", v4=" "), *WEBCAM]
    webcam.has = [replace(webcam.has[0], key="auto_exposure"), *WEBCAM[:3]]
    await set_up(SOURCE)
    state = _state(hass, "select.yard_automatic_exposure")
    assert state.attributes["options"] == ["Off", "On", "On (3)", "4"]
    assert state.state == "On (3)"
    await _set(hass, "select.yard_automatic_exposure", "4")
    assert webcam.controls.values["auto_exposure"] == 4


async def test_a_step_finer_than_one_is_kept(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.has = [number("lens_position", "LensPosition", 0, 15, 1, step=0.1)]
    await set_up(SOURCE)
    await _set(hass, "number.yard_focus", 2.5)
    assert webcam.controls.values["lens_position"] == 2.5
    assert _state(hass, "number.yard_focus").attributes["unit_of_measurement"] == "dpt"


async def test_endless_numbers_are_rounded(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.has = [number("lens_position", "LensPosition", 1 / 3, 2 / 3, 0.5, value=30.00030000300003 / 60, step=0.01)]
    await set_up(SOURCE)
    focus = _state(hass, "number.yard_focus")
    assert (focus.state, focus.attributes["min"], focus.attributes["max"]) == ("0.5", 0.333, 0.667)


async def test_a_driver_that_gives_no_step_gets_the_usual_one(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam
) -> None:
    webcam.has = [number("brightness", "Brightness", 0, 1, 0, step=0)]
    await set_up(SOURCE)
    assert _state(hass, "number.yard_brightness").attributes["step"] == 0.1


@pytest.mark.usefixtures("all_enabled")
async def test_a_button_of_the_camera_is_pressed(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    await set_up(SOURCE)
    await _set(hass, "button.yard_pan_reset", None)
    assert webcam.controls.written == [("pan_reset", 1)]


async def test_a_button_that_may_start_or_cancel_starts(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    """As libcamera's autofocus scan, where 1 would cancel."""
    choices = {0: "Start", 1: "Cancel"}
    webcam.has = [Control(key="af_trigger", name="Af Trigger", kind=ControlKind.BUTTON, choices=choices)]
    await set_up(SOURCE)
    await _set(hass, "button.yard_focus_now", None)
    assert webcam.controls.written == [("af_trigger", 0)]


async def test_a_reset_puts_all_back(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(SOURCE)
    await _set(hass, "select.yard_exposure_mode", "locked")
    await _set(hass, "number.yard_brightness", 200)
    await _set(hass, "button.yard_reset_controls", None)
    assert webcam.controls.wanted == {}
    assert webcam.controls.values["brightness"] == 128
    assert _state(hass, "number.yard_brightness").state == "128.0"
    assert _state(hass, "select.yard_exposure_mode").state == "auto"
    await _written(hass)
    assert hass_storage["tripod"]["data"]["controls"] == {entry.entry_id: {}}
    assert hass_storage["tripod"]["data"]["exposure"] == {}


async def test_a_reset_of_a_camera_that_is_away_says_so_and_forgets(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam
) -> None:
    entry = await set_up(SOURCE)
    await _set(hass, "number.yard_brightness", 200)
    webcam.unplug()
    with pytest.raises(HomeAssistantError, match="The device is not there"):
        await _set(hass, "button.yard_reset_controls", None)
    assert hass.data[SHARED].storage.controls(entry.entry_id) == {}


async def test_a_camera_without_controls_has_no_reset(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    assert hass.states.get("button.yard_reset_controls") is None
    assert hass.states.async_entity_ids("number") == []


async def test_a_removed_camera_is_forgotten(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up(SOURCE)
    await _set(hass, "number.yard_brightness", 200)
    await _set(hass, "select.yard_exposure_mode", "night")
    assert await hass.config_entries.async_remove(entry.entry_id)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=70))
    await hass.async_block_till_done()
    data = hass_storage["tripod"]["data"]
    assert (data["controls"], data["known_controls"], data["exposure"]) == ({}, {}, {})


def test_what_is_known_is_known_by_keys_as_drivers_have_them() -> None:
    assert all(key == key.lower() and " " not in key for key in KNOWN)
