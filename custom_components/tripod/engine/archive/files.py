"""Files that are there whole or not at all, and one place that says why a disk refused.

Everything here blocks and raises `OSError`, which `explained` turns into what the user is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import errno
import os
from pathlib import Path
import re
import secrets
import shutil

from ..errors import DiskFull, NotWritable, TripodError

FILE_MODE = 0o644

PART = re.compile(r"\.[0-9a-f]{16}\.part")
"""Names of files that are being written."""

FULL = frozenset([errno.ENOSPC, errno.EDQUOT])

NO_SYNC = frozenset([errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
"""What file systems say that cannot sync a folder: some FUSE and network ones."""


def explain(error: OSError, path: Path) -> TripodError:
    """Return what the user is told about a disk that refused at `path`."""
    if error.errno in FULL:
        return DiskFull(str(path), path=str(path))
    return NotWritable(error.strerror or str(error), path=str(path))


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise an `OSError` within as `DiskFull` or `NotWritable`."""
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


def part_name() -> str:
    """Return a new name for a file that is being written; it matches `PART`."""
    return f".{secrets.token_hex(8)}.part"


def write(path: Path, data: bytes, mode: int = FILE_MODE) -> None:
    """Write a whole file or none: beside the target, onto the disk, then in place of it.

    The folder must be there.
    """
    part = path.with_name(part_name())
    try:
        write_part(part, data, mode)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_part(path: Path, data: bytes, mode: int = FILE_MODE) -> None:
    """Write a new file, onto the disk; leaves nothing behind when that fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, so that no link is followed
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def copy_part(source: Path, path: Path) -> None:
    """Copy `source` to a new file, onto the disk; leaves nothing behind when that fails."""
    try:
        shutil.copyfile(source, path)
        sync_file(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Bring what another program wrote onto the disk; a link is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_folder(root: Path, folder: Path) -> None:
    """Make `folder` below `root`, which must be there.

    A link below `root` is refused: it may lead to a disk that is not mounted, or anywhere.
    """
    path = root
    for part in folder.relative_to(root).parts:
        path /= part
        with suppress(FileExistsError):
            path.mkdir()
            sync_folder(path.parent)
        if path.is_symlink():
            raise OSError(errno.ELOOP, "there is a symbolic link within the archive", str(path))


def move(source: Path, path: Path) -> None:
    """Move a file that is on the disk already to where it is seen; also from another file system."""
    try:
        source.rename(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = path.with_name(part_name())
        copy_part(source, part)
        part.rename(path)
        source.unlink()


def remove_empty(folder: Path, root: Path) -> None:
    """Remove `folder` and those above it, below `root`, while nothing is in them."""
    with suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what is gone already is no error, and what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_companions(path: Path) -> None:
    """Remove the files in a file's folder that are called like it but for their suffix."""
    name = path.name.partition(".")[0]
    for other in list(path.parent.iterdir()):
        if other.name.partition(".")[0] == name and other.is_file():
            other.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Remove the files that were being written in `folder` when everything stopped."""
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)]
    for path in left:
        Path(path).unlink(missing_ok=True)
