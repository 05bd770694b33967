"""What tests of archives share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from custom_components.tripod.engine.archive import Archive, Item, Kind

BERLIN = ZoneInfo("Europe/Berlin")

NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
"""In Berlin."""

DAY = timedelta(days=1)


class Clock:
    """A clock that tests set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def set(self, at: datetime) -> None:
        self.now = at.timestamp()


def reopened(archive: Archive, root: Path | None = None) -> Archive:
    """Return the same archive as the next start opens it, with nothing told to the one before."""
    again = Archive(
        root or archive.root, archive.camera, zone=archive.zone, floor=archive.floor, known=True, clock=archive._clock
    )
    again.open()
    return again


def keep(archive: Archive, kind: Kind, at: datetime, size: int = 10, job: str = "") -> Item:
    """Publish `size` bytes."""
    suffix = ".jpg" if kind in (Kind.SNAPSHOT, Kind.FRAME) else ".mp4"
    name = f"{job}_{at:%H%M%S%f}.mp4" if kind is Kind.VIDEO else None
    return archive.publish(kind, at, bytes(size), suffix=suffix, job=job, name=name)


def chunk(archive: Archive, job: str, day: str, size: int = 5) -> Path:
    """Make a chunk, as the timelapse does."""
    path = archive.chunk_folder(job, "look") / f"{day}.mp4"
    path.write_bytes(bytes(size))
    return path


def visible(root: Path) -> list[str]:
    """Return the paths below `root` of all files that are not hidden."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if not any(part.startswith(".") for part in path.parts))
