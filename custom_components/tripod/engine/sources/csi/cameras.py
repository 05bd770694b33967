"""Which CSI cameras there are."""

from __future__ import annotations

from ...errors import NoPicamera2, Picamera2Broken
from ..base import Tools
from . import rpicam, worker
from .camera import CsiCamera


async def list_cameras(tools: Tools) -> list[CsiCamera]:
    """Return the cameras on this machine's CSI connectors.

    Where Picamera2 is not there or does not work, rpicam-vid is asked. Raises `NoPicamera2` where there is neither,
    `Picamera2Broken`, `NoPermission`, and `DeviceMissing` where no camera is connected.
    """
    try:
        return await worker.list_cameras(tools)
    except (NoPicamera2, Picamera2Broken) as error:
        try:
            return await rpicam.list_cameras(tools)
        except NoPicamera2:
            raise error from None
