"""Recordings: the actions, the files that come of them, and what tells of them."""

import asyncio
from datetime import datetime
import json
from pathlib import Path
import subprocess
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.tripod.engine.recorder import Recorder, RecordingState

from .conftest import PATTERN, SetUp, act, children, streaming, until_state

CAMERA = "camera.yard"


def _probe(path: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    run = subprocess.run(command, check=True, capture_output=True, timeout=20)
    assert run.stderr == b""
    found: dict[str, Any] = json.loads(run.stdout)
    return found


async def _all_record(recorder: Recorder) -> None:
    """Wait until each recording has its first picture."""
    changed = asyncio.Event()
    unlisten = recorder.listen(changed.set)
    async with asyncio.timeout(20):
        while any(recording.state is RecordingState.WAITING for recording in recorder.recordings):
            changed.clear()
            await changed.wait()
    unlisten()


async def test_a_recording_that_is_waited_for(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(PATTERN)
    before = time.time()
    kept = await act(hass, "record", duration=1, wait=True)
    assert Path(kept["path"]).parent.parent == media / "tripod/yard/recordings"
    assert kept["media_content_id"].startswith(f"media-source://tripod/{entry.entry_id}/recordings/")
    assert kept["url"].startswith(f"/api/tripod/media/{entry.entry_id}/recordings/")
    assert before <= datetime.fromisoformat(kept["captured_at"]).timestamp() <= time.time()
    assert kept["size"] == Path(kept["path"]).stat().st_size
    assert kept["files"] == [{key: value for key, value in kept.items() if key != "files"}]
    probed = _probe(kept["path"])
    assert probed["streams"][0]["codec_name"] == "h264"
    assert float(probed["format"]["duration"]) == pytest.approx(kept["duration"], abs=0.2)
    assert 0.9 <= kept["duration"] < 1.5


async def test_a_recording_begins_in_the_past_and_ends_when_it_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN, start="always", pre_roll=2)
    feed = entry.runtime_data.pipeline.packet_feed
    while sum(segment.duration for segment in feed.segments) < 2.5:
        await feed.waiters.wait(20)
    events = async_capture_events(hass, "state_changed")
    asked_at = time.time()
    begun = await act(hass, "record")
    assert datetime.fromisoformat(begun["asked_at"]).timestamp() == pytest.approx(asked_at, abs=1)
    assert begun["state"] == "recording"
    await until_state(hass, CAMERA, lambda state: state.state == "recording")
    assert hass.states.get("sensor.yard_recordings_under_way").state == "1"
    assert hass.states.get("sensor.yard_recordings_under_way").attributes["recordings"] == [begun["recording"]]
    extended = await act(hass, "record", recording=begun["recording"], duration=60)
    assert extended["recording"] == begun["recording"]
    ended = await act(hass, "stop_record", recording=begun["recording"])
    assert ended["recording"] == begun["recording"]
    assert asked_at - 2 - 1.1 <= datetime.fromisoformat(ended["captured_at"]).timestamp() <= asked_at - 2
    assert ended["captured_at"][:22] == begun["captured_at"][:22]
    assert ended["duration"] >= 2
    await hass.async_block_till_done()
    assert hass.states.get("sensor.yard_recordings_under_way").state == "0"
    ready = hass.states.get("event.yard_recording")
    assert ready.attributes["event_type"] == "recording_ready"
    assert {key: ready.attributes[key] for key in ("media_content_id", "path", "url", "captured_at", "size")} == {
        key: ended[key] for key in ("media_content_id", "path", "url", "captured_at", "size")
    }
    fired = [event for event in events if event.data["entity_id"] == "event.yard_recording"]
    assert len(fired) == 1


async def test_a_recording_without_a_picture_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(PATTERN)
    await act(hass, "record")
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, "stop_record")
    assert caught.value.translation_key == "nothing_recorded"
    failed = hass.states.get("event.yard_recording").attributes
    assert (failed["event_type"], failed["what"], failed["cause"]) == ("failed", "recording", "nothing_recorded")


async def test_several_recordings_end_together(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(PATTERN)
    async with streaming(entry):
        begun = [await act(hass, "record", pre_roll=1, filename=f"{name}_{{camera}}") for name in ("one", "two")]
        begun.append(await act(hass, "record", pre_roll=1, filename="three_yard.mkv", container="mkv"))
        await _all_record(entry.runtime_data.recorder)
        ended = await act(hass, "stop_record")
    assert {file["recording"] for file in ended["files"]} == {one["recording"] for one in begun}
    assert {Path(file["path"]).name for file in ended["files"]} == {"one_yard.mp4", "two_yard.mp4", "three_yard.mkv"}
    formats = {Path(file["path"]).stem: _probe(file["path"])["format"]["format_name"] for file in ended["files"]}
    assert "mp4" in formats["one_yard"]
    assert "matroska" in formats["three_yard"]


IMPOSSIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("stop_record", {}, "not_recording"),
    ("stop_record", {"recording": "nonsense"}, "not_recording"),
    ("record", {"recording": "nonsense", "duration": 1}, "not_recording"),
    ("record", {"filename": "../x.mp4"}, "invalid_name"),
    ("record", {"filename": "/x.mp4"}, "invalid_name"),
    ("record", {"duration": 0}, "invalid_request"),
]


async def test_what_cannot_be_recorded_is_told(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up(PATTERN)
    for action, data, key in IMPOSSIBLE:
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, action, **data)
        assert caught.value.translation_key == key, (action, data)
    assert children() == set(), "what cannot be wakes no camera"
