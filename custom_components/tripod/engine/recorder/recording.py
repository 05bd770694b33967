"""One recording: from when it is asked for to the files that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..archive import Item


class RecordingState(StrEnum):
    """What a recording is doing."""

    WAITING = "waiting"
    """For the camera's first key frame."""
    RECORDING = "recording"
    FINISHING = "finishing"
    """It is being packed and published."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished recording."""

    item: Item
    details: Mapping[str, Any]
    """`duration`, `width`, `height`, `video_codec`, `audio_codec`, `pre_roll`, `gaps`, …"""


class Recording:
    """A recording under way; what it has come to can be read at any time."""

    id: str
    asked_at: datetime
    name: str | None
    started_at: datetime | None
    """When its first picture, a key frame, was taken; None before it came."""
    pre_roll: float
    """Seconds between that and the asking; 0 where the first picture came later."""
    duration: float
    """Seconds recorded so far."""
    size: int
    """Bytes written so far."""
    state: RecordingState

    def extend(self, seconds: float) -> None:
        """Let it end so many seconds later; one that runs until it is stopped stays so. Raises `NotRecording`."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it now; what there is will be published."""
        raise NotImplementedError

    async def done(self) -> list[Recorded]:
        """Wait for the end and return what came of it: more than one file where the picture changed its size.

        Raises `NothingRecorded`, or why it could not be finished: `DiskFull`, `NotWritable`, `ArchiveMissing`.
        """
        raise NotImplementedError
