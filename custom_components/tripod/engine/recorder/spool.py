"""A recording on its way to the disk: MPEG-TS that may be cut anywhere, one file for each unbroken stretch.

Everything here blocks, and belongs to the recorder's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
import errno
import os
from pathlib import Path
import time
from typing import NamedTuple, Protocol

SYNC_INTERVAL = 0.9
"""Seconds after which what was written is brought onto the disk, which is with every other write: a power cut may cost
what came in a second."""

FILE_MODE = 0o644


class File(Protocol):
    """What a stretch is written to, without a buffer."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some of `data`; return how many bytes."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def close(self) -> None:
        """Close it."""


class Part(NamedTuple):
    """What belongs to the end of a stretch."""

    stretch: str
    """The name of its file."""
    chunks: list[bytes]
    """The ring's own, so that recordings that run at once share their memory."""


def open_file(path: Path) -> File:
    """Open a stretch, made if need be, to be written on; raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, FILE_MODE)
    return open(descriptor, "wb", buffering=0)  # noqa: PTH123 - a descriptor, so that no link is followed


class Spool:
    """The files of one recording; remembers what is not certainly on the disk, and writes it again after a failure."""

    def __init__(
        self,
        folder: Path,
        *,
        open_file: Callable[[Path], File] = open_file,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write into `folder`; `open_file` is for tests with a disk that is slow or breaks."""
        self.size = 0
        """Bytes of all stretches."""
        self._folder = folder
        self._open_file = open_file
        self._monotonic = monotonic
        self._file: File | None = None
        self._name = ""
        self._written = 0  # bytes in the file that is open
        self._synced: dict[str, int] = {}  # bytes of each file that are on the disk
        self._unsynced: list[Part] = []
        self._next = 0  # which of these is to be written next
        self._synced_at = monotonic()

    def add(self, parts: Sequence[Part]) -> None:
        """Take what is to be written next; does not block."""
        self._unsynced += parts
        self.size += sum(len(chunk) for part in parts for chunk in part.chunks)

    def write(self) -> None:
        """Write what was added, and before it what a failure left. Raises `OSError`, and then loses nothing."""
        try:
            while self._next < len(self._unsynced):
                self._append(self._unsynced[self._next])
                self._next += 1
            if self._monotonic() - self._synced_at >= SYNC_INTERVAL:
                self._sync()
        except OSError:
            self._abandon()
            raise

    def close(self) -> None:
        """Bring everything onto the disk. Raises `OSError`; then what there is can still be finished."""
        try:
            self.write()
            self._sync()
        finally:
            self._abandon()

    def _append(self, part: Part) -> None:
        file = self._file if part.stretch == self._name else None
        if file is None:
            self._sync()
            self._abandon()
            file = self._open(part.stretch)
        data = memoryview(b"".join(part.chunks))
        self._written += len(data)
        while data:
            data = data[file.write(data) or 0 :]

    def _open(self, name: str) -> File:
        file = self._open_file(self._folder / name)
        synced = self._synced.get(name, 0)
        try:
            _cut(file.fileno(), synced)
        except OSError:
            file.close()
            raise
        self._file, self._name, self._written = file, name, synced
        return file

    def _sync(self) -> None:
        if self._file is not None:
            os.fdatasync(self._file.fileno())
            self._synced[self._name] = self._written
            del self._unsynced[: self._next]
            self._next = 0
        self._synced_at = self._monotonic()

    def _abandon(self) -> None:
        """Close the file, whose state may be anything, and forget what was written since it was synced."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file = None
        self._next = 0


def _cut(descriptor: int, size: int) -> None:
    """Leave only `size` bytes of a file, which must have them."""
    if os.fstat(descriptor).st_size < size:
        raise OSError(errno.EIO, "what was written before is no longer there")
    os.ftruncate(descriptor, size)
