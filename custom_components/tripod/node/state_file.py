"""The node's own small files: whole or not at all, for its owner alone, and shared with the command line.

Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import copy
import fcntl
import json
import os
from pathlib import Path
from typing import Any, TypeAlias

from ..engine.archive import files
from ..engine.errors import InvalidConfiguration

FILE_MODE = 0o600
FOLDER_MODE = 0o700

LOCK = ".lock"
"""One lock for the whole folder: the node and its command line write seldom, and never for long."""

Stamp: TypeAlias = tuple[int, int, int]
"""What differs after each writing of a file: its inode, time and size."""


class StateFile:
    """A JSON object in a file of the state folder."""

    def __init__(self, path: Path) -> None:
        """Keep it at `path`; the folder is made when it is first written."""
        self.path = path

    def read(self) -> dict[str, Any]:
        """Return what the file holds, nothing where it is not there yet.

        Raises `InvalidConfiguration` for one that cannot be read: to begin anew would lock every client out.
        """
        try:
            found = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidConfiguration(error.strerror or str(error), where=str(self.path)) from error
        except ValueError as error:
            detail = "it is damaged; put back a copy of it, or remove it to begin anew"
            raise InvalidConfiguration(detail, where=str(self.path)) from error
        if not isinstance(found, dict):
            raise InvalidConfiguration("it holds no object", where=str(self.path))
        return found

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """Lend what the file holds to be changed, to one program at a time, and write what became of it.

        Raises `InvalidConfiguration` where it cannot be read or the folder not be made, `NotWritable` or `DiskFull`.
        """
        with _locked(self.path.parent):
            held = self.read()
            before = copy.deepcopy(held)
            yield held
            if held != before:
                with files.explained(self.path):
                    files.write(self.path, json.dumps(held, indent=1).encode(), FILE_MODE)

    def stamp(self) -> Stamp | None:
        """Return what tells one writing of the file from the next; None where it is not there."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def make_folder(folder: Path) -> None:
    """Make the state folder, for its owner alone; raises `InvalidConfiguration`."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidConfiguration(error.strerror or str(error), where=str(folder)) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    make_folder(folder)
    with files.explained(folder):
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
