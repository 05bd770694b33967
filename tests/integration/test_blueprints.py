"""The blueprints, as automations of a real Home Assistant: from the trigger to the file and who is told of it."""

import ast
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
import re
import shutil
from typing import Any
from urllib.parse import quote

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from tests.kept import duration

from .conftest import PATTERN, SetUp

FOLDER = Path(__file__).parents[2] / "blueprints/automation/tripod"
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))
REPOSITORY = "https://github.com/tripod-cameras/tripod/blob/main/blueprints/automation/tripod"

CAMERA = "camera.yard"
MOTION = "binary_sensor.hall"
PRINTER = "sensor.octoprint_current_state"

type Automate = Callable[..., Awaitable[None]]


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Put the blueprints where an import puts them."""
    shutil.copytree(FOLDER, tmp_path / "blueprints/automation/tripod")
    return str(tmp_path)


@pytest.fixture
async def automate(hass: HomeAssistant) -> Automate:
    """Make an automation of a blueprint."""

    async def automate(blueprint: str, **inputs: Any) -> None:
        used = {"path": f"tripod/{blueprint}.yaml", "input": {"camera": CAMERA, **inputs}}
        assert await async_setup_component(hass, "automation", {"automation": {"id": "1", "use_blueprint": used}})
        await hass.async_block_till_done()
        (automation,) = hass.states.async_all("automation")
        assert automation.state == "on", "the blueprint is not valid"

    return automate


class Phone:
    """A stand-in for a phone with Home Assistant's app: its device, and the action that notifies it.

    No machine can show the real one; the end-to-end tests register one at a real Home Assistant.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Register it."""
        entry = MockConfigEntry(domain="mobile_app", title="Hall phone")
        entry.add_to_hass(hass)
        device = dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={("mobile_app", "1")}, name="Hall phone"
        )
        self.device_id = device.id
        self.notified: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        hass.services.async_register("notify", "mobile_app_hall_phone", self._notify)

    async def _notify(self, call: ServiceCall) -> None:
        self.notified.put_nowait(dict(call.data))

    async def notification(self) -> dict[str, Any]:
        """Wait for the next notification."""
        async with asyncio.timeout(30):
            return await self.notified.get()


@pytest.fixture
def phone(hass: HomeAssistant) -> Phone:
    return Phone(hass)


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_a_blueprint_says_where_it_comes_from_and_what_each_input_is(path: Path) -> None:
    blueprint = load_yaml_dict(str(path))["blueprint"]
    assert blueprint["source_url"] == f"{REPOSITORY}/{path.name}"
    assert blueprint["domain"] == "automation"
    assert blueprint["homeassistant"]["min_version"] == "2026.10.0"
    assert blueprint["description"]
    assert all(field["name"] and field["selector"] for field in blueprint["input"].values())


def test_every_state_of_octoprints_sensor_is_known() -> None:
    """Read from Home Assistant's own integration, so that a state that it gets is noticed here."""
    source = Path(find_spec("homeassistant").submodule_search_locations[0]) / "components/octoprint/sensor.py"
    (table,) = (
        node.value
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    states = set(ast.literal_eval(table).values())
    triggers = load_yaml_dict(str(FOLDER / "print_timelapse.yaml"))["triggers"]
    begins, ends = triggers[:2]
    transfers = {"starting_streaming", "printing_streaming", "transferring_file"}
    connects = {"open_serial", "detect_serial", "connecting"}
    busy, idle = set(ends["from"]), set(ends["to"])
    assert set(begins["to"]) < busy == set(begins["not_from"])
    assert states == busy | idle | transfers | connects
    assert not busy & idle


async def reached(hass: HomeAssistant, condition: Callable[[], bool], timeout: float = 20) -> None:
    """Wait until `condition` holds, looking after each change of any state."""
    changed = asyncio.Event()
    unlisten = hass.bus.async_listen(EVENT_STATE_CHANGED, callback(lambda _: changed.set()))
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                changed.clear()
                await changed.wait()
    finally:
        unlisten()


def number(hass: HomeAssistant, entity_id: str) -> int:
    """Return the state of a sensor."""
    return int(hass.states.get(entity_id).state)


async def test_motion_is_recorded_with_what_came_before_and_sent(
    hass: HomeAssistant, set_up: SetUp, automate: Automate, phone: Phone, media: Path
) -> None:
    entry = await set_up(PATTERN, pre_roll=10)
    move = partial(hass.states.async_set, MOTION, attributes={"friendly_name": "Hall"})
    move("off")
    facts = {"path": "{{ recording.path }}", "id": "{{ recording.media_content_id }}"}
    told = {"event": "recorded", "event_data": facts}
    inputs = {"motion": [MOTION], "pre_roll": 2, "linger": 1, "phones": [phone.device_id], "actions": [told]}
    await automate("record_on_motion", **inputs)
    recorded = async_capture_events(hass, "recorded")
    pipeline = entry.runtime_data.pipeline
    async with pipeline.packets() as packets:
        async for _ in packets:
            if len(pipeline.packet_feed.complete) > 3:
                break
    move("on")
    await reached(hass, lambda: number(hass, "sensor.yard_recordings_under_way") == 1)
    move("off")
    move("on")
    move("off")
    notification = await phone.notification()
    await reached(hass, lambda: number(hass, "sensor.yard_recordings_under_way") == 0)
    (file,) = (media / "tripod/yard/recordings").rglob("*.mp4")
    assert notification["title"] == "Yard"
    assert re.fullmatch(r"Hall, \d\d:\d\d:\d\d, \d+ s", notification["message"])
    key = f"{entry.entry_id}/recordings/{file.parent.name}/{file.name}"
    assert notification["data"]["video"] == f"/api/tripod/media/{quote(key)}"
    assert duration(file) >= 3
    (event,) = recorded
    assert event.data == {"path": str(file), "id": f"media-source://tripod/{key}"}
