"""A Raspberry Pi with two cameras, of which only the cameras are not real. See libcamera-virtual-setup."""

from __future__ import annotations

import os
from pathlib import Path
import platform
import shutil
import subprocess

from custom_components.tripod.engine.ffmpeg import Ffmpeg
from custom_components.tripod.engine.sources import Tools

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".venv/virtual-pi"

IMX708 = "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a"
OV5647 = "/base/axi/pcie@1000120000/rp1/i2c@80000/ov5647@36"
FULL_SIZE = (2304, 1296)
"""The largest picture of either camera."""


class UnavailableError(Exception):
    """It cannot run here; says why."""


def tools() -> Tools:
    """Return what a capture works with there, after setting it up where that was not done yet."""
    _check()
    setup = subprocess.run([HERE / "libcamera-virtual-setup", PLACE], capture_output=True, text=True, check=False)
    if setup.returncode:
        raise AssertionError(f"libcamera-virtual-setup failed: {setup.stderr[-2000:]}")
    return Tools(ffmpeg=Ffmpeg(), python=str(PLACE / "python"))


def _check() -> None:
    if platform.machine() != "x86_64":
        raise UnavailableError("libcamera's virtual cameras are built for amd64 only")
    if os.geteuid() != 0:
        raise UnavailableError("the virtual Raspberry Pi needs root, for its own mounts")
    if not shutil.which("apt-get"):
        raise UnavailableError("the virtual Raspberry Pi is made of Debian's packages, by apt")
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        raise UnavailableError("this machine allows no mounts of one's own (unshare -m)")
