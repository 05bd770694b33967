"""Cameras that are plugged in are offered, once, and no longer when they are gone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_INTEGRATION_DISCOVERY
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.discovery import Discovery
from custom_components.tripod.engine.errors import DeviceNotPermitted
from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice

from .conftest import SetUp
from .webcam import SOURCE, Webcam

START = Discovery.start

NAME = "usb-046d_HD_Pro_Webcam_C920_9C1A2B3F-video-index0"


@pytest.fixture(autouse=True)
def _watching(devices: list[VideoDevice], monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch for devices, as `async_setup` lets it be done."""
    monkeypatch.setattr(Discovery, "start", START)


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """A /dev with one webcam and its link by id."""
    folder = tmp_path / "dev"
    (folder / "v4l/by-id").mkdir(parents=True)
    (folder / "video0").touch()
    (folder / "v4l/by-id" / NAME).symlink_to("../../video0")
    return folder


@pytest.fixture
def camera(dev: Path) -> VideoDevice:
    return VideoDevice(
        path=str(dev / "v4l/by-id" / NAME),
        node=str(dev / "video0"),
        id=NAME,
        name="HD Pro Webcam C920",
        driver="uvcvideo",
        bus="usb-0000:00:14.0-1",
        usb="/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1",
        modes=(),
    )


@pytest.fixture
async def discovery(hass: HomeAssistant, dev: Path, set_up: SetUp) -> Discovery:
    """What `async_setup` starts, once more, over devices of the test."""
    await set_up(title="Some other")
    return Discovery(hass, dev)


def _offers(hass: HomeAssistant) -> list[Any]:
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow["context"]["unique_id"] for flow in flows if flow["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY]


async def _scan(hass: HomeAssistant, discovery: Discovery) -> list[Any]:
    await discovery.scan()
    await hass.async_block_till_done(wait_background_tasks=False)
    return _offers(hass)


async def _until_offered(
    hass: HomeAssistant, expected: list[str], do: Callable[[], None], before: Awaitable[Any] | None = None
) -> None:
    """Wait until the offers are as expected, looking after each change of the dialogs under way."""
    changed = asyncio.Event()
    flows = hass.config_entries.flow
    stop = flows.async_subscribe_flow(lambda *_: changed.set())
    try:
        do()
        if before:
            await before
        async with asyncio.timeout(20):
            while _offers(hass) != expected:
                await changed.wait()
                changed.clear()
    finally:
        stop()


async def test_a_new_camera_is_offered_once(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    assert await _scan(hass, discovery) == [NAME]
    assert await _scan(hass, discovery) == [NAME]
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["discovery_key"].key == NAME
    devices.clear()
    assert await _scan(hass, discovery) == [], "unplugged"


async def test_cameras_that_are_there_at_the_start_are_offered(
    hass: HomeAssistant, set_up: SetUp, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    await _until_offered(hass, [NAME], lambda: None, set_up())


async def test_a_camera_that_is_set_up_is_not_offered(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice, webcam: Webcam
) -> None:
    devices.append(camera)
    entry = MockConfigEntry(domain=DOMAIN, data={**SOURCE, "device": camera.path}, unique_id=NAME)
    entry.add_to_hass(hass)
    assert await _scan(hass, discovery) == []


@pytest.mark.parametrize("attribute", ["path", "node"])
async def test_a_camera_that_was_set_up_by_a_path_is_not_offered(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice, attribute: str
) -> None:
    devices.append(camera)
    entry = MockConfigEntry(domain=DOMAIN, data={**SOURCE, "device": getattr(camera, attribute)})
    entry.add_to_hass(hass)
    assert await _scan(hass, discovery) == []


async def test_a_camera_that_was_set_up_by_a_lasting_path_gets_its_identity(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    entries = [MockConfigEntry(domain=DOMAIN, data={**SOURCE, "device": camera.path}) for _ in range(2)]
    for entry in entries:
        entry.add_to_hass(hass)
    await _scan(hass, discovery)
    assert [entry.unique_id for entry in entries] == [NAME, None], "no two may have one identity"


async def test_a_camera_by_number_is_another_one_tomorrow(
    hass: HomeAssistant,
    discovery: Discovery,
    devices: list[VideoDevice],
    camera: VideoDevice,
    dev: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.tripod.discovery.DEV", dev)
    devices.append(camera)
    entry = MockConfigEntry(domain=DOMAIN, data={**SOURCE, "device": camera.node})
    entry.add_to_hass(hass)
    await _scan(hass, discovery)
    assert entry.unique_id is None


async def test_a_camera_that_moved_is_followed(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    old = "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0"
    entry = MockConfigEntry(domain=DOMAIN, data={**SOURCE, "device": old}, unique_id=NAME)
    entry.add_to_hass(hass)
    assert await _scan(hass, discovery) == []
    assert entry.data["device"] == camera.path


async def test_an_ignored_camera_stays_ignored(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    MockConfigEntry(domain=DOMAIN, data={}, unique_id=NAME, source=SOURCE_IGNORE).add_to_hass(hass)
    assert await _scan(hass, discovery) == []


async def test_devices_that_may_not_be_opened_withdraw_nothing(
    hass: HomeAssistant,
    discovery: Discovery,
    devices: list[VideoDevice],
    camera: VideoDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    devices.append(camera)
    assert await _scan(hass, discovery) == [NAME]

    async def refused() -> list[VideoDevice]:
        raise DeviceNotPermitted(device=camera.node, group="video", gid="44")

    monkeypatch.setattr("custom_components.tripod.discovery.list_devices", refused)
    assert await _scan(hass, discovery) == [NAME]


async def test_plugging_and_unplugging_is_noticed(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice, dev: Path
) -> None:
    discovery.start()

    def plug() -> None:
        devices.append(camera)
        (dev / "video1").touch()

    def unplug() -> None:
        devices.clear()
        (dev / "video1").unlink()

    await _until_offered(hass, [NAME], plug)
    await _until_offered(hass, [], unplug)


async def test_a_camera_that_is_removed_is_offered_again(
    hass: HomeAssistant, discovery: Discovery, devices: list[VideoDevice], camera: VideoDevice
) -> None:
    devices.append(camera)
    entry = MockConfigEntry(domain=DOMAIN, data={}, unique_id=NAME, source=SOURCE_IGNORE)
    entry.add_to_hass(hass)
    assert await _scan(hass, discovery) == []
    discovery.start()
    await hass.config_entries.async_remove(entry.entry_id)
    await _until_offered(hass, [NAME], lambda: None)


async def test_controls_are_asked_for_when_the_camera_comes(
    hass: HomeAssistant, discovery: Discovery, set_up: SetUp, webcam: Webcam
) -> None:
    webcam.unplug()
    await set_up(SOURCE)
    await discovery.scan()
    assert hass.states.get("number.yard_brightness") is None
    webcam.plug()
    await discovery.scan()
    await hass.async_block_till_done()
    assert hass.states.get("number.yard_brightness").state == "128.0"
