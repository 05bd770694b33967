"""Where a camera's files are, what becomes of them, and of a camera whose disk is away or full."""

import asyncio
from datetime import datetime
from pathlib import Path
import shutil
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine import camera as engine_camera
from custom_components.tripod.engine.camera import Camera
from custom_components.tripod.shared import SHARED
from tests.kept import Judge, duration
from tests.volumes import MIB, needs_root, tmpfs

from .conftest import JPEG_PATTERN, PATTERN, SetUp, act, streaming, until_state

RECORDINGS = "sensor.yard_recordings_under_way"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once where ten seconds are usual."""
    monkeypatch.setattr(engine_camera, "RETRY", 0.1)
    monkeypatch.setattr(engine_camera, "PAUSE", 0.1)


async def _until(camera: Camera, condition: Any) -> None:
    changed = asyncio.Event()
    unlisten = camera.listen(changed.set)
    async with asyncio.timeout(20):
        while not condition():
            await changed.wait()
            changed.clear()
    unlisten()


def _issue(hass: HomeAssistant, cause: str) -> ir.IssueEntry | None:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{cause}_{entry.entry_id}")


async def test_a_folder_outlives_the_name_of_its_camera(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(JPEG_PATTERN)
    await act(hass, "snapshot")
    hass.config_entries.async_update_entry(entry, title="Garden")
    assert await hass.config_entries.async_reload(entry.entry_id)
    kept = await act(hass, "snapshot")
    assert Path(kept["path"]).is_relative_to(media / "tripod/yard")
    assert [path.name for path in (media / "tripod").iterdir()] == ["yard"]


async def test_another_time_zone_begins_other_days(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN)
    await hass.config.async_update(time_zone="Pacific/Auckland")
    await hass.async_block_till_done()
    assert str(entry.runtime_data.archive.zone) == "Pacific/Auckland"
    kept = await act(hass, "snapshot")
    assert kept["captured_at"].endswith("+13:00")
    assert Path(kept["path"]).parent.name == kept["captured_at"][:10]


async def test_two_cameras_of_one_name_have_two_folders(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entries = [await set_up(JPEG_PATTERN), await set_up(JPEG_PATTERN)]
    for entry in entries:
        await _until(entry.runtime_data.camera, lambda camera=entry.runtime_data.camera: camera.present)
    assert {entry.runtime_data.archive.root for entry in entries} == {media / "tripod/yard", media / "tripod/yard_2"}


async def test_what_a_removed_camera_kept_stays(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(JPEG_PATTERN)
    kept = await act(hass, "snapshot")
    await hass.config_entries.async_remove(entry.entry_id)
    assert Path(kept["path"]).exists()
    assert hass.data[SHARED].storage.archive(entry.entry_id) is None


async def test_snapshots_of_earlier_versions_are_left_alone(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    old = media / "tripod/yard/2026-10-01_12-00-00-000.jpg"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    entry = await set_up(JPEG_PATTERN, storage={"snapshots": {"max_count": 1}})
    await act(hass, "snapshot")
    await act(hass, "prune")
    assert old.read_bytes() == b"old"
    assert entry.runtime_data.camera.present


async def test_a_folder_of_ones_own(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    await set_up(JPEG_PATTERN, storage={"folder": str(tmp_path / "disk")})
    kept = await act(hass, "snapshot")
    assert Path(kept["path"]).is_relative_to(tmp_path / "disk/yard/snapshots")


async def test_a_folder_that_is_not_allowed_is_told(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    entry = await set_up(JPEG_PATTERN, storage={"folder": str(tmp_path / "elsewhere")})
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "snapshot")
    assert caught.value.translation_key == "not_writable"
    assert not (tmp_path / "elsewhere").exists()
    issue = _issue(hass, "not_writable")
    assert "allowlist_external_dirs" in issue.translation_placeholders["detail"]
    assert not issue.is_fixable
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert _issue(hass, "not_writable") is None


async def test_a_disk_that_goes_and_comes_back(hass: HomeAssistant, set_up: SetUp, media: Path, tmp_path: Path) -> None:
    entry = await set_up(JPEG_PATTERN)
    first = await act(hass, "snapshot")
    assert await hass.config_entries.async_unload(entry.entry_id)
    (media / "tripod/yard").rename(tmp_path / "unplugged")
    assert await hass.config_entries.async_setup(entry.entry_id)
    camera = entry.runtime_data.camera
    await _until(camera, lambda: camera.error)
    assert entry.state is ConfigEntryState.LOADED
    assert _issue(hass, "archive_missing").is_fixable
    assert not (media / "tripod/yard").exists(), "nothing is written where the disk should be"
    assert hass.states.get("sensor.yard_storage_used").state == "unknown"
    async with streaming(entry):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, "snapshot")
    assert caught.value.translation_key == "archive_missing"
    (tmp_path / "unplugged").rename(media / "tripod/yard")
    await _until(camera, lambda: camera.present and not camera.error)
    assert _issue(hass, "archive_missing") is None
    picture = await until_state(hass, "image.yard_last_snapshot", lambda state: state.state != "unknown")
    assert datetime.fromisoformat(picture.state) == datetime.fromisoformat(first["captured_at"])
    await act(hass, "snapshot")


async def test_a_folder_that_is_gone_for_good_is_begun_anew(
    hass: HomeAssistant, set_up: SetUp, media: Path, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    entry = await set_up(JPEG_PATTERN)
    client = await hass_client()
    await act(hass, "snapshot")
    shutil.rmtree(media / "tripod/yard")
    await entry.runtime_data.camera.look()
    issue = _issue(hass, "archive_missing")
    begun = await client.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue.issue_id})
    flow = await begun.json()
    assert flow["description_placeholders"] == {"name": "Yard", "path": str(media / "tripod/yard")}
    ended = await client.post(f"/api/repairs/issues/fix/{flow['flow_id']}", json={})
    assert (await ended.json())["type"] == "create_entry"
    assert _issue(hass, "archive_missing") is None
    await act(hass, "snapshot")


@needs_root
async def test_a_disk_without_space_is_told_until_there_is_some(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    with tmpfs(tmp_path / "disk") as volume:
        entry = await set_up(PATTERN, storage={"folder": str(volume.path), "floor": 16})
        camera = entry.runtime_data.camera
        await _until(camera, lambda: camera.present)
        volume.fill(leave=8 * MIB)
        async with streaming(entry) as pipeline:
            with pytest.raises(HomeAssistantError) as caught:
                await act(hass, "record")
            assert caught.value.translation_key == "low_space"
            await _until(camera, lambda: camera.error)
            assert _issue(hass, "low_space").translation_placeholders["path"] == str(volume.path / "yard")
            assert pipeline.state == "streaming"
            volume.drain()
            await _until(camera, lambda: not camera.error)
            assert _issue(hass, "low_space") is None
            kept = await act(hass, "record", duration=0.5, wait=True)
        assert duration(Path(kept["path"])) >= 0.5
        assert await hass.config_entries.async_unload(entry.entry_id)


@needs_root
async def test_the_oldest_goes_where_space_is_short(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    with tmpfs(tmp_path / "disk") as volume:
        entry = await set_up(JPEG_PATTERN, storage={"folder": str(volume.path), "floor": 16})
        taken = [await act(hass, "snapshot", after_now=True) for _ in range(8)]
        await act(hass, "pin", media_content_id=taken[0]["media_content_id"])
        volume.fill(leave=16 * MIB - taken[1]["size"])
        kept = await act(hass, "snapshot")
        assert Path(taken[0]["path"]).exists(), "it is pinned"
        assert not Path(taken[1]["path"]).exists()
        assert Path(kept["path"]).exists()
        assert hass.states.get("event.yard_storage").attributes["snapshots"] >= 1
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_limits_apply_at_once_and_break_nothing_off(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, start="always")
    taken = [await act(hass, "snapshot", after_now=True) for _ in range(4)]
    pinned = await act(hass, "pin", media_content_id=taken[0]["media_content_id"])
    assert (pinned["path"], pinned["pinned"]) == (taken[0]["path"], True)
    begun = await act(hass, "record")
    hass.config_entries.async_update_entry(
        entry, options={"start": "always", "storage": {"snapshots": {"max_count": 1}}}
    )
    await hass.async_block_till_done()
    assert hass.states.get(RECORDINGS).attributes["recordings"] == [begun["recording"]], "it goes on"
    planned = await act(hass, "prune", dry_run=True)
    gone = await act(hass, "prune")
    assert [file["path"] for file in gone["files"]] == [taken[1]["path"], taken[2]["path"]]
    assert {file["reason"] for file in gone["files"]} == {"count"}
    assert planned == gone
    assert [Path(file["path"]).exists() for file in taken] == [True, False, False, True]
    pruned = hass.states.get("event.yard_storage").attributes
    assert (pruned["event_type"], pruned["count"], pruned["size"]) == ("pruned", 2, gone["size"])
    assert not (await act(hass, "unpin", media_content_id=taken[0]["media_content_id"]))["pinned"]
    assert (await act(hass, "prune"))["count"] == 1
    await until_state(hass, "sensor.yard_storage_used", lambda state: state.attributes["snapshots"] == taken[3]["size"])


async def test_only_what_there_is_can_be_pinned(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    for action in ("pin", "unpin"):
        for media_content_id in ("nonsense", "media-source://tripod/other/snapshots/x.jpg", "../x.jpg"):
            with pytest.raises(HomeAssistantError) as caught:
                await act(hass, action, media_content_id=media_content_id)
            assert caught.value.translation_key == "no_such_item"


async def test_the_end_of_home_assistant_finishes_recordings(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(PATTERN)
    async with streaming(entry):
        await act(hass, "record")
        await _until(
            entry.runtime_data.camera,
            lambda: [recording.started_at for recording in entry.runtime_data.camera.recordings] not in ([], [None]),
        )
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await hass.async_block_till_done()
    judge = Judge(media / "tripod/yard")
    [recording] = judge.files("recordings")
    judge.look()
    assert hass.states.get("event.yard_recording").attributes["path"] == str(recording)


async def test_cores_own_actions_work(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    assert await async_setup_component(hass, "stream", {})
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    await set_up(PATTERN, start="always", dashboard_video="on")
    data = {"entity_id": "camera.yard"}
    picture, video = tmp_path / "now.jpg", tmp_path / "now.mp4"
    await hass.services.async_call("camera", "snapshot", {**data, "filename": str(picture)}, blocking=True)
    assert picture.read_bytes().startswith(b"\xff\xd8")
    await hass.services.async_call("camera", "record", {**data, "filename": str(video), "duration": 2}, blocking=True)
    assert duration(video) >= 1
