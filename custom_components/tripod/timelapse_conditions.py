"""Whether a timelapse may take frames, as far as Home Assistant knows it: where the sun is, and what an entity says."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from astral.sun import elevation
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.sun import get_astral_observer
from homeassistant.util import dt as dt_util

from .engine.timelapse import Job, Sun

HORIZON = -0.833
"""Degrees at which the sun rises and sets: half its disc, and what the air bends its light."""

CIVIL_TWILIGHT = -6.0
"""Degrees down to which one sees outside without a lamp."""

_LOWEST: Final[Mapping[Sun, float]] = {Sun.UP: HORIZON, Sun.TWILIGHT: CIVIL_TWILIGHT, Sun.DOWN: HORIZON}
"""Degrees above which it is day, by what is asked of the sun."""

ALLOWING: Final = frozenset([STATE_ON, "printing", "printing_sd"])
"""What an entity says while it allows frames, in any case of letters: the last two are states of OctoPrint's sensor."""


@callback
def allowed(hass: HomeAssistant, job: Job, at: datetime | None = None) -> bool:
    """Return whether `job` may take a frame now, or, as far as the sun goes, `at` another time."""
    return _sun_allows(hass, job, at or dt_util.utcnow()) and _entity_allows(hass, job.condition)


def _sun_allows(hass: HomeAssistant, job: Job, at: datetime) -> bool:
    if job.sun is Sun.ANY:
        return True
    observer, margin = get_astral_observer(hass), timedelta(seconds=abs(job.sun_margin))
    up = [
        elevation(observer, moment, with_refraction=False) >= _LOWEST[job.sun]
        for moment in {at - margin, at, at + margin}
    ]
    # a margin makes the day longer at both ends, or shorter
    day = all(up) if job.sun_margin < 0 else any(up)
    return day is not (job.sun is Sun.DOWN)


def _entity_allows(hass: HomeAssistant, entity_id: str) -> bool:
    """Return what the entity says; one that is missing or unavailable does not allow anything."""
    state = hass.states.get(entity_id) if entity_id else None
    return not entity_id or (state is not None and state.state.lower() in ALLOWING)
