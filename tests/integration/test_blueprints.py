"""The blueprints, as automations of a real Home Assistant: from the trigger to the file and who is told of it."""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
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
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from tests.kept import duration, pictures

from .conftest import JPEG_PATTERN, PATTERN, SetUp

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
async def automate(hass: HomeAssistant) -> AsyncIterator[Automate]:
    """Make an automation of a blueprint, until the end of the test."""

    async def automate(blueprint: str, **inputs: Any) -> None:
        used = {"path": f"tripod/{blueprint}.yaml", "input": {"camera": CAMERA, **inputs}}
        assert await async_setup_component(hass, "automation", {"automation": {"id": "1", "use_blueprint": used}})
        await hass.async_block_till_done()
        (automation,) = hass.states.async_all("automation")
        assert automation.state == "on", "the blueprint is not valid"

    yield automate
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


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


def attached(key: str) -> dict[str, str]:
    """Return what a notification shows of a video."""
    return {"video": f"/api/tripod/media/{quote(key)}", "image": f"/api/tripod/thumbnail/{quote(key)}"}


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    """Call one of our actions on the camera."""
    await hass.services.async_call("tripod", action, {"entity_id": CAMERA, **data}, blocking=True)


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
    assert notification["data"] == attached(key)
    assert duration(file) >= 3
    (event,) = recorded
    assert event.data == {"path": str(file), "id": f"media-source://tripod/{key}"}


async def test_the_timelapse_of_the_day_is_made_in_the_evening_and_sent(
    hass: HomeAssistant, set_up: SetUp, automate: Automate, phone: Phone, media: Path
) -> None:
    entry = await set_up(JPEG_PATTERN)
    await call(hass, "start_timelapse", job="garden", interval=3600)
    await call(hass, "timelapse_frame", job="garden")
    await call(hass, "timelapse_frame", job="garden")
    told = {"event": "made", "event_data": {"path": "{{ video.path }}", "id": "{{ video.media_content_id }}"}}
    await automate("daily_timelapse", job="garden", length=2, phones=[phone.device_id], actions=[told])
    made = async_capture_events(hass, "made")
    async_fire_time_changed(hass, dt_util.now().replace(hour=20, minute=0, second=0))
    notification = await phone.notification()
    (video,) = (media / "tripod/yard/videos").rglob("*.mp4")
    frames = list((media / "tripod/yard/timelapse/garden/frames").rglob("*.jpg"))
    assert pictures(video) == len(frames) >= 2
    assert duration(video) == pytest.approx(2, abs=0.1)
    assert notification["message"] == "garden, 2 s"
    key = f"{entry.entry_id}/videos/{video.parent.name}/{video.name}"
    assert notification["data"] == attached(key)
    (event,) = made
    assert event.data == {"path": str(video), "id": f"media-source://tripod/{key}"}


async def test_a_print_becomes_a_video_that_is_sent(
    hass: HomeAssistant, set_up: SetUp, automate: Automate, phone: Phone, media: Path
) -> None:
    """OctoPrint's entities, named as Home Assistant's integration names them; in the end-to-end tests they are real."""
    entry = await set_up(JPEG_PATTERN)
    kept = media / "tripod/yard"
    printer = partial(hass.states.async_set, PRINTER)
    printer("operational")
    await automate("print_timelapse", printer=PRINTER, interval=1, length=1, phones=[phone.device_id])
    printer("starting")
    printer("printing")
    await reached(hass, lambda: number(hass, "sensor.yard_timelapse_frames_today") >= 2)
    printer("paused")
    await call(hass, "timelapse_frame", job="print")
    printer("printing")
    taken = number(hass, "sensor.yard_timelapse_frames_today")
    await reached(hass, lambda: number(hass, "sensor.yard_timelapse_frames_today") > taken)
    printer("finishing")
    printer("operational")
    notification = await phone.notification()
    (video,) = (kept / "videos").rglob("*.mp4")
    assert pictures(video) == len(list((kept / "timelapse/print/frames").rglob("*.jpg")))
    assert notification["message"] == "print, 1 s"
    key = f"{entry.entry_id}/videos/{video.parent.name}/{video.name}"
    assert notification["data"] == attached(key)
    assert number(hass, "sensor.yard_timelapses_under_way") == 0


async def test_a_print_that_ended_unseen_ends_its_timelapse(
    hass: HomeAssistant, set_up: SetUp, automate: Automate, phone: Phone
) -> None:
    """Home Assistant was away at the end, or OctoPrint was."""
    await set_up(JPEG_PATTERN)
    hass.states.async_set(PRINTER, "operational")
    await automate("print_timelapse", printer=PRINTER, interval=1, length=1, phones=[phone.device_id])
    hass.states.async_set(PRINTER, "printing")
    await reached(hass, lambda: number(hass, "sensor.yard_timelapse_frames_today") >= 1)
    hass.states.async_set(PRINTER, "unavailable")
    hass.states.async_set(PRINTER, "printing")  # the same print, seen again: no second timelapse
    hass.states.async_set(PRINTER, "unavailable")
    hass.states.async_set(PRINTER, "operational")
    assert (await phone.notification())["message"] == "print, 1 s"
    hass.states.async_set(PRINTER, "unavailable")
    hass.states.async_set(PRINTER, "operational")  # there is nothing to end
    await hass.async_block_till_done()
    assert phone.notified.empty()
