"""What a bug report needs, without secrets."""

from dataclasses import asdict, fields
from typing import Any

from homeassistant.components.camera import diagnostics as camera_diagnostics
from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant

from . import publications
from .const import CONF_KEY, CONF_NODE, SUBENTRY_LINK
from .data import TripodConfigEntry
from .engine.errors import TripodError
from .engine.sources.node import diagnose
from .engine.status import Status
from .node_forms import access_of
from .shared import SHARED, tools

SECRETS = {CONF_KEY, CONF_PASSWORD, CONF_TOKEN, CONF_USERNAME}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: TripodConfigEntry) -> dict[str, Any]:
    """Return all about one camera."""
    pipeline = entry.runtime_data.pipeline
    source = {**entry.data, "address": pipeline.source.address}
    if CONF_URL in source:
        source[CONF_URL] = REDACTED  # may hold a password anywhere; the address says where it leads
    storage = hass.data[SHARED].storage
    return {
        "source": async_redact_data(source, SECRETS),
        "options": dict(entry.options),
        "links": [
            {**async_redact_data(link.data, SECRETS), "last_used": storage.used(link.subentry_id)}
            for link in entry.get_subentries_of_type(SUBENTRY_LINK)
        ],
        "publications": publications.diagnostics(entry),
        "status": _plain(pipeline.status),
        "controls": _controls(entry),
        "mqtt": asdict(mqtt) if (mqtt := entry.runtime_data.mqtt.status) else None,
        "kept": _kept(entry),
        "node": await _node(hass, entry),
        "ffmpeg": await _ffmpeg(hass),
        "encoders": await _encoders(hass),
        "core_stream": await camera_diagnostics.async_get_config_entry_diagnostics(hass, entry),
    }


def _controls(entry: TripodConfigEntry) -> dict[str, Any] | None:
    controls, exposure = entry.runtime_data.controls, entry.runtime_data.exposure
    if controls is None or exposure is None:
        return None
    return {
        "known": [asdict(control) for control in controls.known.values()],
        "wanted": controls.engine.wanted,
        "exposure": {"mode": exposure.mode, "current": exposure.current, "modes": exposure.modes},
    }


async def _node(hass: HomeAssistant, entry: TripodConfigEntry) -> dict[str, Any] | None:
    """Return how far one comes on the way to a camera's node, and what is known of that."""
    if entry.data["kind"] != "node":
        return None
    watch, hand_over = hass.data[SHARED].nodes.watch(entry.data[CONF_NODE]), entry.runtime_data.hand_over
    diagnosis = await diagnose(access_of(entry), entry.data["camera"])
    return {
        "reached": list(diagnosis.passed),
        "failed": diagnosis.failed,
        "reason": _words(diagnosis.error),
        "connected": watch is not None and watch.connected,
        "error": _words(watch.error) if watch else None,
        "version": watch.version if watch else "",
        "cameras": [asdict(camera) for camera in watch.cameras.values()] if watch else [],
        "hand_over": hand_over
        and {
            "waiting": hand_over.waiting,
            "taken": hand_over.taken,
            "refused": hand_over.refused,
            "error": _words(hand_over.error),
        },
    }


def _kept(entry: TripodConfigEntry) -> dict[str, Any]:
    camera = entry.runtime_data.camera
    return {
        "folder": str(camera.archive.root),
        "present": camera.present,
        "error": _words(camera.error),
        "free": camera.kept.free,
        "forecast": camera.kept.forecast,
        "usage": [
            {"kind": kind.value, "job": job, **asdict(usage)} for (kind, job), usage in camera.kept.usage.items()
        ],
        "recordings": [
            {"state": recording.state, "duration": recording.duration, "size": recording.size, "lost": recording.lost}
            for recording in camera.recorder.recordings
        ],
        "timelapses": [
            {
                **{field.name: getattr(status, field.name) for field in fields(status)},
                "job": status.job.as_dict(),
                "error": _words(status.error),
            }
            for status in camera.timelapses.jobs
        ],
        "renders": [
            {**render.as_dict(), "state": render.state, "progress": render.progress} for render in camera.renders
        ],
    }


def _plain(status: Status) -> dict[str, Any]:
    values = {name: getattr(status, name) for name in Status.__slots__ if name != "viewers"}
    errors = {name: _words(values[name]) for name in ("error", "last_error")}
    audio = status.audio and {
        "device": status.audio.device,
        "state": status.audio.state,
        "error": _words(status.audio.error),
    }
    return {**values, **errors, "audio": audio, "viewers": [asdict(viewer) for viewer in status.viewers]}


def _words(error: TripodError | None) -> dict[str, str] | None:
    return None if error is None else {"cause": error.cause, "text": str(error)}


async def _ffmpeg(hass: HomeAssistant) -> dict[str, str]:
    ffmpeg = tools(hass).ffmpeg
    try:
        return {"binary": ffmpeg.binary, "version": await ffmpeg.version()}
    except TripodError as error:
        return {"binary": ffmpeg.binary, "error": str(error)}


async def _encoders(hass: HomeAssistant) -> dict[str, Any]:
    """Return what each encoder showed, trying those that nobody has needed yet."""
    encoders = tools(hass).encoders
    try:
        await encoders.prove()
    except TripodError as error:
        return {"error": str(error)}
    chosen = encoders.chosen
    verdicts = {name: asdict(verdict) for name, verdict in encoders.verdicts.items()}
    return {"chosen": chosen.name if chosen else None, "verdicts": verdicts}
