"""What a device's ways of delivering cost: few candidates, each measured live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import TripodError
from ..base import Tools
from .devices import VideoDevice
from .source import V4l2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How a source did while it was looked at."""

    source: V4l2
    rate: float = 0.0
    """Frames per second that came."""
    cpu: float = 0.0
    """CPU of the capture worker, in cores."""
    first_picture: float = 0.0
    """Seconds to the first picture."""
    picture: bytes | None = None
    """A JPEG."""
    error: TripodError | None = None
    """Why nothing came."""


def candidates(device: VideoDevice) -> list[V4l2]:
    """Return a few sources to choose from, the one that should be cheapest first."""
    raise NotImplementedError


async def measure(source: V4l2, tools: Tools) -> Measured:
    """Capture for some seconds and say what that brought and took; never raises a `TripodError`."""
    raise NotImplementedError


def rank(measured: Sequence[Measured]) -> list[Measured]:
    """Return these with the cheapest good one first."""
    raise NotImplementedError
