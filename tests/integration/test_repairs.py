"""Issues that only the user can mend, and their end."""

from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.errors import (
    DeviceBusy,
    DeviceHeld,
    DeviceNotPermitted,
    NoPermission,
    TripodError,
)
from custom_components.tripod.engine.status import State
from custom_components.tripod.shared import tools
from tests.servers.start import Server

from .conftest import JPEG_PATTERN, SetUp, streaming, until
from .webcam import SOURCE, Webcam


def _camera(server: Server, **data: Any) -> dict[str, Any]:
    return {"kind": "url", "url": server.url("basic/still.jpg"), "delivery": "stills", "still_interval": 0.2, **data}


async def test_a_missing_ffmpeg_is_told_until_it_is_found(
    hass: HomeAssistant, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    assert await async_setup_component(hass, "ffmpeg", {"ffmpeg": {"ffmpeg_bin": "/nowhere/ffmpeg"}})
    entry = await set_up(JPEG_PATTERN, start="always")
    issue = issue_registry.async_get_issue(DOMAIN, "ffmpeg_missing")
    assert issue.translation_placeholders == {"program": "/nowhere/ffmpeg"}
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    assert pipeline.error.cause == "ffmpeg_missing"
    tools(hass).ffmpeg.binary = "ffmpeg"
    await pipeline.restart()
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issue_registry.async_get_issue(DOMAIN, "ffmpeg_missing") is None


async def test_an_ffmpeg_that_fails_is_not_called_missing(
    hass: HomeAssistant, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    assert await async_setup_component(hass, "ffmpeg", {"ffmpeg": {"ffmpeg_bin": "false"}})
    await set_up(JPEG_PATTERN)
    assert issue_registry.async_get_issue(DOMAIN, "ffmpeg_missing") is None


async def test_a_refused_password_is_asked_for_once(
    hass: HomeAssistant, set_up: SetUp, http_camera: Server, issue_registry: ir.IssueRegistry
) -> None:
    """Core lists the dialog for another password among the repairs: an issue of our own would say it twice."""
    entry = await set_up(_camera(http_camera, username="user", password="wrong"), start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    await hass.async_block_till_done()
    assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
    assert issue_registry.async_get_issue(DOMAIN, f"unauthorized_{entry.entry_id}") is None


async def test_a_missing_password_is_mended_in_the_repair(
    hass: HomeAssistant,
    set_up: SetUp,
    http_camera: Server,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    for component in (REPAIRS, "camera", DOMAIN):
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    entry = await set_up(_camera(http_camera), start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    await hass.async_block_till_done()
    issue_id = f"unauthorized_{entry.entry_id}"
    assert issue_registry.async_get_issue(DOMAIN, issue_id).translation_placeholders == {"name": "Yard"}
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})) == []

    async def post(path: str, data: dict[str, Any]) -> dict[str, Any]:
        async with client.post(f"/api/repairs/issues/fix{path}", json=data) as response:
            return dict(await response.json())

    form = await post("", {"handler": DOMAIN, "issue_id": issue_id})
    assert form["step_id"] == "confirm"
    assert not form["errors"]
    path = f"/{form['flow_id']}"
    form = await post(path, {"username": "user", "password": "wrong again"})
    assert form["errors"] == {"base": "unauthorized"}
    done = await post(path, {"username": "user", "password": "p@ss:wörd"})
    assert done["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entry.data["password"] == "p@ss:wörd"
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, issue_id) is None
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})) == []


async def test_a_camera_that_takes_its_password_again_withdraws_the_issue(
    hass: HomeAssistant, set_up: SetUp, http_camera: Server, issue_registry: ir.IssueRegistry
) -> None:
    entry = await set_up(_camera(http_camera, username="user", password="p@ss:wörd"))
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"unauthorized_{entry.entry_id}",
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key="unauthorized",
    )
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    async with streaming(entry):
        assert issue_registry.async_get_issue(DOMAIN, f"unauthorized_{entry.entry_id}") is None
        assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})) == []


HELD = DeviceHeld(device="/dev/video0", holder="motion (1234)")
NOT_PERMITTED = DeviceNotPermitted(device="/dev/video0", group="video", gid="44")


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (HELD, {"device": "/dev/video0", "holder": "motion (1234)"}),
        (DeviceBusy("/dev/video0"), {"detail": "/dev/video0"}),
        (NOT_PERMITTED, {"device": "/dev/video0", "group": "video", "gid": "44"}),
        (NoPermission("/dev/video0"), {"detail": "/dev/video0"}),
    ],
)
async def test_a_device_that_is_kept_from_us_is_told_until_it_streams(
    hass: HomeAssistant,
    set_up: SetUp,
    webcam: Webcam,
    issue_registry: ir.IssueRegistry,
    error: TripodError,
    names: dict[str, str],
) -> None:
    webcam.fail(error)
    entry = await set_up(SOURCE, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    [issue] = issue_registry.issues.values()
    assert issue.issue_id == f"{error.cause}_{entry.entry_id}"
    assert issue.translation_key == error.cause
    assert issue.translation_placeholders.items() >= {"name": "Yard", **names}.items()
    assert issue.learn_more_url
    assert not issue.is_fixable
    webcam.fail(None)
    await pipeline.restart()
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    assert issue_registry.issues == {}


async def test_a_device_that_is_kept_for_another_reason_has_one_issue(
    hass: HomeAssistant, set_up: SetUp, webcam: Webcam, issue_registry: ir.IssueRegistry
) -> None:
    webcam.fail(HELD)
    entry = await set_up(SOURCE, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    webcam.fail(NOT_PERMITTED)
    await pipeline.restart()
    await until(pipeline, lambda: pipeline.error is NOT_PERMITTED)
    assert [issue.translation_key for issue in issue_registry.issues.values()] == ["device_not_permitted"]
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue_registry.issues == {}


async def test_a_removed_camera_takes_its_issue_along(
    hass: HomeAssistant, set_up: SetUp, http_camera: Server, issue_registry: ir.IssueRegistry
) -> None:
    entry = await set_up(_camera(http_camera), start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    assert issue_registry.async_get_issue(DOMAIN, f"unauthorized_{entry.entry_id}")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, f"unauthorized_{entry.entry_id}") is None


async def test_no_password_reaches_the_log(
    hass: HomeAssistant, set_up: SetUp, http_camera: Server, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up(_camera(http_camera, username="user", password="s3cr3t-one"), start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    assert "s3cr3t" not in caplog.text
