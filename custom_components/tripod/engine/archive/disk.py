"""Whether an archive's folder is there, can be written to, and has room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import json
import os
from pathlib import Path

from ..errors import ArchiveMissing, LowSpace
from . import files

MARKER = ".tripod.json"
"""Lies in every archive: where it does not, there is an empty mount point, or another camera's disk."""

VERSION = 1


class Disk:
    """The folder of one camera's archive. All raise `ArchiveMissing` while it is not there, and `NotWritable`."""

    def __init__(self, root: Path, camera: str) -> None:
        """Look at `root`, the folder of `camera` (its id)."""
        self._root = root
        self._camera = camera

    def begin(self) -> None:
        """Make the folder this camera's; raises `OSError`."""
        self._root.mkdir(parents=True, exist_ok=True)
        files.write(self._root / MARKER, json.dumps({"version": VERSION, "camera": self._camera}).encode())

    def is_ours(self) -> bool:
        """Return whether the folder is there and this camera's; raises `OSError`."""
        try:
            return bool(json.loads((self._root / MARKER).read_bytes())["camera"] == self._camera)
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return False

    def present(self) -> None:
        """Raise `ArchiveMissing` where it is not."""
        try:
            there = self.is_ours()
        except PermissionError as error:
            raise files.explain(error, self._root) from error
        except OSError:  # of a disk that was pulled out, a server that went away
            there = False
        if not there:
            raise ArchiveMissing(path=str(self._root))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise an `OSError` within as what the user is told."""
        self.present()
        try:
            yield
        except OSError as error:
            self.present()
            raise files.explain(error, self._root) from error

    def check(self, floor: int) -> None:
        """Raise what keeps anything from being written, such as `LowSpace`."""
        with self.explained():
            if os.statvfs(self._root).f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        self.need(0, floor)

    def free(self) -> int:
        """Return the bytes that are free."""
        with self.explained():
            disk = os.statvfs(self._root)
            return disk.f_bavail * disk.f_frsize

    def need(self, size: int, floor: int) -> None:
        """Raise `LowSpace` if less than `floor` were free once `size` bytes are written."""
        if self.free() - size < floor:
            raise LowSpace(str(self._root), floor=_shown(floor), path=str(self._root))

    def device(self) -> int:
        """Return the number of the disk."""
        with self.explained():
            return self._root.stat().st_dev


def _shown(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
