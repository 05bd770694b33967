"""Tell the user about what only the user can mend, and take it back once it is mended."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import CONF_PASSWORD
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_NODE, DOMAIN
from .engine.errors import (
    ArchiveMissing,
    DeviceBusy,
    DeviceHeld,
    DeviceNotPermitted,
    DiskFull,
    FfmpegMissing,
    LowSpace,
    NoPermission,
    NotWritable,
    TripodError,
    Unauthorized,
    Unpaired,
)
from .engine.status import State
from .sentences import placeholders
from .shared import SHARED, tools

if TYPE_CHECKING:
    from .data import TripodConfigEntry

FFMPEG_MISSING = "ffmpeg_missing"
UNAUTHORIZED = "unauthorized"

HELP: Final = "https://github.com/tripod-cameras/tripod#when-a-camera-fails"


STORAGE_HELP: Final = "https://github.com/tripod-cameras/tripod#storage"


def issue_id(cause: str, entry_id: str) -> str:
    """Return the id of the issue about a camera that fails for this cause."""
    return f"{cause}_{entry_id}"


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
        if pipeline.error and (report := _REPORTS.get(type(pipeline.error))):
            report(hass, entry, pipeline.error)
        elif pipeline.state is State.STREAMING:
            _withdraw(hass, entry)
            if ir.async_get(hass).async_get_issue(DOMAIN, FFMPEG_MISSING):
                entry.async_create_background_task(hass, check_ffmpeg(hass), "look for ffmpeg")

    entry.async_on_unload(pipeline.listen(look))


@callback
def watch_archive(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Follow whether anything can be kept of a camera, for as long as it is set up."""
    camera = entry.runtime_data.camera

    @callback
    def look() -> None:
        cause = camera.error.cause if camera.error else None
        _withdraw_causes(hass, entry, *(known for known in ARCHIVE_CAUSES if known != cause))
        if camera.error and cause in ARCHIVE_CAUSES:
            _report_archive(hass, entry, camera.error)

    entry.async_on_unload(camera.listen(look))
    entry.async_on_unload(partial(_withdraw_causes, hass, entry, *ARCHIVE_CAUSES))  # which only a running camera mends


def _report_ffmpeg(hass: HomeAssistant, *_: object) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        FFMPEG_MISSING,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=FFMPEG_MISSING,
        translation_placeholders={"program": tools(hass).ffmpeg.binary},
    )


def _report_unauthorized(hass: HomeAssistant, entry: TripodConfigEntry, _error: TripodError) -> None:
    if entry.data["kind"] == "node":
        hass.data[SHARED].nodes.ask_for_code(entry.data[CONF_NODE])
        return
    if entry.data.get(CONF_PASSWORD):
        entry.async_start_reauth(hass)  # which core lists among the repairs itself
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(UNAUTHORIZED, entry.entry_id),
        data={"entry_id": entry.entry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=UNAUTHORIZED,
        translation_placeholders={"name": entry.title},
    )


def _report_device(hass: HomeAssistant, entry: TripodConfigEntry, error: TripodError) -> None:
    """Say what keeps the device from us; what was said of it before no longer holds."""
    _withdraw_causes(hass, entry, *(cause for cause in DEVICE_CAUSES if cause != error.cause))
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(error.cause, entry.entry_id),
        is_fixable=False,
        learn_more_url=HELP,
        severity=ir.IssueSeverity.ERROR,
        translation_key=error.cause,
        translation_placeholders={"name": entry.title, **placeholders(error)},
    )


def _report_archive(hass: HomeAssistant, entry: TripodConfigEntry, error: TripodError) -> None:
    """Say what keeps anything from being kept; only a folder that is gone for good is mended here."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(error.cause, entry.entry_id),
        data={"entry_id": entry.entry_id},
        is_fixable=isinstance(error, ArchiveMissing),
        learn_more_url=STORAGE_HELP,
        severity=ir.IssueSeverity.ERROR,
        translation_key=error.cause,
        translation_placeholders={"name": entry.title, **placeholders(error)},
    )


ARCHIVE_CAUSES: Final = tuple(error.cause for error in (ArchiveMissing, DiskFull, LowSpace, NotWritable))
"""What may keep anything from being kept; each has an issue of its name."""

_DEVICE_ERRORS = (DeviceBusy, DeviceHeld, DeviceNotPermitted, NoPermission)

DEVICE_CAUSES: Final = tuple(error.cause for error in _DEVICE_ERRORS)
"""What may keep a device of this machine from us; each has an issue of its name."""

type _Report = Callable[[HomeAssistant, TripodConfigEntry, TripodError], None]

_REPORTS: dict[type[TripodError], _Report] = {
    FfmpegMissing: _report_ffmpeg,
    **dict.fromkeys((Unauthorized, Unpaired), _report_unauthorized),
    **dict.fromkeys(_DEVICE_ERRORS, _report_device),
}


def _withdraw(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Take back what was said of a camera that is well."""
    _withdraw_causes(hass, entry, UNAUTHORIZED, *DEVICE_CAUSES)
    for flow in entry.async_get_active_flows(hass, {SOURCE_REAUTH}):
        hass.config_entries.flow.async_abort(flow["flow_id"])


def _withdraw_causes(hass: HomeAssistant, entry: TripodConfigEntry, *causes: str) -> None:
    for cause in causes:
        ir.async_delete_issue(hass, DOMAIN, issue_id(cause, entry.entry_id))


def forget(hass: HomeAssistant, entry: TripodConfigEntry) -> None:
    """Withdraw all about a camera that is removed."""
    _withdraw_causes(hass, entry, UNAUTHORIZED, *DEVICE_CAUSES, *ARCHIVE_CAUSES)
