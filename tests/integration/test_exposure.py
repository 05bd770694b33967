"""Exposure modes: set by hand, by the sun, by an entity."""

from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.tripod.engine.errors import DeviceMissing
from custom_components.tripod.forms import DEFAULT_OPTIONS
from custom_components.tripod.shared import SHARED
from tests.engine.memory_controls import VIVID, WEBCAM

from .conftest import SetUp, streaming
from .dialogs import change_options
from .webcam import SOURCE, Webcam

MODE = "select.yard_exposure_mode"
NIGHT = {"auto_exposure": 3, "exposure_dynamic_framerate": 1}

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 22, 0, tzinfo=UTC)
NEXT_NOON = datetime(2026, 6, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def _in_greenwich(hass: HomeAssistant) -> None:
    await hass.config.async_update(latitude=51.48, longitude=0, elevation=0, time_zone="UTC")


async def _select(hass: HomeAssistant, mode: str) -> None:
    await hass.services.async_call("select", "select_option", {"entity_id": MODE, "option": mode}, blocking=True)


async def _settled(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


async def _at(hass: HomeAssistant, freezer: FrozenDateTimeFactory, time: datetime) -> None:
    freezer.move_to(time)
    async_fire_time_changed(hass, time)
    await _settled(hass)


async def test_a_camera_offers_the_modes_that_it_can(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.has = VIVID
    await set_up(SOURCE)
    assert hass.states.get(MODE).attributes["options"] == ["auto", "locked"]


async def test_a_camera_without_such_controls_offers_none(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    webcam.has = [control for control in WEBCAM if control.key == "brightness"]
    await set_up(SOURCE)
    assert hass.states.get(MODE) is None


async def test_a_mode_is_set_and_survives_a_restart(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up(SOURCE)
    assert hass.states.get(MODE).state == "auto"
    await _select(hass, "locked")
    assert webcam.controls.values["exposure_time_absolute"] == 333
    assert hass.states.get(MODE).state == "locked"
    assert await hass.config_entries.async_reload(entry.entry_id)
    async with streaming(entry):
        assert webcam.controls.values["auto_exposure"] == 1
        assert hass.states.get(MODE).state == "locked"
        await _select(hass, "auto")
    assert webcam.controls.values["auto_exposure"] == 3


async def test_a_mode_that_the_user_undoes_by_hand_is_none(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    await set_up(SOURCE)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.yard_automatic_exposure", "option": "Manual Mode"},
        blocking=True,
    )
    assert hass.states.get(MODE).state == "unknown"


async def test_a_camera_that_is_away_keeps_its_mode(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    await set_up(SOURCE)
    await _select(hass, "night")
    webcam.unplug()
    with pytest.raises(HomeAssistantError, match="The device is not there"):
        await _select(hass, "auto")
    assert hass.states.get(MODE).state == "night"


async def test_the_sun_switches(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    await set_up(SOURCE, day_night="sun")
    await _settled(hass)
    assert hass.states.get(MODE).state == "auto"
    assert webcam.controls.wanted == {}, "as the camera is by itself"
    await _at(hass, freezer, MIDNIGHT)
    assert webcam.controls.wanted == NIGHT
    assert hass.states.get(MODE).state == "night"
    await _at(hass, freezer, NEXT_NOON)
    assert hass.states.get(MODE).state == "auto"
    assert webcam.controls.values["exposure_dynamic_framerate"] == 0


async def test_a_start_at_night_is_night(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(MIDNIGHT)
    await set_up(SOURCE, day_night="sun")
    await _settled(hass)
    assert webcam.controls.wanted == NIGHT


async def test_what_the_user_turned_lasts_until_the_sun_switches(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    entry = await set_up(SOURCE, day_night="sun")
    await _settled(hass)
    await _select(hass, "locked")
    async with streaming(entry):
        await _settled(hass)
        assert hass.states.get(MODE).state == "locked"
    await _at(hass, freezer, MIDNIGHT)
    assert hass.states.get(MODE).state == "night"


async def test_a_camera_that_was_away_at_sunset_takes_the_night_when_it_is_back(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(NOON)
    entry = await set_up(SOURCE, day_night="sun")
    await _settled(hass)
    webcam.unplug()
    await _at(hass, freezer, MIDNIGHT)
    assert hass.states.get(MODE).state == "auto"
    webcam.plug()
    async with streaming(entry):
        await _settled(hass)
        assert hass.states.get(MODE).state == "night"
        assert webcam.controls.values["exposure_dynamic_framerate"] == 1


async def test_a_camera_that_cannot_have_night_is_left_alone(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(MIDNIGHT)
    webcam.has = VIVID
    await set_up(SOURCE, day_night="sun")
    await _settled(hass)
    assert webcam.controls.wanted == {}


@pytest.mark.parametrize(("state", "wanted"), [("on", NIGHT), ("off", {}), ("unavailable", {}), (None, {})])
async def test_an_entity_tells_night_at_the_start(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, state: str | None, wanted: dict[str, Any]
) -> None:
    if state:
        hass.states.async_set("binary_sensor.dark", state)
    await set_up(SOURCE, day_night="entity", night_entity="binary_sensor.dark")
    await _settled(hass)
    assert webcam.controls.wanted == wanted


async def test_an_entity_switches(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up(SOURCE, day_night="entity", night_entity="binary_sensor.dark")
    for state, mode in (("on", "night"), ("unavailable", "night"), ("off", "auto")):
        hass.states.async_set("binary_sensor.dark", state)
        await _settled(hass)
        assert hass.states.get(MODE).state == mode
    hass.states.async_remove("binary_sensor.dark")
    await _settled(hass)
    assert hass.states.get(MODE).state == "auto"
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_set("binary_sensor.dark", "on")
    await _settled(hass)
    assert webcam.controls.values["exposure_dynamic_framerate"] == 0


async def test_a_remembered_night_is_not_set_twice(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    hass.states.async_set("binary_sensor.dark", "on")
    entry = await set_up(SOURCE, day_night="entity", night_entity="binary_sensor.dark")
    await _settled(hass)
    webcam.fail(DeviceMissing("away"))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await _settled(hass)
    assert hass.data[SHARED].storage.exposure(entry.entry_id) == "night"
    assert webcam.controls.written == []


@pytest.mark.parametrize(
    ("kind", "asked"), [("v4l2", {"day_night", "night_entity"}), ("url", set()), ("test_pattern", set())]
)
async def test_day_and_night_is_asked_where_exposure_can_be_turned(
    hass: HomeAssistant, kind: str, asked: set[str]
) -> None:
    entry = MockConfigEntry(domain="tripod", data={"kind": kind})
    entry.add_to_hass(hass)
    result = await change_options(hass, entry, "behaviour")
    fields = {str(getattr(key.schema, "schema", key.schema)) for key in result["data_schema"].schema}
    assert fields & {"day_night", "night_entity"} == asked


async def test_an_entity_that_tells_night_must_be_named(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up(SOURCE)
    options = hass.config_entries.options
    result = await change_options(hass, entry, "behaviour")
    given = {**DEFAULT_OPTIONS, "day_night": "entity"}
    result = await options.async_configure(result["flow_id"], given)
    assert result["errors"] == {"night_entity": "night_entity_missing"}
    hass.states.async_set("binary_sensor.dark", "on")
    result = await options.async_configure(result["flow_id"], {**given, "night_entity": "binary_sensor.dark"})
    assert result["type"] == "create_entry"
    await _settled(hass)
    assert webcam.controls.wanted == NIGHT
