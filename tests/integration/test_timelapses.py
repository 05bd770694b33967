"""Timelapses: the actions, the frames and videos that come of them, and what tells of them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.tripod.engine.jpeg import dimensions
from tests.kept import duration, pictures

from .conftest import JPEG_PATTERN, Client, SetUp, act, until_state

FRAMES = "sensor.yard_timelapse_frames_today"
JOB = "Tomatoes"


async def test_a_timelapse_from_its_start_to_its_video(
    hass: HomeAssistant, set_up: SetUp, media: Path, browser: Client
) -> None:
    await set_up(JPEG_PATTERN, start="always")
    begun = await act(hass, "start_timelapse", job=JOB, interval=1, fps=5)
    assert (begun["job"], begun["running"]) == (JOB, True)
    assert hass.states.get("sensor.yard_timelapses_under_way").state == "1"
    await until_state(hass, FRAMES, lambda state: int(state.state) >= 2)
    picture = await until_state(hass, "image.yard_last_timelapse_frame", lambda state: state.state != "unknown")
    answer = await browser.get(picture.attributes["entity_picture"])
    assert dimensions(await answer.read()) == (320, 240)
    ended = await act(hass, "stop_timelapse", job=JOB, wait=True)
    assert (ended["running"], ended["state"]) == (False, "done")
    assert hass.states.get("sensor.yard_timelapses_under_way").state == "0"
    video = Path(ended["path"])
    assert video.parent.parent == media / "tripod/yard/videos"
    assert pictures(video) == ended["frames"] >= 2
    assert ended["duration"] == pytest.approx(duration(video), abs=0.05)
    await hass.async_block_till_done()
    ready = hass.states.get("event.yard_timelapse").attributes
    assert (ready["event_type"], ready["job"], ready["path"]) == ("timelapse_ready", JOB, ended["path"])
    assert ready["media_content_id"] == ended["media_content_id"]


async def test_frames_by_request(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN, start="always")
    await act(hass, "start_timelapse", job="Print", render=False)
    taken = [await act(hass, "timelapse_frame", job="Print") for _ in range(3)]
    paths = {Path(frame["path"]) for frame in taken}
    assert len(paths) == 3
    assert {path.parent.parent for path in paths} == {media / "tripod/yard/timelapse/Print/frames"}
    assert hass.states.get(FRAMES).state == "3"
    assert hass.states.get(FRAMES).attributes["jobs"] == {"Print": 3}
    ended = await act(hass, "stop_timelapse", job="Print")
    assert (ended["frames"], ended.get("render")) == (3, None)
    today = dt_util.now().date().isoformat()
    video = await act(
        hass, "timelapse", job="Print", start=today, end=today, length=1, overlay="{camera} {time:%H:%M}", wait=True
    )
    assert pictures(Path(video["path"])) == 3
    assert duration(Path(video["path"])) == pytest.approx(1, abs=0.2)
    assert (video["width"], video["height"]) == (320, 240)


async def test_a_timelapse_goes_on_after_a_restart(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(JPEG_PATTERN, start="always")
    await act(hass, "start_timelapse", job=JOB, interval=3600)
    frame = await act(hass, "timelapse_frame", job=JOB)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until_state(hass, "sensor.yard_timelapses_under_way", lambda state: state.state == "1")
    picture = await until_state(hass, "image.yard_last_timelapse_frame", lambda state: state.state != "unknown")
    assert datetime.fromisoformat(picture.state) == datetime.fromisoformat(frame["captured_at"])
    assert (await act(hass, "stop_timelapse", job=JOB, render=False))["frames"] == 1


async def test_a_camera_that_is_off_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    await act(hass, "start_timelapse", job=JOB)
    await act(hass, "stop_stream")
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "timelapse_frame", job=JOB)
    assert caught.value.translation_key == "stopped"


YESTERDAY = (datetime.now().astimezone() - timedelta(days=1)).date().isoformat()


IMPOSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("start_timelapse", {"job": JOB, "interval": 0}, "invalid_job"),
    ("start_timelapse", {"job": "../x"}, "invalid_job"),
    ("start_timelapse", {"job": JOB, "weekdays": []}, "invalid_job"),
    ("stop_timelapse", {"job": "Nobody"}, "no_such_job"),
    ("timelapse_frame", {"job": "Nobody"}, "no_such_job"),
    ("timelapse", {"job": "Nobody"}, "no_such_job"),
    ("timelapse", {"job": "Print", "start": "2026-11-02", "end": "2026-11-01"}, "invalid_range"),
    ("timelapse", {"job": "Print", "end": YESTERDAY, "wait": True}, "invalid_range"),
    ("timelapse", {"job": "Print", "start": YESTERDAY, "end": YESTERDAY, "wait": True}, "nothing_found"),
    ("cancel_render", {"render": "nonsense"}, "no_such_render"),
    ("start_timelapse", {"job": "Print", "interval": 60}, "job_exists"),
]


async def test_what_cannot_be_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(JPEG_PATTERN)
    await act(hass, "start_timelapse", job="Print")
    await act(hass, "timelapse_frame", job="Print")
    for action, data, key in IMPOSSIBLE:
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, action, **data)
        assert caught.value.translation_key == key, (action, data)


async def test_a_render_that_is_cancelled(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    await set_up(JPEG_PATTERN, start="always")
    await act(hass, "start_timelapse", job="Print")
    for _ in range(2):
        await act(hass, "timelapse_frame", job="Print")
    first, second = [await act(hass, "timelapse", job="Print", width=width) for width in (64, 128)]
    progress = hass.states.get("sensor.yard_render_progress")
    assert 0 <= int(progress.state) <= 100
    assert progress.attributes["renders"][-1] == {"render": second["render"], "job": "Print"}
    cancelled = await act(hass, "cancel_render", render=second["render"])
    assert cancelled == {"render": second["render"], "job": "Print", "state": "cancelled"}
    ready = await until_state(hass, "event.yard_timelapse", lambda state: state.state != "unknown")
    assert ready.attributes["width"] == 64
    await until_state(hass, "sensor.yard_render_progress", lambda state: state.state == "unknown")
    assert len(list((media / "tripod/yard/videos").rglob("*.mp4"))) == 1
    assert first["state"] in ("waiting", "running")
