"""When timelapses may take frames: the sun over real places, and entities."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.sun import get_astral_event_date
from homeassistant.util import dt as dt_util
import pytest

from custom_components.tripod.engine.timelapse import Job, Sun
from custom_components.tripod.timelapse_conditions import allowed


@pytest.fixture(autouse=True)
async def zurich(hass: HomeAssistant) -> None:
    """Live in Zurich: on 2026-11-21 the sun is up from about 7:36 to 16:43, and civil twilight lasts half an hour."""
    await hass.config.async_update(latitude=47.37, longitude=8.54, elevation=0, time_zone="Europe/Zurich")


def _at(text: str, day: str = "2026-11-21") -> datetime:
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=dt_util.get_default_time_zone())


def _job(**fields: Any) -> Job:
    return Job(name="Garden", interval=60, **fields)


@pytest.mark.parametrize(
    ("sun", "margin", "times"),
    [
        (Sun.ANY, 0, ["06:00", "07:15", "12:00", "17:00", "23:00"]),
        (Sun.UP, 0, ["12:00"]),
        (Sun.TWILIGHT, 0, ["07:15", "12:00", "17:00"]),
        (Sun.DOWN, 0, ["06:00", "07:15", "17:00", "23:00"]),
        (Sun.UP, 2 * 3600, ["06:00", "07:15", "12:00", "17:00"]),
        (Sun.DOWN, 2 * 3600, ["23:00"]),
        (Sun.TWILIGHT, -3600, ["12:00"]),
    ],
)
def test_the_sun_decides(hass: HomeAssistant, sun: Sun, margin: int, times: list[str]) -> None:
    job = _job(sun=sun, sun_margin=margin)
    asked = ["06:00", "07:15", "12:00", "17:00", "23:00"]
    assert [time for time in asked if allowed(hass, job, _at(time))] == times


def test_the_sun_rises_and_sets_when_home_assistant_says_so(hass: HomeAssistant) -> None:
    for event in ("sunrise", "sunset"):
        moment = get_astral_event_date(hass, event, _at("12:00"))
        minute = timedelta(minutes=1)
        seen = [allowed(hass, _job(sun=Sun.UP), at) for at in (moment - minute, moment + minute)]
        assert seen == [event == "sunset", event == "sunrise"]


async def test_where_the_sun_never_sets_it_is_day(hass: HomeAssistant) -> None:
    await hass.config.async_update(latitude=78.2, longitude=15.6)
    assert allowed(hass, _job(sun=Sun.UP), _at("00:30", "2026-06-21"))
    assert not allowed(hass, _job(sun=Sun.TWILIGHT), _at("12:00", "2026-12-21"))


@pytest.mark.parametrize(
    ("state", "may"),
    [
        ("on", True),
        ("Printing", True),
        ("printing_sd", True),
        ("paused", False),
        ("off", False),
        ("operational", False),
        ("unavailable", False),
        (None, False),
    ],
)
def test_an_entity_decides(hass: HomeAssistant, state: str | None, may: bool) -> None:  # noqa: FBT001
    if state is not None:
        hass.states.async_set("sensor.printer", state)
    assert allowed(hass, _job(condition="sensor.printer")) is may
    assert allowed(hass, _job())
