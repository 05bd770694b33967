"""What is published about a connection to a broker."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TripodError


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttStatus:
    """One moment of it, for all who report."""

    prefix: str
    """What the camera's topics begin with."""
    connected: bool
    error: TripodError | None = None
    """What keeps the broker away, where that is known."""
    breaks: int
    """How often the connection was lost."""
    dropped: int
    """Messages that the broker never got."""
