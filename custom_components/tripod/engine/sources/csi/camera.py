"""A CSI camera as the system describes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Program(StrEnum):
    """What runs a camera."""

    PICAMERA2 = "picamera2"
    RPICAM_VID = "rpicam-vid"
    """Where Picamera2 is not installed: video only, and nothing can be turned while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsiCamera:
    """One camera as libcamera describes it."""

    id: str
    """libcamera's Id, the device-tree path: stable for each connector, whatever else is plugged in."""
    model: str
    """The sensor: `imx708`."""
    location: str = ""
    """`front`, `back`, `external`, where the system says."""
    rotation: int = 0
    """Degrees by which the sensor is mounted."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of the sensor's modes, the largest first; empty while another program uses the camera."""
    program: Program = Program.PICAMERA2
    """What can run it here."""

    def with_sizes(self, sizes: Iterable[tuple[int, int]]) -> CsiCamera:
        """Return the camera with these sizes, the largest first."""
        return replace(self, sizes=tuple(sorted(set(sizes), reverse=True)))
