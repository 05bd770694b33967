"""Files that are there whole or not at all, and one place that says why a disk refused.

Everything here blocks. What raises `OSError` is called within `explained`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import errno
import os
from pathlib import Path
import secrets
import shutil

from ..errors import ArchiveMissing, DiskFull, NotWritable, TripodError

FILE_MODE = 0o644

PART = ".part"
"""How the names of files end that are being written."""

FULL = frozenset([errno.ENOSPC, errno.EDQUOT])

GONE = frozenset([errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE])
"""What a disk says that was pulled out, or a network share whose server went away."""

NO_SYNC = frozenset([errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
"""What file systems say that cannot sync a folder: some FUSE and network ones."""


def explain(error: OSError, path: Path) -> TripodError:
    """Return what the user is told about a disk that refused at `path`."""
    if error.errno in FULL:
        return DiskFull(str(path), path=str(path))
    if error.errno in GONE:
        return ArchiveMissing(path=str(path))
    return NotWritable(error.strerror or str(error), path=str(path))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise an `OSError` within as the error that the user is told."""
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


def write(path: Path, data: bytes) -> None:
    """Write a whole file or none: beside the target, onto the disk, then in place of it; raises `OSError`.

    The folder must be there.
    """
    part = path.with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        write_part(part, data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_part(path: Path, data: bytes) -> None:
    """Write a new file, onto the disk; raises `OSError`, and leaves nothing behind when it does."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, so that no link is followed
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Bring what another program wrote onto the disk; raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` outlive a power cut; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(root: Path, folder: Path) -> None:
    """Make `folder` below `root`, which must be there; raises `OSError`.

    A link inside the archive is not followed: it could lead to a disk that is not mounted, or anywhere.
    """
    for path in [*reversed(folder.relative_to(root).parents), folder.relative_to(root)][1:]:
        with suppress(FileExistsError):
            (root / path).mkdir()
            sync_folder((root / path).parent)
        if (root / path).is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(root / path))


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what is gone already is no error, what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
