"""What real devices answered, for machines that have none: see the notes beside each recording."""

import json
from pathlib import Path
from typing import Any

from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice, VideoMode

_HERE = Path(__file__).parent


def v4l2_devices() -> list[VideoDevice]:
    """Return a USB webcam (uvcvideo on a software gadget) and a capture device (vivid), as Linux 6.12 listed them."""
    recorded: list[dict[str, Any]] = json.loads((_HERE / "v4l2.json").read_text())
    return [_device(**device) for device in recorded]


def _device(*, modes: list[dict[str, Any]], paths: list[str], **fields: Any) -> VideoDevice:
    return VideoDevice(paths=tuple(paths), modes=tuple(_mode(**mode) for mode in modes), **fields)


def _mode(*, rates: list[float], **fields: Any) -> VideoMode:
    return VideoMode(rates=tuple(rates), **fields)
