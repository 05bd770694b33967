"""What is remembered, and when it reaches the disk."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.tripod.storage import SOON, Storage


async def _storage(hass: HomeAssistant) -> Storage:
    storage = Storage(hass)
    await storage.load()
    return storage


async def _wait(hass: HomeAssistant, seconds: float) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await hass.async_block_till_done()


async def test_a_file_of_an_older_version_is_read(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    used = "2026-10-01T12:00:00+00:00"
    data = {"stopped": {"camera": True}, "used": {"link": used}}
    hass_storage["tripod"] = {"version": 1, "minor_version": 1, "key": "tripod", "data": data}
    storage = await _storage(hass)
    assert storage.stopped("camera", default=False)
    assert storage.used("link") == dt_util.parse_datetime(used)
    assert storage.controls("camera") == {}
    assert storage.known_controls("camera") == []
    assert storage.exposure("camera") is None


async def test_settings_are_written_soon_whatever_else_happens(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """A store that is told of a later write would put the earlier one off."""
    storage = await _storage(hass)
    storage.note_use("link")
    storage.set_controls("camera", {"gain": 3})
    storage.note_use("another link")
    await _wait(hass, SOON)
    assert hass_storage["tripod"]["data"]["controls"] == {"camera": {"gain": 3}}
    assert set(hass_storage["tripod"]["data"]["used"]) == {"link", "another link"}
    again = await _storage(hass)
    assert again.controls("camera") == {"gain": 3}


async def test_what_is_not_news_is_not_written(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    storage = await _storage(hass)
    storage.set_controls("camera", {})
    storage.set_known_controls("camera", [])
    storage.set_exposure("camera", None)
    storage.forget_camera("camera")
    await _wait(hass, 100)
    assert "tripod" not in hass_storage


async def test_a_stop_takes_along_what_waits(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    storage = await _storage(hass)
    storage.set_exposure("camera", "night")
    await storage.set_stopped("camera", stopped=True)
    assert hass_storage["tripod"]["data"]["exposure"] == {"camera": "night"}
    storage.set_exposure("camera", "auto")
    await _wait(hass, SOON)
    assert hass_storage["tripod"]["data"]["exposure"] == {"camera": "auto"}
