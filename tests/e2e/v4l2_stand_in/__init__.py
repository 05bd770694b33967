"""A stand-in for V4L2 devices, in a Home Assistant whose machine has none.

Which devices there are is a recording of real ones (tests/recorded), and ./ffmpeg plays files where they would be
captured from. Nothing else is replaced: looks, measuring, live check, pipelines and dialogs are Tripod's own.
"""

from dataclasses import replace
from pathlib import Path
import sys

from homeassistant.core import HomeAssistant
from homeassistant.helpers.typing import ConfigType
import psutil

from custom_components.tripod import discovery
from custom_components.tripod.engine.errors import DeviceMissing
from custom_components.tripod.engine.sources import V4l2
from custom_components.tripod.engine.sources.v4l2 import devices, profiles
from custom_components.tripod.engine.sources.v4l2.devices import VideoDevice

DOMAIN = "v4l2_stand_in"

sys.path.append(str(Path(__file__).resolve().parents[3]))


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Plug the devices in."""
    from tests.recorded import v4l2_devices  # noqa: PLC0415 - the path to it is set above

    webcam, capture = await hass.async_add_executor_job(v4l2_devices)
    second = "usb-Example_Second_Camera_0001-video-index0"
    path = f"/dev/v4l/by-id/{second}"
    busy = replace(webcam, id=second, node="/dev/video4", name="Second Camera", path=path, paths=(path, "/dev/video4"))
    plugged = [webcam, capture, busy]

    async def list_devices() -> list[VideoDevice]:
        return plugged

    async def device(path: str) -> VideoDevice:
        for one in plugged:
            if path in one.paths:
                return one
        raise DeviceMissing(path)

    def attached(source: V4l2) -> bool:
        return any(source.device in one.paths for one in plugged)

    def workers(_device: str, _proc: Path) -> list[int]:
        return [child.pid for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]

    for owner, name, instead in (
        (devices, "list_devices", list_devices),
        (devices, "device", device),
        (discovery, "list_devices", list_devices),
        (profiles, "_workers", workers),
        (V4l2, "attached", attached),
    ):
        setattr(owner, name, instead)
    return True
