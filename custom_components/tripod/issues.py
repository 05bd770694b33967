"""Tell the user about what only the user can mend, and take it back once it is mended."""

from typing import TYPE_CHECKING

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .engine.errors import FfmpegMissing, TripodError, Unauthorized
from .engine.status import State
from .shared import tools

if TYPE_CHECKING:
    from .data import TripodConfigEntry

FFMPEG_MISSING = "ffmpeg_missing"
UNAUTHORIZED = "unauthorized"


def unauthorized_issue(entry_id: str) -> str:
    """Return the id of the issue about a camera that refuses its password."""
    return f"{UNAUTHORIZED}_{entry_id}"


async def check_ffmpeg(hass: HomeAssistant) -> None:
    """Look for ffmpeg, which nearly all cameras need."""
    ffmpeg = tools(hass).ffmpeg
    try:
        await ffmpeg.version()
    except FfmpegMissing:
        _report_ffmpeg(hass)
    except TripodError:
        pass  # it is there; its own trouble shows when a camera needs it
    else:
        ir.async_delete_issue(hass, DOMAIN, FFMPEG_MISSING)


@callback
def watch(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Follow the state of a camera for as long as it is set up."""
    pipeline = entry.runtime_data.pipeline

    @callback
    def look() -> None:
        if isinstance(pipeline.error, FfmpegMissing):
            _report_ffmpeg(hass)
        elif isinstance(pipeline.error, Unauthorized):
            _report_unauthorized(hass, entry)
        elif pipeline.state is State.STREAMING:
            _withdraw_unauthorized(hass, entry)
            if ir.async_get(hass).async_get_issue(DOMAIN, FFMPEG_MISSING):
                entry.async_create_background_task(hass, check_ffmpeg(hass), "look for ffmpeg")

    entry.async_on_unload(pipeline.listen(look))


def _report_ffmpeg(hass: HomeAssistant) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        FFMPEG_MISSING,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=FFMPEG_MISSING,
        translation_placeholders={"program": tools(hass).ffmpeg.binary},
    )


def _report_unauthorized(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    if entry.data.get(CONF_PASSWORD):
        entry.async_start_reauth(hass)  # which core lists among the repairs itself
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        unauthorized_issue(entry.entry_id),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=UNAUTHORIZED,
        translation_placeholders={"name": entry.title},
    )


def _withdraw_unauthorized(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    ir.async_delete_issue(hass, DOMAIN, unauthorized_issue(entry.entry_id))
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        hass.config_entries.flow.async_abort(flow["flow_id"])


def forget(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Withdraw all about a camera that is removed."""
    ir.async_delete_issue(hass, DOMAIN, unauthorized_issue(entry.entry_id))
