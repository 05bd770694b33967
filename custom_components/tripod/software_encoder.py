"""Tell the user when the processor is busy making video that hardware, or the camera itself, could make."""

from datetime import datetime, timedelta
import os

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from .const import DOMAIN
from .data import TripodConfigEntry
from .encoding import needs_encoder
from .shared import tools

SOFTWARE_ENCODER = "software_encoder"

LEARN_MORE = "https://github.com/tripod-cameras/tripod#video-encoders"

LOOK = timedelta(seconds=10)

LOOKS = 3
"""Looks in a row that must agree: a busy moment is no trouble, and a calm one no cure."""

HIGH_LOAD = 0.9
"""Processes that run or wait to, for each core, in the mean of the last minute (`uptime` shows it)."""


def software_encoder_issue(entry_id: str) -> str:
    """Return the id of the issue about a camera whose video takes too much of the processor."""
    return f"{SOFTWARE_ENCODER}_{entry_id}"


@callback
def watch(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Follow what a camera's video costs for as long as the camera is set up."""
    pipeline = entry.runtime_data.pipeline
    if not needs_encoder(pipeline.source):
        return
    encoders = tools(hass).encoders
    issue_id = software_encoder_issue(entry.entry_id)
    looks: list[bool] = []

    @callback
    def look(_now: datetime) -> None:
        encoder = encoders.chosen
        in_software = pipeline.status.transcoding and encoder is not None and not encoder.hardware
        looks[:] = [*looks, in_software and _load() > HIGH_LOAD][-LOOKS:]
        if looks == [True] * LOOKS:
            _report(hass, entry, issue_id)
        elif looks == [False] * LOOKS:
            ir.async_delete_issue(hass, DOMAIN, issue_id)

    entry.async_on_unload(async_track_time_interval(hass, look, LOOK))
    entry.async_on_unload(lambda: ir.async_delete_issue(hass, DOMAIN, issue_id))


def _load() -> float:
    return os.getloadavg()[0] / (os.process_cpu_count() or 1)


def _report(hass: HomeAssistant, entry: TripodConfigEntry, issue_id: str) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        learn_more_url=LEARN_MORE,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SOFTWARE_ENCODER,
        translation_placeholders={"name": entry.title},
    )
