"""The dialog for standing timelapses."""

import json
import re
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import DOMAIN, SUBENTRY_TIMELAPSE
from custom_components.tripod.engine.timelapse import Job, Sun
from custom_components.tripod.timelapse_forms import EXAMPLE

from .conftest import PATTERN
from .test_translations import EN

FORM: dict[str, Any] = {"interval": {"hours": 0, "minutes": 5, "seconds": 0}, "when": {}, "left_out": {}, "video": {}}

GARDEN = Job(
    name="Garden",
    interval=90.0,
    start_time=None,
    end_time=None,
    weekdays=frozenset([0, 6]),
    sun=Sun.TWILIGHT,
    sun_margin=-600,
    condition="binary_sensor.dry",
    skip_unchanged=True,
    difference=1.5,
    length=30,
    render=False,
)


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Have a camera, which need not run, with a timelapse."""
    garden = ConfigSubentryData(data=GARDEN.as_dict(), subentry_type=SUBENTRY_TIMELAPSE, title="Garden", unique_id=None)
    entry = MockConfigEntry(domain=DOMAIN, title="Yard", data=PATTERN, subentries_data=[garden])
    entry.add_to_hass(hass)
    return entry


async def _add(hass: HomeAssistant, entry: MockConfigEntry, *answers: dict[str, Any]) -> Any:
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, SUBENTRY_TIMELAPSE), context={"source": SOURCE_USER})
    for answer in answers:
        result = await flows.async_configure(result["flow_id"], {**FORM, **answer})
    return result


def _job(entry: MockConfigEntry, name: str) -> Job:
    [found] = [item for item in entry.get_subentries_of_type(SUBENTRY_TIMELAPSE) if item.title == name]
    return Job.from_dict(found.data)


def _suggested(schema: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in schema.schema.items():
        if inner := getattr(value, "schema", None):
            found[key.schema] = _suggested(inner)
        elif key.description:
            found[key.schema] = key.description["suggested_value"]
    return found


def _named(step: str, *errors: str) -> set[str]:
    """Return what the texts of a step and of errors name."""
    texts = EN["config_subentries"]["timelapse"]
    return set(re.findall(r"\{(\w+)\}", json.dumps([texts["step"][step], [texts["error"][key] for key in errors]])))


async def test_a_name_is_all_that_a_timelapse_needs(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    result = await _add(hass, entry, {"name": " Sky "})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Sky"
    assert _job(entry, "Sky") == Job(name="Sky", interval=300, render=False)


async def test_all_fields_make_the_job(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await _add(
        hass,
        entry,
        {
            "name": "Site",
            "interval": {"hours": 1, "minutes": 0, "seconds": 30},
            "when": {
                "start_time": "07:30:00",
                "end_time": "17:00:00",
                "weekdays": ["mon", "fri"],
                "sun": "up",
                "sun_margin": 30,
                "condition": "binary_sensor.works",
            },
            "left_out": {"skip_unchanged": True, "difference": 0, "skip_dark": True},
            "video": {"fps": 12.5, "width": 1280, "height": 720, "quality": 60, "overlay": EXAMPLE, "deflicker": True},
        },
    )
    assert _job(entry, "Site") == Job.from_dict(
        {
            "name": "Site",
            "interval": 3630.0,
            "start_time": "07:30:00",
            "end_time": "17:00:00",
            "weekdays": [0, 4],
            "sun": "up",
            "sun_margin": 1800,
            "condition": "binary_sensor.works",
            "skip_unchanged": True,
            "difference": 0,
            "skip_dark": True,
            "fps": 12.5,
            "look": {"width": 1280, "height": 720, "quality": 60, "overlay": EXAMPLE, "deflicker": True},
            "render": False,
        }
    )


async def test_no_interval_takes_frames_on_request_only(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await _add(hass, entry, {"name": "Print", "interval": {"hours": 0, "minutes": 0, "seconds": 0}})
    assert _job(entry, "Print").interval is None


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"name": "GARDEN"}, {"name": "name_taken"}),
        ({"name": "../Sky"}, {"base": "invalid_job"}),
        ({"interval": {"hours": 25}}, {"base": "invalid_job"}),
        ({"video": {"fps": 25, "length": 10}}, {"base": "invalid_job"}),
        ({"video": {"width": 2}}, {"base": "invalid_request"}),
    ],
)
async def test_what_cannot_be_is_told_and_can_be_mended(
    hass: HomeAssistant, entry: MockConfigEntry, wrong: dict[str, Any], errors: dict[str, str]
) -> None:
    result = await _add(hass, entry, {"name": "Sky", **wrong})
    assert result["errors"] == errors
    assert _suggested(result["data_schema"])["name"] == wrong.get("name", "Sky")
    assert result["description_placeholders"].keys() >= _named("user", *errors.values())
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], {**FORM, "name": "Sky"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("wrong", [{"when": {"weekdays": []}}, {"interval": {"seconds": -1}}])
async def test_the_form_itself_refuses(hass: HomeAssistant, entry: MockConfigEntry, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidData):
        await _add(hass, entry, {"name": "Sky", **wrong})


async def test_a_timelapse_is_shown_as_it_is_and_changed(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    [garden] = entry.get_subentries_of_type(SUBENTRY_TIMELAPSE)
    result: Any = await entry.start_subentry_reconfigure_flow(hass, garden.subentry_id)
    assert result["step_id"] == "reconfigure"
    assert result["description_placeholders"].keys() >= _named("reconfigure")
    shown = _suggested(result["data_schema"])
    assert shown["when"]["weekdays"] == ["mon", "sun"]

    flows = hass.config_entries.subentries
    unchanged = await flows.async_configure(result["flow_id"], shown)
    assert unchanged["reason"] == "reconfigure_successful"
    assert _job(entry, "Garden") == GARDEN

    result = await entry.start_subentry_reconfigure_flow(hass, garden.subentry_id)
    result = await flows.async_configure(result["flow_id"], {**shown, "interval": {"hours": 30}})
    assert result["errors"] == {"base": "invalid_job"}
    await flows.async_configure(result["flow_id"], {**shown, "interval": {"minutes": 2}})
    assert _job(entry, "Garden").interval == 120
