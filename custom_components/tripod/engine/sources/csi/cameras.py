"""Which CSI cameras there are."""

from __future__ import annotations

from ...errors import NoPicamera2, Picamera2Broken
from ..base import Tools
from . import rpicam
from .camera import CsiCamera
from .worker import list_with_picamera2


async def list_cameras(tools: Tools) -> list[CsiCamera]:
    """Return the cameras on this machine's CSI connectors.

    Where Picamera2 is not there or does not work, rpicam-vid is asked. Raises `NoPicamera2` where there is neither,
    `Picamera2Broken`, `NoPermission`, and `DeviceMissing` where no camera is connected.
    """
    try:
        found = await list_with_picamera2(tools)
    except (NoPicamera2, Picamera2Broken) as error:
        try:
            return await rpicam.list_cameras(tools)
        except NoPicamera2:
            raise error from None
    return [
        CsiCamera(
            id=str(camera["id"]),
            model=str(camera["model"]),
            location=str(camera["location"]),
            rotation=int(camera["rotation"]),
            sizes=tuple((int(width), int(height)) for width, height in camera["sizes"]),
        )
        for camera in found
    ]
