"""What is known of a camera's jobs after a restart, however the last run ended: a file in the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import json
import logging
from typing import Any, Self

from ..archive import Archive
from ..errors import TripodError
from .job import Job
from .run import Counts

_LOGGER = logging.getLogger(__name__)

FILE = ".jobs.json"
"""In the archive's folder: where the frames are, it is known what they are for."""

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One job, as it was."""

    job: Job
    standing: bool
    counts: Counts | None
    """Of its run; None where it did not run."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "job": self.job.as_dict(),
            "standing": self.standing,
            "counts": self.counts.as_dict() if self.counts else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` described; raises what shows that it is something else."""
        counts = data["counts"]
        return cls(
            job=Job.from_dict(data["job"]),
            standing=bool(data["standing"]),
            counts=Counts.from_dict(counts) if counts else None,
        )


class Memory:
    """The file of one camera."""

    def __init__(self, archive: Archive) -> None:
        """Keep it in `archive`."""
        self._archive = archive
        self._path = archive.root / FILE
        self._saving = asyncio.Lock()
        self._saved = b""

    def load(self) -> list[Remembered]:
        """Return what is remembered; blocks. What cannot be read is left out, and said."""
        try:
            jobs = list(json.loads(self._path.read_bytes())["jobs"])
        except FileNotFoundError:
            return []
        except (OSError, ValueError, LookupError, TypeError) as error:
            _LOGGER.warning("%s cannot be read, so no timelapse goes on: %s", self._path, error)
            return []
        found = []
        for data in jobs:
            try:
                found.append(Remembered.from_dict(data))
            except (TripodError, ValueError, LookupError, TypeError, AttributeError) as error:
                _LOGGER.warning("A timelapse in %s cannot be read, so it does not go on: %s", self._path, error)
        return found

    async def save(self, jobs: Iterable[Remembered]) -> None:
        """Remember these, on the disk before this returns; raises what keeps the disk from it."""
        async with self._saving:
            data = json.dumps({"version": VERSION, "jobs": [job.as_dict() for job in jobs]}).encode()
            if data != self._saved:
                await asyncio.to_thread(self._archive.note, FILE, data)
                self._saved = data
