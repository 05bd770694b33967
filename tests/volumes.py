"""Small disks with faults: full, read-only, unplugged.

Real file systems: tmpfs, and ext4 in a file, which keeps what is on it while it is unplugged. Mounting them needs root.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import fcntl
import os
from pathlib import Path
import struct
import subprocess

import pytest

MIB = 1 << 20
SIZE = 64 * MIB

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")

_FS_IOC_SHUTDOWN = 0x8004587D
"""ioctl_fs(2): the file system answers EIO to everything, as when its disk was pulled out."""
_NO_LOG_FLUSH = 2
"""What was not synced to the disk is lost."""

_FILLER = "filler"


class Volume:
    """A mounted file system that a test breaks and mends."""

    def __init__(self, path: Path, options: tuple[str, ...], device: Path | None) -> None:
        """Mount `device`, or a tmpfs, on `path`."""
        self.path = path
        self._options = options
        self._device = device
        self._mount()

    @property
    def free(self) -> int:
        """Bytes that can still be written."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Leave `leave` bytes free."""
        with (self.path / _FILLER).open("ab", buffering=0) as file, suppress(OSError):  # ENOSPC comes a block early
            while (room := self.free - leave) > 0:
                file.write(bytes(min(room, MIB)))

    def drain(self) -> None:
        """Give back what `fill` took."""
        (self.path / _FILLER).unlink(missing_ok=True)

    def make_read_only(self) -> None:
        """Answer EROFS to every write, as the kernel makes a disk with errors."""
        _run("mount", "-o", "remount,ro", self.path)

    def make_writable(self) -> None:
        """Take writes again."""
        _run("mount", "-o", "remount,rw", self.path)

    def fail(self) -> None:
        """Answer EROFS from now on, also to those who write already, as the kernel does after an error of the disk."""
        _run("mount", "-o", "remount,abort", self.path)

    def replace(self) -> None:
        """Unmount and mount it again, as after a repair."""
        self.unmount()
        self._mount()

    def unplug(self) -> None:
        """Pull the disk out: files that are open fail, and the folder it was mounted on is empty."""
        assert self._device, "a tmpfs forgets what is on it"
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _FS_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
        self.unmount()

    def unmount(self) -> None:
        """Take the file system away; who has a file open keeps it until it is closed."""
        _run("umount", "--lazy", self.path)

    def plug_in(self) -> None:
        """Mount what was unplugged."""
        self._mount()

    def _mount(self) -> None:
        _run("mount", *self._options, self._device or "tripod-test", self.path)


@contextmanager
def tmpfs(path: Path, *, size: int = SIZE) -> Iterator[Volume]:
    """Mount a file system in memory."""
    with _mounted(path, ("-t", "tmpfs", "-o", f"size={size}"), None) as volume:
        yield volume


@contextmanager
def disk(path: Path, image: Path, *, size: int = SIZE) -> Iterator[Volume]:
    """Mount a file system in the new file `image`."""
    with image.open("wb") as file:
        file.truncate(size)
    # no lazy initialisation: its kernel thread would keep the image busy
    _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
    with _mounted(path, ("-o", "loop"), image) as volume:
        yield volume


@contextmanager
def _mounted(path: Path, options: tuple[str, ...], device: Path | None) -> Iterator[Volume]:
    path.mkdir(parents=True, exist_ok=True)
    volume = Volume(path, options, device)
    try:
        yield volume
    finally:
        while os.path.ismount(path):
            volume.unmount()


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
