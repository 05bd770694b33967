"""What a bug report holds, and what it must not hold."""

import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import ExtendedJSONEncoder
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tripod.const import DOMAIN
from custom_components.tripod.diagnostics import async_get_config_entry_diagnostics
from custom_components.tripod.engine.encoders import LADDER
from custom_components.tripod.engine.status import State
from custom_components.tripod.shared import tools
from tests.servers.start import Server

from .conftest import JPEG_PATTERN, KEY, SetUp, act, link, streaming, until
from .webcam import SOURCE, Webcam


def _lose_ffmpeg(hass: HomeAssistant) -> None:
    ffmpeg = tools(hass).ffmpeg
    ffmpeg.binary, ffmpeg._version = "/nowhere/ffmpeg", None


async def test_diagnostics_hold_no_secret(hass: HomeAssistant, set_up: SetUp, http_camera: Server) -> None:
    data = {
        "kind": "url",
        "url": http_camera.url("basic/still.jpg?token=s3cr3t-token"),
        "username": "s3cr3t-user",
        "password": "s3cr3t-password",
        "delivery": "stills",
        "codec": "mjpeg",
    }
    entry = await set_up(data, link(), start="always")
    pipeline = entry.runtime_data.pipeline
    await until(pipeline, lambda: pipeline.state is State.RETRYING)
    found = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(found, cls=ExtendedJSONEncoder)
    assert "s3cr3t" not in text
    assert KEY not in text
    assert found["status"]["error"]["cause"] == "unauthorized"
    assert found["source"]["address"].startswith("http://127.0.0.1:")
    assert found["links"][0]["scopes"] == ["stream", "snapshot"]


async def test_diagnostics_of_what_is_kept(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(JPEG_PATTERN, start="always")
    await act(hass, "start_timelapse", job="Roof", render=False)
    await act(hass, "timelapse_frame", job="Roof")
    await act(hass, "record")
    await entry.runtime_data.camera.look()
    kept = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, entry), cls=ExtendedJSONEncoder))[
        "kept"
    ]
    assert (kept["folder"], kept["present"], kept["error"]) == (str(media / "tripod/yard"), True, None)
    assert [usage["count"] for usage in kept["usage"] if usage["job"] == "Roof" and usage["kind"] == "frames"] == [1]
    assert kept["timelapses"][0]["job"]["name"] == "Roof"
    assert (kept["timelapses"][0]["frames"], kept["timelapses"][0]["error"]) == (1, None)
    assert len(kept["recordings"]) == 1
    assert kept["renders"] == []


async def test_diagnostics_of_a_running_camera(
    hass: HomeAssistant, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up(JPEG_PATTERN)
    await hass.async_block_till_done()
    async with streaming(entry):
        client = await hass_client()
        async with client.get("/api/camera_proxy_stream/camera.yard") as response:
            await response.content.readuntil(b"\xff\xd9")
            found = await async_get_config_entry_diagnostics(hass, entry)
    assert found["status"]["state"] == "streaming"
    assert found["status"]["error"] is None
    assert found["status"]["viewers"][0]["client"] == "Dashboard"
    assert found["ffmpeg"]["version"]
    verdicts = found["encoders"]["verdicts"]
    assert set(verdicts) == {encoder.name for encoder in LADDER}
    assert verdicts["libx264"]["outcome"] == "works"
    assert verdicts["libx264"]["speed"]
    assert verdicts["libx264"]["cpu"]
    assert found["encoders"]["chosen"] in verdicts
    assert "camera.yard" in found["core_stream"]


async def test_diagnostics_tell_the_controls(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up(SOURCE)
    await webcam.controls.set({"brightness": 3})
    found = await async_get_config_entry_diagnostics(hass, entry)
    controls = json.loads(json.dumps(found["controls"], cls=ExtendedJSONEncoder))
    assert controls["wanted"] == {"brightness": 3}
    assert {control["key"]: control["value"] for control in controls["known"]}["brightness"] == 3
    assert controls["exposure"] == {"mode": None, "current": "auto", "modes": ["auto", "locked", "night"]}
    assert (await async_get_config_entry_diagnostics(hass, await set_up()))["controls"] is None


async def test_diagnostics_tell_why_there_is_no_sound(hass: HomeAssistant, set_up: SetUp, webcam: Webcam) -> None:
    entry = await set_up({**SOURCE, "microphone": "plughw:CARD=Nowhere,DEV=0"})
    pipeline = entry.runtime_data.pipeline
    async with pipeline.packets():
        await until(pipeline, lambda: bool(pipeline.audio and pipeline.audio.status.error))
        found = await async_get_config_entry_diagnostics(hass, entry)
    audio = json.loads(json.dumps(found["status"]["audio"], cls=ExtendedJSONEncoder))
    assert (audio["device"], audio["state"]) == ("plughw:CARD=Nowhere,DEV=0", "retrying")
    assert audio["error"]["cause"] == "device_missing"


async def test_diagnostics_say_that_ffmpeg_is_missing(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up()
    _lose_ffmpeg(hass)
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert "not found" in found["ffmpeg"]["error"]
    assert "not found" in found["encoders"]["error"]


async def test_system_health(hass: HomeAssistant, set_up: SetUp) -> None:
    assert await async_setup_component(hass, "system_health", {})
    entry = await set_up(JPEG_PATTERN)
    await set_up(title="Door")
    async with streaming(entry):
        info = await get_system_health_info(hass, DOMAIN)
        version = await info.pop("ffmpeg_version")
        assert version[0].isdigit()
        assert (await info.pop("encoder")) in {encoder.name for encoder in LADDER}
        assert info == {"nodes": "0 / 0", "cameras": 2, "streaming": 1, "failing": 0, "viewers": 0}
    _lose_ffmpeg(hass)
    info = await get_system_health_info(hass, DOMAIN)
    assert await info["ffmpeg_version"] == {"type": "failed", "error": "ffmpeg_missing"}
    assert await info["encoder"] == {"type": "failed", "error": "ffmpeg_missing"}
