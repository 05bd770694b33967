"""Home Assistant with real cameras: the test pattern by real ffmpeg, network cameras by real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State as EntityState, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
import psutil
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tripod.const import CONF_KEY, CONF_SCOPES, DOMAIN
from custom_components.tripod.data import TripodConfigEntry
from custom_components.tripod.discovery import Discovery
from custom_components.tripod.engine.pipeline import Pipeline
from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice
from custom_components.tripod.engine.status import State
from custom_components.tripod.preview import previews

from .webcam import Webcam, install

PATTERN = {"kind": "test_pattern", "width": 320, "height": 240, "rate": 10, "format": "h264", "bit_rate": 300_000}

JPEG_PATTERN = {**PATTERN, "format": "mjpeg"}

KEY = "k" * 43

type SetUp = Callable[..., Awaitable[MockConfigEntry]]

type Client = TestClient[Any, Any]


@pytest.fixture(autouse=True)
def _home_assistant(
    _children_end: None, socket_enabled: None, enable_custom_integrations: None, hass_storage: dict[str, Any]
) -> None:
    """Load this repository's integration, open loopback sockets and keep stores off the disk."""


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Give each test a directory for the configuration of its own."""
    directory = tmp_path / "config"
    directory.mkdir()
    return str(directory)


@pytest.fixture(autouse=True)
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Give each test a media directory of its own."""
    directory = tmp_path / "media"
    hass.config.media_dirs = {"local": str(directory)}
    hass.config.allowlist_external_dirs = {str(directory)}
    return directory


@pytest.fixture(autouse=True)
def _children_end() -> Iterator[None]:
    """Fail a test that leaves a child process."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert [child.cmdline() for child in left if child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> list[VideoDevice]:
    """Hide the cameras of the machine that tests run on behind those of the test.

    Nobody watches for them, unless the test is about that: a test may wait for all tasks in the background.
    """
    found: list[VideoDevice] = []

    async def list_devices() -> list[VideoDevice]:
        return list(found)

    monkeypatch.setattr("custom_components.tripod.discovery.list_devices", list_devices)
    monkeypatch.setattr(Discovery, "start", lambda _: None)
    return found


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> Webcam:
    """Give V4L2 sources a webcam with controls."""
    return install(monkeypatch)


@pytest.fixture
def all_enabled() -> Iterator[None]:
    """Enable what is off by default."""
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        yield


def link(name: str = "OctoPrint", key: str = KEY, **data: Any) -> ConfigSubentryData:
    """Return a link as an entry stores it."""
    fields = {CONF_KEY: key, CONF_SCOPES: ["stream", "snapshot"], **data}
    return ConfigSubentryData(data=fields, subentry_type="link", title=name, unique_id=None)


@pytest.fixture
async def set_up(hass: HomeAssistant) -> SetUp:
    """Set up a camera."""

    async def set_up(
        data: dict[str, Any] = PATTERN, *links: ConfigSubentryData, title: str = "Yard", **options: Any
    ) -> MockConfigEntry:
        entry = MockConfigEntry(domain=DOMAIN, title=title, data=data, options=options, subentries_data=links)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry

    return set_up


@pytest.fixture
async def browser(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """Return what asks for the pictures of a dialog."""
    for component in ("http", "camera", "image", DOMAIN):
        assert await async_setup_component(hass, component, {})
    previews(hass)  # its address must be there before the test server starts
    client: Client = await hass_client_no_auth()
    return client


async def until(pipeline: Pipeline, condition: Callable[[], bool], timeout: float = 20) -> None:
    """Wait until `condition` holds, looking after each change of the camera's state."""
    changed = asyncio.Event()
    unlisten = pipeline.listen(changed.set)
    try:
        async with asyncio.timeout(timeout):
            while not condition():
                await changed.wait()
                changed.clear()
    finally:
        unlisten()


async def act(hass: HomeAssistant, action: str, entity_id: str = "camera.yard", **data: Any) -> dict[str, Any]:
    """Call an action of ours, and return what it answers of a camera."""
    answer: Any = await hass.services.async_call(
        DOMAIN, action, {"entity_id": entity_id, **data}, blocking=True, return_response=True
    )
    return dict(answer[entity_id])


async def until_state(
    hass: HomeAssistant, entity_id: str, holds: Callable[[EntityState], bool], timeout: float = 20
) -> EntityState:
    """Wait until the state of an entity is as it should be, and return it."""
    changed = asyncio.Event()

    @callback
    def look(_: Event[EventStateChangedData]) -> None:
        changed.set()

    unlisten = async_track_state_change_event(hass, entity_id, look)
    try:
        async with asyncio.timeout(timeout):
            while (state := hass.states.get(entity_id)) is None or not holds(state):
                await changed.wait()
                changed.clear()
    finally:
        unlisten()
    return state


@asynccontextmanager
async def streaming(entry: TripodConfigEntry) -> AsyncIterator[Pipeline]:
    """Want the camera's native medium, and wait until it streams."""
    pipeline = entry.runtime_data.pipeline
    async with pipeline.frames() if pipeline.source.native == "frames" else pipeline.packets():
        await until(pipeline, lambda: pipeline.state is State.STREAMING)
        yield pipeline


def children() -> set[int]:
    """Return the ffmpeg processes that run for this test."""
    found = psutil.Process().children(recursive=True)
    return {child.pid for child in found if child.status() != psutil.STATUS_ZOMBIE and "ffmpeg" in child.name()}
