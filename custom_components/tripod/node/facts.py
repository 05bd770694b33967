"""What a node says about itself, its cameras and their files, as JSON-able data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..engine.archive import Archive, Item
from ..engine.camera import Camera
from ..engine.controls import Control
from ..engine.errors import TripodError
from ..engine.mqtt import MqttStatus
from ..engine.recorder import Recording
from ..engine.timelapse import JobStatus, Render

Facts = dict[str, Any]


def camera_facts(camera_id: str, title: str, camera: Camera) -> Facts:
    """Return what a camera is, and what it is doing."""
    pipeline = camera.pipeline
    source, status = pipeline.source, pipeline.status
    return {
        "id": camera_id,
        "title": title,
        "kind": source.kind,
        "native": source.native.value,
        "delivers": sorted(medium.value for medium in source.delivers),
        "state": status.state.value,
        **error_facts(status.error),
        "codec": status.codec,
        "width": status.width,
        "height": status.height,
        "frames_per_second": round(status.frames_per_second, 2),
        "controls": pipeline.controls is not None,
        "warms_up": source.warms_up,
        "interval": source.interval,
        "still": source.takes_stills,
    }


def error_facts(error: TripodError | None) -> Facts:
    """Return what keeps something away, with what the sentence names; None where nothing does."""
    if error is None:
        return {"cause": None, "message": None, "placeholders": None}
    return {"cause": error.cause, "message": str(error), "placeholders": error.placeholders}


def storage_facts(camera: Camera) -> Facts:
    """Return what a camera keeps, and what keeps it from keeping more."""
    kept = camera.kept
    usage = [
        {"kind": kind.value, "job": job, "count": used.count, "size": used.size}
        for (kind, job), used in sorted(kept.usage.items())
    ]
    return {
        "present": camera.present,
        **error_facts(camera.error),
        "size": kept.size,
        "free": kept.free,
        "days_until_full": kept.forecast,
        "usage": usage,
    }


def mqtt_facts(status: MqttStatus) -> Facts:
    """Return how a camera's connection to the broker is."""
    return {
        "prefix": status.prefix,
        "connected": status.connected,
        **error_facts(status.error),
        "breaks": status.breaks,
        "dropped": status.dropped,
    }


def item_facts(archive: Archive, item: Item) -> Facts:
    """Return what is to be known of a file; blocks."""
    return {
        "kind": item.kind.value,
        "key": item.key,
        "captured_at": item.captured_at.isoformat(),
        "size": item.size,
        "suffix": item.suffix,
        "job": item.job,
        "details": archive.details(item),
        "thumbnail": archive.thumbnail(item) is not None,
        "pinned": archive.pinned(item.key),
    }


def recording_facts(recording: Recording) -> Facts:
    """Return how far a recording is."""
    return {
        "id": recording.id,
        "state": recording.state.value,
        "asked_at": recording.asked_at.isoformat(),
        "started_at": _moment(recording.started_at),
        "name": recording.name,
        "container": recording.container.value,
        "duration": round(recording.duration, 3),
        "size": recording.size,
        "lost": round(recording.lost, 3),
    }


def timelapse_facts(status: JobStatus) -> Facts:
    """Return how a timelapse goes."""
    return {
        "job": status.job.as_dict(),
        "standing": status.standing,
        "running": status.running,
        "started_at": _moment(status.started_at),
        "frames": status.frames,
        "frames_today": status.frames_today,
        "last_frame_at": _moment(status.last_frame_at),
        "missed": status.missed,
        "skipped": status.skipped,
        "next_at": _moment(status.next_at),
        **error_facts(status.error),
    }


def render_facts(render: Render) -> Facts:
    """Return how far a video is."""
    return {
        "id": render.id,
        "state": render.state.value,
        "progress": round(render.progress, 2),
        "asked_at": render.asked_at,
        "request": render.request.as_dict(),
        "key": render.item.key if render.item else None,
        **error_facts(render.error),
    }


def control_facts(control: Control) -> Facts:
    """Return a control with its value; the values of a menu are strings, as JSON's keys are."""
    return {**asdict(control), "choices": {str(value): name for value, name in control.choices.items()}}


def controls_facts(controls: Mapping[str, Control], wanted: Mapping[str, float]) -> Facts:
    """Return all controls, and what was set of them."""
    return {"controls": [control_facts(control) for control in controls.values()], "wanted": dict(wanted)}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
