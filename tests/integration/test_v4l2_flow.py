"""Adding and changing a V4L2 camera.

This machine has no video device: the list of devices is a recording, and what each would deliver is drawn by a real
ffmpeg. All else is real: the looks, the measuring, the live check, the camera that comes of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_INTEGRATION_DISCOVERY, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod import v4l2_forms
from custom_components.tripod.const import DOMAIN
from custom_components.tripod.discovery import Discovery
from custom_components.tripod.engine.errors import DeviceHeld, DeviceMissing, DeviceNotPermitted, TripodError
from custom_components.tripod.engine.sources import Sink, TestPattern, Tools, V4l2, alsa, look
from custom_components.tripod.engine.sources.alsa import Microphone
from custom_components.tripod.engine.sources.v4l2 import devices, profiles
from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice
from custom_components.tripod.engine.status import State
from custom_components.tripod.preview import previews
from tests.recorded import v4l2_devices

from .conftest import Client, SetUp, children, until
from .dialogs import change, choose, fill_in, options, pictures, suggested

WEBCAM, CAPTURE = v4l2_devices()

HELD = DeviceHeld(device="/dev/video2", holder="motion (1234)")


BRIEF = 0.2
"""Seconds of stream that are enough here: no figure is looked at."""


class Plugged:
    """The devices that this machine seems to have."""

    def __init__(self) -> None:
        self.devices = [WEBCAM]
        self.listing: TripodError | None = None
        self.failing: dict[str, TripodError] = {}
        """Why a device cannot be captured from, by its path."""
        self.opened: list[V4l2] = []
        self.open = 0
        self.opening = asyncio.Event()
        self.closed = asyncio.Event()
        self.collided = False

    async def list_devices(self) -> list[VideoDevice]:
        if self.listing:
            raise self.listing
        return self.devices

    async def device(self, path: str) -> VideoDevice:
        for device in self.devices:
            if path in device.paths:
                return device
        raise DeviceMissing(path)

    @asynccontextmanager
    async def _opened(self, source: V4l2) -> AsyncIterator[None]:
        self.collided |= self.open > 0
        self.open += 1
        self.opened.append(source)
        self.opening.set()
        try:
            yield
        finally:
            self.open -= 1
            self.closed.set()

    async def capture(self, source: V4l2, tools: Tools, sink: Sink) -> None:
        await self.device(source.device)
        if error := self.failing.get(source.device):
            raise error
        form: Any = "h264" if source.input_format == "h264" else "mjpeg"
        async with self._opened(source):
            drawn = TestPattern(width=source.width, height=source.height, rate=int(source.rate), format=form)
            await drawn.capture(tools, sink)


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Plugged:
    """Plug the webcam in."""
    plugged = Plugged()
    monkeypatch.setattr(devices, "list_devices", plugged.list_devices)
    monkeypatch.setattr(devices, "device", plugged.device)
    monkeypatch.setattr(Discovery, "start", lambda _: None)  # which would withdraw the offers of these tests
    monkeypatch.setattr(look, "MEASURE", BRIEF)
    monkeypatch.setattr(profiles, "measure", partial(profiles.measure, seconds=BRIEF))
    monkeypatch.setattr(profiles, "ENOUGH", 0)  # so short a time says nothing of the rate

    async def capture(self: V4l2, tools: Tools, sink: Sink) -> None:
        await plugged.capture(self, tools, sink)

    monkeypatch.setattr(V4l2, "capture", capture)
    monkeypatch.setattr(V4l2, "attached", lambda self: any(self.device in one.paths for one in plugged.devices))
    return plugged


@pytest.fixture(autouse=True)
def microphones(monkeypatch: pytest.MonkeyPatch) -> list[Microphone]:
    """Have no microphones but those that a test adds."""
    found: list[Microphone] = []

    async def list_microphones() -> list[Microphone]:
        return found

    monkeypatch.setattr(alsa, "list_microphones", list_microphones)
    return found


async def _profiles(hass: HomeAssistant) -> Any:
    """Begin to add the webcam, up to the choice of a profile."""
    result = await choose(hass, "v4l2")
    assert result["step_id"] == "v4l2_camera"
    result = await fill_in(hass, result, {"camera": WEBCAM.id})
    assert result["step_id"] == "v4l2_profile", result
    return result


async def _add(hass: HomeAssistant, **given: Any) -> ConfigEntry:
    result = await fill_in(hass, await _profiles(hass), {"profile": "0", "name": "Desk", **given})
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    return entry


async def test_a_webcam_is_chosen_by_its_picture_and_set_up_the_cheapest_way(
    hass: HomeAssistant, plugged: Plugged, browser: Client
) -> None:
    result = await choose(hass, "v4l2")
    assert result["step_id"] == "v4l2_camera"
    assert options(result, "camera") == {
        WEBCAM.id: "Test Camera (/dev/video0)",
        "again": "again",
        "by_path": "by_path",
    }
    [address] = pictures(result["description_placeholders"]["cameras"])
    assert (await (await browser.get(address)).read()).startswith(b"\xff\xd8")

    result = await fill_in(hass, result, {"camera": WEBCAM.id})
    assert result["step_id"] == "v4l2_profile"
    assert suggested(result) == {"profile": "0", "name": "Test Camera"}
    best = options(result, "profile")["0"]
    assert "JPEG from the camera, untouched: " in best
    assert " % of a core, first picture after " in best

    result = await fill_in(hass, result, {"profile": "0", "name": "Desk"})
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"]["codec"] == "JPEG"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["title"] == "Desk"
    assert result["data"]["device"] == WEBCAM.path
    assert result["data"]["input_format"] == "mjpeg"
    assert result["data"]["microphone"] == ""
    assert result["result"].unique_id == WEBCAM.id
    assert (await browser.get(address)).status == 404, "the pictures go with the dialog"
    assert not plugged.collided
    await hass.async_block_till_done()


async def test_a_profile_that_fails_is_not_offered(
    hass: HomeAssistant, plugged: Plugged, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def capture(self: V4l2, tools: Tools, sink: Sink) -> None:
        if self.width > 1000:
            raise HELD
        await plugged.capture(self, tools, sink)

    monkeypatch.setattr(V4l2, "capture", capture)
    offered = options(await _profiles(hass), "profile")
    assert len(offered) > 1
    assert not any("1280" in label for label in offered.values())


async def test_the_microphone_in_the_same_device_is_suggested(
    hass: HomeAssistant, plugged: Plugged, microphones: list[Microphone]
) -> None:
    other = Microphone(device="plughw:CARD=PCH,DEV=0", name="Built-in", usb="")
    own = Microphone(device="plughw:CARD=Camera,DEV=0", name="Test Camera", usb=WEBCAM.usb)
    microphones += [other, own]
    result = await _profiles(hass)
    assert options(result, "microphone") == {other.device: "Built-in", own.device: "Test Camera", "none": "none"}
    assert suggested(result)["microphone"] == own.device
    result = await fill_in(hass, result, {"profile": "0", "name": "Desk", "microphone": own.device})
    assert plugged.opened[-1].microphone == own.device
    assert result["description_placeholders"]["audio"] == f"AAC, {own.device}"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["data"]["microphone"] == own.device
    await hass.async_block_till_done()


async def test_a_microphone_elsewhere_is_not_suggested(
    hass: HomeAssistant, plugged: Plugged, microphones: list[Microphone]
) -> None:
    microphones.append(Microphone(device="plughw:CARD=PCH,DEV=0", name="Built-in", usb=""))
    assert suggested(await _profiles(hass))["microphone"] == "none"
    entry = await _add(hass, microphone="none")
    assert entry.data["microphone"] == ""


@pytest.mark.parametrize("format_name", ["YUYV (raw)", "YUYV422"])
async def test_every_setting_of_the_device_may_be_chosen(
    hass: HomeAssistant, plugged: Plugged, format_name: str
) -> None:
    result = await fill_in(hass, await _profiles(hass), {"profile": "expert", "name": "Desk"})
    assert result["step_id"] == "v4l2_expert"
    assert list(options(result, "input_format")) == ["JPEG", "YUYV (raw)"]
    assert list(options(result, "size")) == ["1280 × 720", "640 × 360"]  # noqa: RUF001 - as shown
    assert list(options(result, "rate")) == ["30"]
    assert suggested(result)["input_format"] == "JPEG"
    given = {"input_format": format_name, "size": " 320 X 240", "rate": "12.5", "quality": 70}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    data = result["data"]
    assert (data["input_format"], data["width"], data["height"]) == ("yuyv422", 320, 240)
    assert (data["rate"], data["quality"]) == (12.5, 70)
    await hass.async_block_till_done()


@pytest.mark.parametrize("wrong", [{"size": "big"}, {"rate": "fast"}, {"input_format": "-i /etc/passwd"}])
async def test_a_setting_that_is_none_is_told_in_the_form(
    hass: HomeAssistant, plugged: Plugged, wrong: dict[str, str]
) -> None:
    result = await fill_in(hass, await _profiles(hass), {"profile": "expert", "name": "Desk"})
    given = {"input_format": "mjpeg", "size": "640x360", "rate": "30", "quality": 85, **wrong}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "v4l2_expert"
    assert result["errors"] == {"base": "invalid_source"}
    assert suggested(result) == given


async def test_a_device_that_fails_at_the_live_check_is_told_in_the_form(hass: HomeAssistant, plugged: Plugged) -> None:
    result = await _profiles(hass)
    plugged.failing[WEBCAM.path] = HELD
    result = await fill_in(hass, result, {"profile": "1", "name": "Desk"})
    assert result["step_id"] == "v4l2_profile"
    assert result["errors"] == {"base": "device_held"}
    assert result["description_placeholders"]["holder"] == "motion (1234)"
    assert suggested(result) == {"profile": "1", "name": "Desk"}


async def test_without_a_camera_it_is_said_what_to_check(hass: HomeAssistant, plugged: Plugged) -> None:
    plugged.devices = []
    result = await choose(hass, "v4l2")
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "v4l2_none"
    assert result["description_placeholders"]["reason"] == "Home Assistant sees no video device."
    plugged.devices = [WEBCAM]
    result = await fill_in(hass, result, {"next_step_id": "v4l2"})
    assert result["step_id"] == "v4l2_camera"


async def test_devices_that_may_not_be_opened_are_named_with_the_remedy(hass: HomeAssistant, plugged: Plugged) -> None:
    plugged.listing = DeviceNotPermitted(device="/dev/video0", group="video", gid="44")
    result = await choose(hass, "v4l2")
    assert result["step_id"] == "v4l2_none"
    assert "group_add" in result["description_placeholders"]["reason"]


async def test_a_device_that_another_program_holds_is_listed_with_the_reason(
    hass: HomeAssistant, plugged: Plugged
) -> None:
    plugged.devices = [WEBCAM, CAPTURE]
    plugged.failing[CAPTURE.path] = HELD
    result = await choose(hass, "v4l2")
    shown = result["description_placeholders"]["cameras"]
    assert "**vivid (/dev/video2)**\n\nThe device /dev/video2 is in use by motion (1234)." in shown
    assert len(pictures(shown)) == 1
    result = await fill_in(hass, result, {"camera": CAPTURE.id})
    assert result["step_id"] == "v4l2_camera"
    assert result["errors"] == {"base": "device_held"}
    del plugged.failing[CAPTURE.path]
    result = await fill_in(hass, result, {"camera": "again"})
    assert len(pictures(result["description_placeholders"]["cameras"])) == 2


async def test_a_device_without_a_usable_format_is_listed_with_the_reason(
    hass: HomeAssistant, plugged: Plugged
) -> None:
    plugged.devices = [replace(WEBCAM, modes=())]
    result = await choose(hass, "v4l2")
    assert "The format is not supported" in result["description_placeholders"]["cameras"]
    result = await fill_in(hass, result, {"camera": WEBCAM.id})
    assert result["errors"] == {"base": "format_not_supported"}


async def test_a_camera_that_is_set_up_is_shown_and_not_offered(
    hass: HomeAssistant, plugged: Plugged, set_up: SetUp
) -> None:
    await _add(hass)
    result = await choose(hass, "v4l2")
    shown = result["description_placeholders"]["cameras"]
    assert "This camera is set up already, as Desk." in shown
    assert "![](" in shown
    assert set(options(result, "camera")) == {"again", "by_path"}
    assert not plugged.collided, "it showed what it shows anybody"


async def test_a_camera_that_is_not_loaded_is_shown_without_a_picture(hass: HomeAssistant, plugged: Plugged) -> None:
    entry = await _add(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    result = await choose(hass, "v4l2")
    assert "as Desk" in result["description_placeholders"]["cameras"]
    assert "![](" not in result["description_placeholders"]["cameras"]


async def test_two_dialogs_cannot_set_up_one_device(hass: HomeAssistant, plugged: Plugged) -> None:
    first = await _profiles(hass)
    await _add(hass)
    with pytest.raises(UnknownFlow):
        await fill_in(hass, first, {"profile": "0", "name": "Desk again"})
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_a_device_is_described_by_hand_and_kept_by_its_stable_path(hass: HomeAssistant, plugged: Plugged) -> None:
    result = await fill_in(hass, await choose(hass, "v4l2"), {"camera": "by_path"})
    assert result["step_id"] == "v4l2_path"
    given = {"name": "Desk", "device": "/dev/video0", "input_format": "mjpeg", "width": 640, "height": 360, "rate": 30}
    result = await fill_in(hass, result, given)
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["title"] == "Desk"
    assert result["data"]["device"] == WEBCAM.path
    assert result["result"].unique_id == WEBCAM.id
    await hass.async_block_till_done()
    again = await fill_in(hass, await choose(hass, "v4l2"), {"camera": "by_path"})
    again = await fill_in(hass, again, given)
    assert again["reason"] == "already_configured"


async def test_a_device_that_is_not_there_is_told_in_the_form(hass: HomeAssistant, plugged: Plugged) -> None:
    plugged.devices = []
    result = await fill_in(hass, await choose(hass, "v4l2"), {"next_step_id": "v4l2_path"})
    result = await fill_in(hass, result, {"name": "Webcam", "device": "/dev/video99"})
    assert result["step_id"] == "v4l2_path"
    assert result["errors"] == {"base": "device_missing"}
    assert suggested(result)["name"] == "Webcam"
    assert suggested(result)["device"] == "/dev/video99"


async def test_closing_the_dialog_ends_the_measuring(hass: HomeAssistant, plugged: Plugged) -> None:
    result = await choose(hass, "v4l2")
    plugged.opening.clear()
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"camera": WEBCAM.id})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["description_placeholders"] == {"name": "Test Camera"}
    async with asyncio.timeout(20):
        await plugged.opening.wait()
    assert plugged.open
    plugged.closed.clear()
    hass.config_entries.flow.async_abort(result["flow_id"])
    async with asyncio.timeout(20):
        await plugged.closed.wait()
    await hass.async_block_till_done()
    assert not plugged.open
    assert children() == set()


# --- discovery -------------------------------------------------------------------------------------------------------


async def _discovered(hass: HomeAssistant, path: str = WEBCAM.path) -> Any:
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_INTEGRATION_DISCOVERY},
        data={"id": WEBCAM.id, "path": path, "name": WEBCAM.name},
    )


async def test_a_discovered_camera_is_opened_when_somebody_looks(
    hass: HomeAssistant, plugged: Plugged, browser: Client
) -> None:
    result = await _discovered(hass)
    assert result["step_id"] == "v4l2_discovered"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "Test Camera"}
    assert plugged.opened == [], "nobody asked for a picture yet"
    [address] = pictures(result["description_placeholders"]["picture"])
    for _ in range(2):
        assert (await (await browser.get(address)).read()).startswith(b"\xff\xd8")
    assert len(plugged.opened) == 1
    result = await fill_in(hass, result, {})
    assert result["step_id"] == "v4l2_profile"
    result = await fill_in(hass, result, {"profile": "0", "name": "Desk"})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["result"].unique_id == WEBCAM.id
    assert not plugged.collided
    await hass.async_block_till_done()


@pytest.mark.parametrize("gone", [True, False])
async def test_a_discovered_camera_that_cannot_be_opened_says_why_in_the_picture(
    hass: HomeAssistant,
    plugged: Plugged,
    browser: Client,
    gone: bool,  # noqa: FBT001
) -> None:
    result = await _discovered(hass)
    if gone:
        plugged.devices = []
    else:
        plugged.failing[WEBCAM.path] = HELD
    [address] = pictures(result["description_placeholders"]["picture"])
    assert (await (await browser.get(address)).read()).startswith(b"\xff\xd8")
    result = await fill_in(hass, result, {})
    assert result["step_id"] == "v4l2_discovered"
    assert result["errors"] == {"base": "device_missing" if gone else "device_held"}


async def test_closing_the_dialog_ends_the_look(hass: HomeAssistant, plugged: Plugged) -> None:
    assert await async_setup_component(hass, "http", {})
    result = await _discovered(hass)
    name = result["description_placeholders"]["picture"].rpartition("/")[2].removesuffix(".jpg)")
    asked = hass.async_create_task(previews(hass).get(name))
    await plugged.opening.wait()
    hass.config_entries.flow.async_abort(result["flow_id"])
    async with asyncio.timeout(20):
        await plugged.closed.wait()
    assert children() == set()
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_a_discovered_camera_that_is_set_up_follows_its_device(hass: HomeAssistant, plugged: Plugged) -> None:
    entry = await _add(hass)
    moved = "/dev/v4l/by-path/platform-dummy_hcd.0-usb-0:1:1.0-video-index0"
    result = await _discovered(hass, moved)
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert entry.data["device"] == moved
    assert entry.runtime_data.pipeline.source.device == moved


async def test_an_ignored_camera_stays_ignored_and_may_be_added_by_hand(hass: HomeAssistant, plugged: Plugged) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id=WEBCAM.id, source=SOURCE_IGNORE).add_to_hass(hass)
    assert (await _discovered(hass))["reason"] == "already_configured"
    assert hass.config_entries.async_entries(DOMAIN)[0].data == {}
    entry = await _add(hass)
    assert entry.unique_id == WEBCAM.id


async def test_a_camera_is_offered_once(hass: HomeAssistant, plugged: Plugged) -> None:
    assert await async_setup_component(hass, "http", {})
    await _discovered(hass)
    assert (await _discovered(hass))["reason"] == "already_in_progress"
    await _add(hass)
    assert hass.config_entries.flow.async_progress() == [], "nor when it was added by hand meanwhile"


# --- change ----------------------------------------------------------------------------------------------------------


async def test_reconfiguring_measures_anew_and_keeps_what_is_not_changed(
    hass: HomeAssistant, plugged: Plugged, microphones: list[Microphone]
) -> None:
    own = Microphone(device="plughw:CARD=Camera,DEV=0", name="Test Camera", usb=WEBCAM.usb)
    microphones.append(own)
    entry = await _add(hass, microphone=own.device)
    microphones.clear()
    result = await change(hass, entry)
    assert result["step_id"] == "v4l2_profile"
    assert suggested(result) == {"profile": "0", "microphone": own.device}
    assert "name" not in suggested(result)
    result = await fill_in(hass, result, {"profile": "1", "microphone": "none"})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.runtime_data.pipeline.source.microphone == ""
    assert entry.unique_id == WEBCAM.id
    assert entry.title == "Desk"
    assert not plugged.collided


async def test_reconfiguring_shows_settings_of_the_users_own(
    hass: HomeAssistant, plugged: Plugged, set_up: SetUp
) -> None:
    stored = {"kind": "v4l2", "device": WEBCAM.path, "input_format": "yuyv422", "width": 352, "height": 288, "rate": 7}
    entry = await set_up(stored)
    result = await change(hass, entry)
    assert suggested(result) == {"profile": "expert"}
    result = await fill_in(hass, result, {"profile": "expert"})
    assert suggested(result) == {
        "input_format": "YUYV (raw)",
        "size": "352 × 288",  # noqa: RUF001 - as shown
        "rate": "7",
        "quality": 85,
    }
    result = await fill_in(hass, result, {**suggested(result), "quality": 60})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert (entry.data["width"], entry.data["quality"]) == (352, 60)
    assert entry.unique_id == WEBCAM.id, "one that was set up without is known from now on"


async def test_reconfiguring_a_camera_whose_device_is_gone_begins_with_its_path(
    hass: HomeAssistant, plugged: Plugged, set_up: SetUp
) -> None:
    entry = await set_up({"kind": "v4l2", "device": "/dev/video99"}, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    result = await change(hass, entry)
    assert result["step_id"] == "v4l2_path"
    assert result["errors"] == {"base": "device_missing"}
    assert suggested(result)["device"] == "/dev/video99"
    seen: list[State] = []
    pipeline.listen(lambda: seen.append(pipeline.state))
    result = await fill_in(hass, result, {"device": "/dev/video99"})
    assert result["errors"] == {"base": "device_missing"}
    assert State.STOPPED in seen, "its own camera lets it go for the check"
    assert pipeline.state is not State.STOPPED
    result = await fill_in(hass, result, {"device": WEBCAM.path, "width": 640, "height": 360})
    assert result["step_id"] == "confirm"
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.unique_id == WEBCAM.id


async def test_reconfiguring_mends_a_camera_that_could_not_be_set_up(
    hass: HomeAssistant, plugged: Plugged, set_up: SetUp
) -> None:
    with pytest.raises(AssertionError):
        await set_up({"kind": "v4l2", "device": WEBCAM.path, "rate": -1})
    entry: Any = hass.config_entries.async_entries(DOMAIN)[0]
    result = await change(hass, entry)
    assert suggested(result) == {"profile": "0"}
    result = await fill_in(hass, result, {"profile": "0"})
    await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    assert entry.data["rate"] == 30


async def test_a_camera_cannot_take_over_anothers_device(hass: HomeAssistant, plugged: Plugged, set_up: SetUp) -> None:
    await _add(hass)
    entry = await set_up({"kind": "v4l2", "device": "/dev/video99"})
    result = await change(hass, entry)
    result = await fill_in(hass, result, {"device": WEBCAM.path})
    assert result["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("card", "name"),
    [
        ("HD Pro Webcam C920", "HD Pro Webcam C920"),
        ("Test Camera: Test Camera", "Test Camera"),
        ("Integrated Camera: Integrated C", "Integrated Camera"),
        ("UVC: front", "UVC: front"),
    ],
)
def test_a_webcam_is_not_named_twice(card: str, name: str) -> None:
    assert v4l2_forms.camera_name(card) == name


@pytest.mark.parametrize(
    ("input_format", "name"),
    [("mjpeg", "JPEG"), ("h264", "H.264"), ("yuyv422", "YUYV (raw)"), ("nv12", "NV12 (raw)")],
)
def test_a_format_has_the_name_that_people_know(input_format: str, name: str) -> None:
    assert v4l2_forms.codec_name(input_format) == name
