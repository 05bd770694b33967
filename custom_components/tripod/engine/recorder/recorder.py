"""All recordings of one camera."""

from __future__ import annotations

from collections.abc import Callable

from ..archive import Archive
from ..events import Tell
from ..pipeline import Pipeline
from .container import Container
from .recording import Recorded, Recording

LIMIT = 16
"""Recordings of one camera at once."""


class Recorder:
    """Starts, stops and finishes the recordings of one camera."""

    recordings: tuple[Recording, ...]
    """Those under way, oldest first."""

    def __init__(self, pipeline: Pipeline, archive: Archive, tell: Tell, *, limit: int = LIMIT) -> None:
        """Record from `pipeline` into `archive`, at most `limit` at once; `tell` hears what became of it."""
        raise NotImplementedError

    async def recover(self) -> list[Recorded]:
        """Finish what an earlier run of the program left; takes as long as copying it."""
        raise NotImplementedError

    async def start(
        self,
        *,
        duration: float | None,
        pre_roll: float = 0.0,
        container: Container = Container.MP4,
        name: str | None = None,
    ) -> Recording:
        """Record `duration` seconds from now on, or until stopped, and the last `pre_roll` seconds before.

        It begins at the key frame at or before the asked second, as far as the ring reaches. `name` is a confined path
        in the archive. Raises `Stopped`, `TooManyJobs`, `LowSpace`, `NotWritable` or `ArchiveMissing`.
        """
        raise NotImplementedError

    async def stop(self, recording: str | None = None) -> list[Recording]:
        """End the recording with this id, or all; raises `NotRecording` where there is none."""
        raise NotImplementedError

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of a recording's state; return a function that ends this."""
        raise NotImplementedError

    async def close(self) -> None:
        """End all recordings and publish them, as far as that is quick; `recover` finishes the rest."""
        raise NotImplementedError
