"""What a pipeline publishes about itself: an immutable snapshot that all who report read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .audio import AudioStatus
from .errors import TripodError
from .sources.base import Medium


class State(StrEnum):
    """What a camera is doing."""

    IDLE = "idle"
    """Ready; nobody watches."""
    STARTING = "starting"
    STREAMING = "streaming"
    RETRYING = "retrying"
    """Failed, and about to try again."""
    STOPPED = "stopped"
    """By the user, until started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerStatistics:
    """One viewer's share."""

    number: int
    client: str
    kind: str
    remote: str
    since: float
    """Unix time."""
    pictures: int
    dropped: int
    bytes: int
    rate: float
    """Pictures per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One moment of a pipeline."""

    state: State
    error: TripodError | None
    """What keeps the camera away now; None while nothing does."""
    last_error: TripodError | None
    last_error_at: float | None
    """Unix time."""
    retry_at: float | None
    """Unix time of the next try, while retrying."""
    medium: Medium
    codec: str | None
    width: int | None
    height: int | None
    frames_per_second: float
    bit_rate: float
    """Bits per second that the source delivers."""
    frame_at: float | None
    """Unix time of the newest picture."""
    frames: int
    """Pictures since the pipeline began."""
    restarts: int
    """How often the capture failed since the pipeline began."""
    transcoding: bool
    audio: AudioStatus | None
    """The microphone's; None where the camera has none."""
    ring_bytes: int
    ring_seconds: float
    viewers: tuple[ViewerStatistics, ...]
