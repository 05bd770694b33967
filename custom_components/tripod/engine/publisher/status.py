"""What a publisher tells about itself: an immutable snapshot that all who report read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..errors import TripodError


class PublisherState(StrEnum):
    """What a publisher is doing."""

    STOPPED = "stopped"
    """Switched off."""
    WAITING = "waiting"
    """For the camera, which delivers nothing."""
    CONNECTING = "connecting"
    PUBLISHING = "publishing"
    RETRYING = "retrying"
    """The server did not take the video, or no longer; about to try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherStatus:
    """One moment of a publisher."""

    state: PublisherState
    error: TripodError | None
    """What keeps the video from the server now."""
    since: float | None
    """Unix time at which the server began to take the video, while it does."""
    retry_at: float | None
    """Unix time of the next try, while retrying."""
    frames: int
    """Pictures that went to the server, over all connections."""
    bytes: int
    """Bytes of video and sound that went to the worker for it."""
    dropped: int
    """How often the server was too slow, and the video went on at the newest key frame."""
    restarts: int
    """How often a connection failed or was lost."""
