"""What a client may ask for."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One thing that a link allows."""

    STREAM = "stream"
    """Live video: MJPEG, HLS, MPEG-TS, the player page."""
    SNAPSHOT = "snapshot"
    """Single pictures."""
