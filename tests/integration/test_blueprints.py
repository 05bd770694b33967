"""The blueprints, as automations of a real Home Assistant: from the trigger to the file and who is told of it."""

import ast
import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
import shutil
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

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
