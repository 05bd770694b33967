"""Cameras of other programs, and of Home Assistant itself, are brought over in a dialog."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, SOURCE_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod import brought
from custom_components.tripod.const import DOMAIN, SUBENTRY_TIMELAPSE
from custom_components.tripod.data import TripodConfigEntry
from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.shared import SHARED
from tests.engine.media import jpegs
from tests.recorded.set_ups import text
from tests.servers.start import Server

from .dialogs import fill_in, options, settled

NEWER = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def begin(hass: HomeAssistant, way: str) -> Any:
    """Begin to bring cameras over."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "bring"})
    assert result["type"] is FlowResultType.MENU
    return await settled(hass, await flow.async_configure(result["flow_id"], {"next_step_id": way}))


def entries(hass: HomeAssistant) -> dict[str, TripodConfigEntry]:
    return {entry.title: entry for entry in hass.config_entries.async_entries(DOMAIN)}


async def until(hass: HomeAssistant, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, looking after each change of a config entry or an issue."""
    changed = asyncio.Event()

    @callback
    def look(*_: Any) -> None:
        changed.set()

    forget = [
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look),
        hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, look),
    ]
    async with asyncio.timeout(20):
        while not condition():
            changed.clear()
            await changed.wait()
    for end in forget:
        end()


async def test_a_configuration_is_shown_and_then_added(hass: HomeAssistant, http_camera: Server) -> None:
    said = f"SOURCES=north={http_camera.url('still.jpg')},gone=http://127.0.0.1:1/a.jpg\nMAX_FILES=9\nODD=|`<b>\n"
    result = await fill_in(hass, await begin(hass, "bring_text"), {"text": said})
    assert result["step_id"] == "bring_review", result
    shown = result["description_placeholders"]
    assert "✓" in shown["cameras"]
    assert "127&#46;0" not in shown["cameras"]
    assert "| ODD | &#124;&#96;&#60;b&#62; |" in shown["not_understood"]
    assert shown["not_needed"] == "–"  # noqa: RUF001 - a dash for people
    assert options(result, "cameras") == {"0": "North", "1": "Gone"}
    assert entries(hass) == {}, "nothing is added unasked"
    result = await fill_in(hass, result, {"cameras": ["0"]})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "brought_over")
    assert result["description_placeholders"] == {"added": "1"}
    (entry,) = entries(hass).values()
    assert (entry.data["delivery"], entry.data["codec"]) == ("stills", "mjpeg")
    assert entry.options["storage"]["frames"]["max_count"] == 9
    (job,) = entry.get_subentries_of_type(SUBENTRY_TIMELAPSE)
    assert (job.title, job.data["interval"]) == ("north", 3600)
    assert hass.states.get("switch.north_timelapse_north") is not None


async def test_what_is_there_already_is_not_added_again(hass: HomeAssistant, http_camera: Server) -> None:
    said = f"IMAGE_URL={http_camera.url('still.jpg')}\n"
    for reason in ("brought_over", "nothing_to_bring"):
        result = await fill_in(hass, await begin(hass, "bring_text"), {"text": said, "format": "byggeplass"})
        result = await fill_in(hass, result, {"cameras": ["0"]})
        assert result["reason"] == reason
    assert len(entries(hass)) == 1


async def test_what_cannot_be_read_is_told_in_the_form(hass: HomeAssistant, tmp_path: Path) -> None:
    result = await fill_in(hass, await begin(hass, "bring_text"), {"text": "hello"})
    assert (result["step_id"], result["errors"]) == ("bring_text", {"base": "not_understood"})
    result = await fill_in(hass, result, {"text": "IMAGE_URL=http://a/b.jpg", "pictures": "/etc"})
    assert result["errors"] == {"base": "not_understood"}
    assert "allowlist" in result["description_placeholders"]["detail"]


async def test_a_compose_file_with_its_environment(hass: HomeAssistant) -> None:
    said = "services:\n  a:\n    environment:\n      - MIO_MOCK_CAMERA=${MOCK}\n      - MIO_RESOLUTION=320x240\n"
    result = await fill_in(hass, await begin(hass, "bring_text"), {"text": said, "around": "MOCK=true"})
    result = await fill_in(hass, result, {"cameras": ["0"]})
    (entry,) = entries(hass).values()
    assert (entry.data["kind"], entry.data["width"]) == ("test_pattern", 320)
    assert brought.CONF_BROUGHT not in entry.options


async def test_controls_are_set_before_the_first_start(hass: HomeAssistant) -> None:
    result = await fill_in(hass, await begin(hass, "bring_text"), {"text": text("crowsnest.conf")})
    assert "✓" not in result["description_placeholders"]["cameras"], "neither device is there"
    result = await fill_in(hass, result, {"cameras": ["0", "1"]})
    assert result["description_placeholders"] == {"added": "2"}
    entry = entries(hass)["Camera 1"]
    wanted = {"focus_automatic_continuous": 0, "focus_absolute": 30}
    assert hass.data[SHARED].storage.controls(entry.entry_id) == wanted
    await until(hass, lambda: brought.CONF_BROUGHT not in entry.options)


async def test_cameras_of_home_assistant(hass: HomeAssistant, http_camera: Server) -> None:
    secret = {"username": "keeper", "password": "hidden"}
    advanced = {"framerate": 2, "verify_ssl": True, "authentication": "basic"}
    kept = [
        MockConfigEntry(
            domain="generic",
            title="Door",
            options={"still_image_url": http_camera.url("still.jpg"), **secret, "advanced": advanced},
        ),
        MockConfigEntry(domain="mjpeg", title="Shed", options={"mjpeg_url": http_camera.url("stream.mjpg"), **secret}),
    ]
    for entry in kept:
        entry.add_to_hass(hass)
    Path(hass.config.path("configuration.yaml")).write_text(
        "camera:\n  - platform: ffmpeg\n    name: Yard\n    input: rtsp://127.0.0.1:1/live\n  - platform: push\n"
    )
    result = await begin(hass, "bring_core")
    assert list(options(result, "cameras").values()) == ["Door (generic)", "Shed (mjpeg)", "Yard (ffmpeg)"]
    result = await fill_in(hass, result, {"cameras": list(options(result, "cameras"))})
    assert result["step_id"] == "bring_review"
    assert "hidden" not in str(result["description_placeholders"])
    result = await fill_in(hass, result, {"cameras": ["0", "1", "2"]})
    assert result["reason"] == "brought_over"
    added = entries(hass)
    assert [added[name].data["delivery"] for name in ("Door", "Shed", "Yard")] == ["stills", "frames", "packets"]
    assert added["Door"].data["still_interval"] == 0.5
    assert added["Shed"].data["password"] == "hidden"
    assert [hass.config_entries.async_get_entry(entry.entry_id) for entry in kept] == kept, "they stay"


@pytest.mark.parametrize("yaml", ["", "camera: [", "camera:\n"])
async def test_a_home_assistant_without_such_cameras(hass: HomeAssistant, yaml: str) -> None:
    Path(hass.config.path("configuration.yaml")).write_text(yaml)
    result = await begin(hass, "bring_core")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_to_bring")


async def test_pictures_of_before_are_adopted(hass: HomeAssistant, http_camera: Server, media: Path) -> None:
    folder = media / "before" / "north" / "images"
    folder.mkdir(parents=True)
    picture = jpegs(frames=1)
    for hour in range(5):
        (folder / f"{NEWER + timedelta(hours=hour):%Y%m%d_%H%M%S}.jpg").write_bytes(picture)
    (folder / "timelapse_1.mp4").write_bytes(b"video")
    said = f"SOURCES=north={http_camera.url('still.jpg')}\n"
    form = await begin(hass, "bring_text")
    result = await fill_in(hass, form, {"text": said, "pictures": str(media / "before")})
    await fill_in(hass, result, {"cameras": ["0"]})
    (entry,) = entries(hass).values()
    await until(hass, lambda: brought.CONF_BROUGHT not in entry.options)
    archive = entry.runtime_data.camera.archive
    days = await hass.async_add_executor_job(archive.days, Kind.FRAME, "north")
    assert sum(day.count for day in days if day.date.year == NEWER.year and day.date.month == NEWER.month) == 5
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{brought.ODD}_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["names"] == "timelapse_1.mp4"


async def test_pictures_that_cannot_be_adopted_are_said_and_waited_for(
    hass: HomeAssistant, media: Path, http_camera: Server
) -> None:
    media.mkdir(parents=True)
    data = {"kind": "url", "url": http_camera.url("still.jpg"), "delivery": "stills"}
    waiting = {"controls": {}, "adopt": [{"folder": str(media / "gone"), "job": "north"}]}
    entry = MockConfigEntry(domain=DOMAIN, title="North", data=data, options={brought.CONF_BROUGHT: waiting})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    registry = ir.async_get(hass)
    await until(hass, lambda: registry.async_get_issue(DOMAIN, f"{brought.FAILED}_{entry.entry_id}") is not None)
    assert entry.options[brought.CONF_BROUGHT] == waiting
    (media / "gone").mkdir()
    await hass.config_entries.async_reload(entry.entry_id)
    await until(hass, lambda: brought.CONF_BROUGHT not in entry.options)
    assert registry.async_get_issue(DOMAIN, f"{brought.FAILED}_{entry.entry_id}") is None
