"""Pictures of before become frames of a timelapse, where they lie: nothing is copied and nothing is lost.

Each gets a second name in the archive, a hard link, so that the program of before and its folder stay as they are. On a
file system without links it is renamed. A day appears whole, so that no video of half of it is made; what is
interrupted goes on where it was, and what was adopted once is not adopted again. Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import errno
from itertools import groupby
import os
from pathlib import Path
import re

from ..archive import Archive, Kind, file_name, files
from ..archive.shelf import Shelf, fixed
from ..errors import NotUnderstood, NotWritable
from .base import Adoption

NAME = re.compile(r"(\d{8}_\d{6})(\.jpe?g)", re.IGNORECASE)
"""What Byggeplass Kamera calls its pictures: UTC, without saying so."""

NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES})
"""What file systems say that have no hard links, or no more of them."""

_JPEG = b"\xff\xd8\xff"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of one day."""

    day: date
    new: int
    """Frames that this day has now, and had not."""
    known: int
    """Frames that it had already."""
    odd: tuple[str, ...]
    """Names of what is not a JPEG, whatever it is called; it stays where it is."""


class Adopter:
    """Adopts one folder into one archive."""

    def __init__(self, archive: Archive, adoption: Adoption) -> None:
        """Prepare; nothing is read yet."""
        self._archive = archive
        self._folder = adoption.folder
        self._job = adoption.job
        self._shelf = archive.root / Shelf.of(Kind.FRAME, adoption.job).folder
        self.total = 0
        """Pictures in the folder, after `look`."""
        self.odd: tuple[str, ...] = ()
        """Names of what is no picture of a known time, after `look`; it stays where it is."""

    def look(self) -> None:
        """Count what is there; raises `NotUnderstood` where the folder cannot be read."""
        pictures, odd = self._list()
        self.total, self.odd = len(pictures), tuple(sorted(odd))

    def run(self) -> Iterator[Adopted]:
        """Adopt one day at a time, oldest first.

        Raises `NotWritable` where the archive is on another disk, or what else its disk says.
        """
        pictures, _ = self._list()
        with files.explained(self._archive.root):
            files.make_folder(self._archive.root, self._shelf)
            for day, names in groupby(pictures, key=self._day):
                yield self._adopt(day, list(names))

    def _list(self) -> tuple[list[str], list[str]]:
        """Return the names of pictures, oldest first, and those of all else."""
        pictures: list[str] = []
        odd: list[str] = []
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    known = _captured_at(entry.name) is not None and entry.is_file(follow_symlinks=False)
                    (pictures if known else odd).append(entry.name)
        except OSError as error:
            raise NotUnderstood(f"{self._folder}: {error.strerror}", what="a folder of pictures") from error
        return sorted(pictures), odd

    def _local(self, name: str) -> datetime:
        captured_at = _captured_at(name)
        assert captured_at is not None
        return fixed(captured_at.astimezone(self._archive.zone))

    def _day(self, name: str) -> date:
        return self._local(name).date()

    def _adopt(self, day: date, names: list[str]) -> Adopted:
        """Adopt the pictures of one day."""
        target = self._shelf / day.isoformat()
        hidden = self._shelf / f".{day.isoformat()}"
        folder = target if target.exists() else hidden
        folder.mkdir(exist_ok=True)
        if folder is target and hidden.exists():  # left by an interruption, before frames of that day came otherwise
            _join(hidden, target)
        known, odd, new = _inodes(folder), [], 0
        present = len(known)
        for name in names:
            source = self._folder / name
            with suppress(FileNotFoundError):  # removed meanwhile by the program of before
                if source.stat().st_ino in known:
                    continue
                if not _is_jpeg(source):
                    odd.append(name)
                    continue
                self._link(source, folder, self._local(name))
                new += 1
        if new or present:
            files.sync_folder(folder)
        if folder is hidden:
            if new or present:
                hidden.rename(target)
                files.sync_folder(self._shelf)
            else:
                hidden.rmdir()
        return Adopted(day, new, len(names) - new - len(odd), tuple(odd))

    def _link(self, source: Path, folder: Path, at: datetime) -> None:
        """Give a picture its name in the archive; where that is taken by another, a millisecond later."""
        while True:
            path = folder / file_name(at, source.suffix.lower())
            try:
                path.hardlink_to(source)
            except FileExistsError:
                at += _MILLISECOND
            except OSError as error:
                if error.errno == errno.EXDEV:
                    why = f"{self._folder} is on another disk: choose a folder on that disk for the camera's files"
                    raise NotWritable(why, path=str(self._archive.root)) from error
                if error.errno not in NO_LINKS:
                    raise
                with files.explained(self._folder):
                    source.rename(path)
                return
            else:
                return


def _captured_at(name: str) -> datetime | None:
    match = NAME.fullmatch(name)
    if not match:
        return None
    try:
        return datetime.strptime(match[1], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _join(hidden: Path, target: Path) -> None:
    for path in list(hidden.iterdir()):
        path.replace(target / path.name)
    hidden.rmdir()


def _inodes(folder: Path) -> set[int]:
    with os.scandir(folder) as entries:
        return {entry.inode() for entry in entries}


def _is_jpeg(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_JPEG)) == _JPEG
