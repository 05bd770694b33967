"""What the user configured about a camera besides its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Start(StrEnum):
    """When the capture runs."""

    ON_DEMAND = "on_demand"
    """While somebody watches, and a while longer."""
    ALWAYS = "always"
    MANUAL = "manual"
    """Only between start and stop by the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a pipeline behaves; the defaults suit a Raspberry Pi."""

    start: Start = Start.ON_DEMAND
    stall_limit: float = 10.0
    """Seconds without a picture after which the camera counts as frozen; also the oldest picture that is handed out."""
    linger: float = 30.0
    """Seconds that the capture outlives its last consumer: dashboards ask for a still every ten."""
    warm_up: float = 3.0
    """Seconds after a start of a bare sensor in which black or unsettled pictures reach no snapshot, at most."""
    pre_roll: float = 0.0
    """Seconds of video kept for recordings to begin in the past; above 0 the capture always runs."""
    ring_bytes: int = 16 * 2**20
    """The most memory that kept video may take."""
    mjpeg_rate: float = 15.0
    """Frames per second of JPEGs derived from video."""
    mjpeg_quality: int = 80
    """Percent, of JPEGs derived from video."""
    h264_bit_rate: int = 2_000_000
    """Bits per second of video derived from JPEGs."""
    h264_width: int = 0
    """Pixels that video derived from JPEGs is wide at most; 0 for as wide as these. The height follows."""
    max_viewers: int = 50
