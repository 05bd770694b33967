"""The actions: start, stop, and a picture as a file."""

from datetime import datetime
import errno
import os
from pathlib import Path
import time
from typing import Any
from urllib.parse import quote

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
import yaml

from custom_components import tripod
from custom_components.tripod import services
from custom_components.tripod.engine.jpeg import dimensions
from custom_components.tripod.engine.status import State
from tests.engine.media import jpegs

from .conftest import JPEG_PATTERN, PATTERN, SetUp, children, until
from .webcam import SOURCE, Webcam

CAMERA = "camera.yard"


async def _call(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    answer = await hass.services.async_call(
        "tripod", action, {"entity_id": CAMERA, **data}, blocking=True, return_response=True
    )
    assert answer is not None
    kept: Any = answer[CAMERA]
    return dict(kept)


async def test_start_and_stop_say_what_they_found(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN)
    pipeline = entry.runtime_data.pipeline
    assert await _call(hass, "start_stream") == {"found": "idle", "state": "starting"}
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    assert await _call(hass, "start_stream") == {"found": "streaming", "state": "streaming"}
    assert await _call(hass, "stop_stream") == {"found": "streaming", "state": "stopped"}
    assert children() == set()
    assert await _call(hass, "stop_stream") == {"found": "stopped", "state": "stopped"}
    assert (await _call(hass, "start_stream"))["found"] == "stopped"
    await until(pipeline, lambda: pipeline.state is State.STREAMING)


async def test_a_snapshot_lands_in_the_cameras_archive(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(JPEG_PATTERN, title="Back Yard")
    before = time.time()
    answer = await hass.services.async_call(
        "tripod", "snapshot", {"entity_id": "camera.back_yard"}, blocking=True, return_response=True
    )
    kept: Any = answer["camera.back_yard"]
    path = Path(kept["path"])
    assert path.parent.parent == media / "tripod/back_yard/snapshots"
    data = path.read_bytes()
    assert (kept["size"], kept["width"], kept["height"]) == (len(data), *dimensions(data))
    captured_at = datetime.fromisoformat(kept["captured_at"])
    # names of files have milliseconds
    assert before - 0.001 <= captured_at.timestamp() <= time.time()
    assert path.name == f"{captured_at:%Y-%m-%d_%H-%M-%S}.{captured_at:%f}"[:-3] + f"{captured_at:%z}.jpg"
    key = f"snapshots/{captured_at:%Y-%m-%d}/{path.name}"
    assert kept["media_content_id"] == f"media-source://tripod/{entry.entry_id}/{key}"
    assert kept["url"] == f"/api/tripod/media/{entry.entry_id}/{quote(key)}"
    assert oct(path.stat().st_mode & 0o777) == "0o644"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_snapshot_is_named_by_a_template(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN)
    names = []
    for _ in range(2):
        kept = await _call(hass, "snapshot", filename="gate/{camera}_{time:%Y}.jpg", after_now=True)
        names.append(Path(kept["path"]).relative_to(media / "tripod/yard/snapshots"))
        captured_at = datetime.fromisoformat(kept["captured_at"])
    assert names[0] == Path(f"{captured_at:%Y-%m-%d}", "gate", f"yard_{captured_at:%Y}.jpg")
    assert names[1].parent == names[0].parent
    assert names[1] != names[0], "a snapshot does not replace another one"
    assert names[1].name.startswith(names[0].stem)


async def test_a_snapshot_goes_to_an_allowed_place_outside_the_media(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path / "share")}
    await set_up(JPEG_PATTERN)
    target = tmp_path / "share/new/door.jpeg"
    kept = await _call(hass, "snapshot", filename=str(target))
    assert kept["path"] == str(target)
    assert kept["media_content_id"] is None
    assert target.exists()


async def test_a_snapshot_is_made_smaller(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    kept = await _call(hass, "snapshot", width=160)
    assert (kept["width"], kept["height"]) == (160, 120)
    assert dimensions(Path(kept["path"]).read_bytes()) == (160, 120)


async def test_a_snapshot_from_now_on_is_not_older_than_the_call(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.STREAMING)
    called_at = time.time()
    kept = await _call(hass, "snapshot", after_now=True)
    # the answer's time has microseconds
    assert datetime.fromisoformat(kept["captured_at"]).timestamp() >= called_at - 1e-6


async def test_a_snapshot_stays_where_it_may_be(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    await set_up(PATTERN)
    for name, key in (
        ("../escape.jpg", "invalid_name"),
        ("a/../../../escape.jpg", "invalid_name"),
        ("/etc/cron.d/x.jpg", "path_not_allowed"),
        ("configuration.yaml", "invalid_name"),
        ("x\0.jpg", "invalid_name"),
        ("..", "invalid_name"),
        (".jpg", "invalid_name"),
        ("{time.__class__}.jpg", "invalid_name"),
        ("{time:%999999999d}.jpg", "invalid_name"),
        ("{user}.jpg", "invalid_name"),
        ("{.jpg", "invalid_name"),
        ("x" * 300 + ".jpg", "invalid_name"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await _call(hass, "snapshot", filename=name)
        assert caught.value.translation_key == key, name
    assert not list(tmp_path.rglob("*.jpg"))
    assert children() == set(), "a bad name wakes no camera"


async def test_a_link_in_the_folder_leads_nowhere(
    hass: HomeAssistant, set_up: SetUp, media: Path, tmp_path: Path
) -> None:
    await set_up(JPEG_PATTERN)
    outside = tmp_path / "outside"
    outside.mkdir()
    kept = await _call(hass, "snapshot")
    (Path(kept["path"]).parent / "trap").symlink_to(outside)
    with pytest.raises(HomeAssistantError):
        await _call(hass, "snapshot", filename="trap/x.jpg")
    with pytest.raises(ServiceValidationError):
        await _call(hass, "snapshot", filename=str(Path(kept["path"]).parent / "trap/x.jpg"))
    with pytest.raises(ServiceValidationError):
        await _call(hass, "snapshot", filename=str(media / "../outside/x.jpg"))
    assert list(outside.iterdir()) == []


async def test_a_stopped_camera_gives_no_snapshot(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    await _call(hass, "stop_stream")
    with pytest.raises(ServiceValidationError, match="The camera is stopped"):
        await _call(hass, "snapshot")


async def test_a_camera_that_is_away_says_why(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up({"kind": "v4l2", "device": "/dev/video99"})
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "snapshot")
    assert caught.value.translation_key == "device_missing"
    assert caught.value.translation_domain == "tripod"


async def test_a_place_that_cannot_be_written_is_told(hass: HomeAssistant, set_up: SetUp, tmp_path: Path) -> None:
    await set_up(JPEG_PATTERN)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "share").write_text("a file where the folder should be")
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "snapshot", filename=str(tmp_path / "share/x.jpg"))
    assert caught.value.translation_key == "not_writable"
    assert caught.value.translation_placeholders["detail"] == os.strerror(errno.EEXIST)


def test_every_action_is_described() -> None:
    described = yaml.safe_load((Path(tripod.__file__).parent / "services.yaml").read_text())
    assert set(described) == set(services.ACTIONS) == set(services.Service)
    for name, action in services.ACTIONS.items():
        assert set(_flat(described[name].get("fields", {}))) == {str(field) for field in action.fields or {}}, name


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an action, those in its sections, too."""
    flat = {}
    for name, field in fields.items():
        flat.update(_flat(field["fields"]) if "fields" in field else {name: field})
    return flat


async def test_a_snapshot_in_full_size(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    full = jpegs(frames=1, size="320x240")

    async def still() -> bytes:
        return full

    webcam.still = still
    await set_up(SOURCE)
    before = time.time()
    kept = await _call(hass, "snapshot", full_size=True)
    assert (kept["width"], kept["height"]) == (320, 240)
    assert Path(kept["path"]).read_bytes() == full
    assert before <= datetime.fromisoformat(kept["captured_at"]).timestamp() <= time.time()
    kept = await _call(hass, "snapshot", full_size=True, width=160)
    assert (kept["width"], kept["height"]) == (160, 120)


async def test_a_camera_without_full_size_says_so(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    with pytest.raises(ServiceValidationError, match="no picture in the full size"):
        await _call(hass, "snapshot", full_size=True)
