"""The actions: start, stop, and a picture as a file."""

from datetime import datetime
import errno
import os
from pathlib import Path
import time
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
import yaml

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


async def test_a_snapshot_lands_in_the_cameras_folder(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN, title="Back Yard")
    before = time.time()
    answer = await hass.services.async_call(
        "tripod", "snapshot", {"entity_id": "camera.back_yard"}, blocking=True, return_response=True
    )
    kept: Any = answer["camera.back_yard"]
    path = Path(kept["path"])
    assert path.parent == media / "tripod" / "back_yard"
    data = path.read_bytes()
    assert (kept["size"], kept["width"], kept["height"]) == (len(data), *dimensions(data))
    captured_at = datetime.fromisoformat(kept["captured_at"])
    assert before <= captured_at.timestamp() <= time.time()
    assert path.name == captured_at.strftime("%Y-%m-%d_%H-%M-%S-%f")[:-3] + ".jpg"
    assert kept["media_content_id"] == f"media-source://media_source/local/tripod/back_yard/{path.name}"
    assert oct(path.stat().st_mode & 0o777) == "0o644"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_snapshot_replaces_the_last_one_of_its_name(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN)
    for _ in range(2):
        kept = await _call(hass, "snapshot", filename="gate/now.jpg", after_now=True)
    assert Path(kept["path"]) == media / "tripod/yard/gate/now.jpg"
    assert [file.name for file in (media / "tripod/yard/gate").iterdir()] == ["now.jpg"]


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


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("../escape.jpg", "path_not_allowed"),
        ("a/../../../escape.jpg", "path_not_allowed"),
        ("/etc/cron.d/x.jpg", "path_not_allowed"),
        ("configuration.yaml", "not_a_picture_name"),
        ("x\0.jpg", "not_a_picture_name"),
        ("..", "not_a_picture_name"),
        (".jpg", "not_a_picture_name"),
    ],
)
async def test_a_snapshot_stays_where_it_may_be(
    hass: HomeAssistant, set_up: SetUp, tmp_path: Path, name: str, key: str
) -> None:
    await set_up(PATTERN)
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, "snapshot", filename=name)
    assert caught.value.translation_key == key
    assert not list(tmp_path.rglob("*.jpg"))
    assert children() == set(), "a bad name wakes no camera"


async def test_a_link_in_the_folder_leads_nowhere(
    hass: HomeAssistant, set_up: SetUp, media: Path, tmp_path: Path
) -> None:
    await set_up(JPEG_PATTERN)
    (tmp_path / "outside").mkdir()
    (media / "tripod/yard").mkdir(parents=True)
    (media / "tripod/yard/trap").symlink_to(tmp_path / "outside")
    with pytest.raises(ServiceValidationError):
        await _call(hass, "snapshot", filename="trap/x.jpg")
    with pytest.raises(ServiceValidationError):
        await _call(hass, "snapshot", filename=str(media / "tripod/yard/trap/x.jpg"))
    with pytest.raises(ServiceValidationError):
        await _call(hass, "snapshot", filename=str(media / "../outside/x.jpg"))


async def test_without_a_media_directory_a_name_is_not_enough(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    hass.config.media_dirs = {}
    with pytest.raises(ServiceValidationError) as caught:
        await _call(hass, "snapshot")
    assert caught.value.translation_key == "no_media_directory"


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


async def test_a_full_disk_leaves_nothing_behind(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    """A file system that is full in truth: /dev/full answers every write with ENOSPC."""
    await set_up(JPEG_PATTERN)
    real_open = os.open

    def open_full(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith(".part"):
            real_open(path, flags, *args, **kwargs)
            return real_open("/dev/full", os.O_WRONLY)
        return real_open(path, flags, *args, **kwargs)

    with patch("os.open", open_full), pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "snapshot", filename="x.jpg")
    assert caught.value.translation_key == "disk_full"
    assert list((media / "tripod/yard").iterdir()) == []


async def test_a_place_that_cannot_be_written_is_told(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN)
    (media / "tripod").mkdir(parents=True)
    (media / "tripod/yard").write_text("a file where the folder should be")
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "snapshot")
    assert caught.value.translation_key == "not_writable"
    assert caught.value.translation_placeholders["detail"] == os.strerror(errno.EEXIST)


async def test_a_name_that_is_too_long_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    with pytest.raises(HomeAssistantError) as caught:
        await _call(hass, "snapshot", filename="x" * 300 + ".jpg")
    assert caught.value.translation_key == "not_writable"


def test_every_action_is_described() -> None:
    described = yaml.safe_load((Path(services.__file__).parent / "services.yaml").read_text())
    assert set(described) == set(services.Service)
    assert set(described["snapshot"]["fields"]) == {str(field) for field in services.SNAPSHOT_FIELDS}


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
