"""A Home Assistant on a machine with cameras of its own.

CSI cameras are libcamera's virtual ones, behind the real Picamera2. V4L2 devices are a stand-in: see v4l2_stand_in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import subprocess

from home_assistant import PYTHON, REPOSITORY

from tests.hardware import virtual_pi
from tests.recorded import v4l2_devices

from . import server
from .server import HomeAssistant

_HERE = Path(__file__).parent
_STAND_IN = _HERE / "v4l2_stand_in"
_PATTERNS = ("testsrc2", "smptehdbars")
"""What the recorded devices see, in their order."""

_CONFIGURATION = f"""
v4l2_stand_in:
ffmpeg:
  ffmpeg_bin: {_STAND_IN / "ffmpeg"}
"""


@contextmanager
def running(config: Path) -> Iterator[HomeAssistant]:
    """Run one in the empty folder `config`; raises `virtual_pi.UnavailableError` where that cannot be."""
    pi = virtual_pi.tools()
    media = config / "devices"
    media.mkdir()
    _film(media)
    integrations = config / "custom_components"
    integrations.mkdir()
    for integration in (REPOSITORY / "custom_components/tripod", _STAND_IN):
        (integrations / integration.name).symlink_to(integration, target_is_directory=True)
    environment = {
        **os.environ,
        "V4L2_STAND_IN": str(media),
        "ON_A_RASPBERRY_PI": str(Path(pi.python).parent),
        "ON_A_RASPBERRY_PI_PYTHON": str(PYTHON),
        "VIRTUAL_PI_SHARE": f"{REPOSITORY}:{config}",
    }
    with server.running(
        config, python=_HERE / "on-a-raspberry-pi", environment=environment, configuration=_CONFIGURATION
    ) as home_assistant:
        yield home_assistant


def _film(folder: Path) -> None:
    """Make the files that are played as devices."""
    for device, pattern in zip(v4l2_devices(), _PATTERNS, strict=True):
        for mode in device.modes:
            size = f"{mode.width}x{mode.height}"
            file = folder / f"{device.path.rpartition('/')[2]}-{size}.avi"
            command = ["ffmpeg", "-v", "error", "-n", "-f", "lavfi", "-i", f"{pattern}=size={size}:rate=30", "-t", "4"]
            if not file.exists():
                subprocess.run([*command, "-c:v", "mjpeg", "-q:v", "3", str(file)], check=True)
