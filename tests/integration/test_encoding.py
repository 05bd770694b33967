"""Encoders in Home Assistant: found beside everything else, remembered, offered, and complained about."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.camera import CameraEntityFeature
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.errors import EncoderFailed
from custom_components.tripod.shared import tools
from custom_components.tripod.software_encoder import LOOK, LOOKS
from custom_components.tripod.storage import SAVE_DELAY
from tests.engine.hardware_encoders import NVENC, StandIn, good, without_parameter_sets

from .conftest import JPEG_PATTERN, PATTERN, SetUp


@pytest.fixture
async def stand_in(hass: HomeAssistant, tmp_path: Path) -> StandIn:
    """Have an ffmpeg with the encoders that a test gives it: NVIDIA's need no device node."""
    directory = tmp_path / "stand_in"
    directory.mkdir()
    program = StandIn(directory)
    assert await async_setup_component(hass, "ffmpeg", {"ffmpeg": {"ffmpeg_bin": str(program.program)}})
    return program


def _offers_video(hass: HomeAssistant) -> bool:
    features = hass.states.get("camera.yard").attributes["supported_features"]
    return bool(features & CameraEntityFeature.STREAM)


async def test_a_jpeg_camera_offers_video_once_hardware_is_found(
    hass: HomeAssistant, set_up: SetUp, stand_in: StandIn
) -> None:
    stand_in.has(NVENC, good())
    hass.set_state(CoreState.starting)
    entry = await set_up(JPEG_PATTERN)
    assert stand_in.trials == []  # nothing delays the start
    assert not _offers_video(hass)
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stand_in.trials == ["h264_nvenc"]
    assert _offers_video(hass)
    encoders = tools(hass).encoders
    encoders.fail(await encoders.choose(), EncoderFailed("gone"))
    await hass.async_block_till_done()
    assert _offers_video(hass)  # who watches is not cut off
    async with entry.runtime_data.pipeline.packets() as packets:
        assert await anext(packets)


@pytest.mark.parametrize(
    ("data", "options", "offered"),
    [
        (JPEG_PATTERN, {"dashboard_video": "off"}, False),
        (JPEG_PATTERN, {"dashboard_video": "on"}, True),
        (JPEG_PATTERN, {}, False),
        (PATTERN, {}, True),
    ],
)
async def test_software_alone_changes_nothing(
    hass: HomeAssistant,
    set_up: SetUp,
    stand_in: StandIn,
    data: dict[str, Any],
    options: dict[str, Any],
    offered: bool,  # noqa: FBT001
) -> None:
    stand_in.has(NVENC, without_parameter_sets())
    await set_up(data, **options)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _offers_video(hass) is offered
    assert stand_in.trials == ([] if data is PATTERN else ["h264_nvenc"])


async def test_verdicts_survive_a_restart(
    hass: HomeAssistant, set_up: SetUp, stand_in: StandIn, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    """And a file from before encoders were tried is taken as it is."""
    stopped = {"some camera": True}
    hass_storage[DOMAIN] = {"version": 1, "minor_version": 1, "key": DOMAIN, "data": {"stopped": stopped, "used": {}}}
    stand_in.has(NVENC, good())
    entry = await set_up(JPEG_PATTERN)
    await hass.async_block_till_done(wait_background_tasks=True)
    freezer.tick(timedelta(seconds=SAVE_DELAY + 1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    data = hass_storage[DOMAIN]["data"]
    assert data["stopped"] == stopped
    assert data["encoders"]["verdicts"]["h264_nvenc"]["outcome"] == "works"
    # as after a restart: new tools, and what was stored
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.data.pop(f"{DOMAIN}_tools")
    hass.config.components.remove(DOMAIN)
    hass.data["setup_tasks"] = {}
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert _offers_video(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert stand_in.trials == ["h264_nvenc"]


async def test_a_processor_that_video_keeps_busy_is_told_until_it_is_over(
    hass: HomeAssistant,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load, now = [50.0], [dt_util.utcnow()]
    monkeypatch.setattr("os.getloadavg", lambda: (load[0], 0.0, 0.0))
    entry = await set_up(JPEG_PATTERN)
    await hass.async_block_till_done(wait_background_tasks=True)
    encoders = tools(hass).encoders
    if (chosen := encoders.chosen) and chosen.hardware:
        encoders.fail(chosen, EncoderFailed("only software is left"))

    async def look(times: int) -> bool:
        for _ in range(times):
            now[0] += LOOK
            async_fire_time_changed(hass, now[0])
            await hass.async_block_till_done()
        return issue_registry.async_get_issue(DOMAIN, f"software_encoder_{entry.entry_id}") is not None

    pipeline = entry.runtime_data.pipeline
    assert not await look(LOOKS)  # nobody wants video
    async with pipeline.packets() as packets:
        assert await anext(packets)
        assert not await look(LOOKS - 1)
        assert await look(1)
        issue = issue_registry.async_get_issue(DOMAIN, f"software_encoder_{entry.entry_id}")
        assert issue.translation_placeholders == {"name": "Yard"}
        assert issue.learn_more_url.endswith("#video-encoders")
        load[0] = 0.1
        assert await look(LOOKS - 1)
        assert not await look(1)
        load[0] = 50.0
        assert await look(LOOKS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert issue_registry.async_get_issue(DOMAIN, f"software_encoder_{entry.entry_id}") is None


async def test_a_camera_that_sends_video_is_never_complained_about(
    hass: HomeAssistant,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [dt_util.utcnow()]
    monkeypatch.setattr("os.getloadavg", lambda: (50.0, 0.0, 0.0))
    entry = await set_up(PATTERN)
    async with entry.runtime_data.pipeline.frames() as frames:
        await anext(frames)
        for _ in range(LOOKS + 1):
            now[0] += LOOK
            async_fire_time_changed(hass, now[0])
            await hass.async_block_till_done()
    assert not issue_registry.issues


def test_the_notice_leads_to_what_it_speaks_of() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert "### Video encoders" in readme
