"""How a camera is, as JSON-able data for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..camera import Camera
from ..errors import TripodError


def facts(camera: Camera, title: str, describe: Callable[[TripodError], str]) -> dict[str, Any]:
    """Return what is known of a camera at this moment; `describe` gives the sentence for an error."""
    status, controls = camera.pipeline.status, camera.pipeline.controls
    error = status.error or camera.error
    return {
        "title": title,
        "state": status.state.value,
        "cause": error.cause if error else None,
        "message": describe(error) if error else None,
        "codec": status.codec,
        "width": status.width,
        "height": status.height,
        "frames_per_second": round(status.frames_per_second, 1),
        "viewers": len(status.viewers),
        "recordings": [
            {
                "recording": recording.id,
                "state": recording.state.value,
                "asked_at": recording.asked_at.isoformat(),
            }
            for recording in camera.recordings
        ],
        "timelapses": [
            {
                "job": job.job.name,
                "running": job.running,
                "frames": job.frames,
                "next_at": job.next_at and job.next_at.isoformat(),
            }
            for job in camera.timelapses.jobs
        ],
        "renders": [
            {"render": render.id, "job": render.request.job, "state": render.state.value} for render in camera.renders
        ],
        "controls": {
            key: None if control.value is None else round(control.value, 3)
            for key, control in (controls.current if controls else {}).items()
        },
        "storage": {
            "files": sum(usage.count for usage in camera.kept.usage.values()),
            "size": camera.kept.size,
            "free": camera.kept.free,
        },
    }
