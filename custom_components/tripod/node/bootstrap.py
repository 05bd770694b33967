"""The beginning of `tripod-node.pyz`: it unpacks the node into a cache folder and runs it from there.

The workers' programs, the font and the pictures are files that other processes open by their path, and Python keeps
what it compiled beside them. The folder is named by what is in it, so that another build has another one, and is made
whole or not at all. In the zip file this is `__main__.py`; it may use nothing but Python itself.
"""

from __future__ import annotations

import atexit
from contextlib import suppress
import fcntl
from importlib import import_module
from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import sys
import tempfile
from zipfile import ZipFile

BUILD = "build"
"""Names the file in the zip that says which build it is."""

OURS = "tripod-node"
LOCK = ".lock"

OLDEST = (3, 11)

_OTHERS_WRITE = 0o022


def main() -> int:
    """Run the node; return its exit status."""
    if sys.version_info < OLDEST:
        print("tripod-node needs Python 3.11 or newer: Debian 12 and Raspberry Pi OS Bookworm have it", file=sys.stderr)
        return 1
    if find_spec("aiohttp") is None:
        print("tripod-node needs aiohttp: sudo apt install python3-aiohttp", file=sys.stderr)
        return 1
    with ZipFile(Path(__file__).parent) as archive:
        folder = unpacked(archive, caches())
    # in the place of the zip file
    sys.path[0] = str(folder)
    return int(import_module("tripod.node.main").main())


def caches() -> Path:
    """Return the folder for what can be made anew: systemd's, else the user's, else one that goes with this process."""
    named = os.environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    with suppress(OSError, RuntimeError):
        folder = Path(named or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / OURS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # what others can write, they could have this user run
        owned = folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & _OTHERS_WRITE
        if owned and os.access(folder, os.W_OK):
            return folder
    return passing()


def passing() -> Path:
    """Return a folder that is removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"{OURS}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def unpacked(archive: ZipFile, cache: Path) -> Path:
    """Return the folder below `cache` that holds what is in `archive`, and leave no older ones that nobody uses."""
    folder = cache / archive.read(BUILD).decode().strip()
    if not whole(folder, archive):
        fill(folder, archive)
    hold(folder)
    for other in cache.iterdir():
        if other != folder and other.is_dir() and not in_use(other):
            shutil.rmtree(other, ignore_errors=True)
    return folder


def whole(folder: Path, archive: ZipFile) -> bool:
    """Return whether every file is there in its length: what cleans up caches may have taken some."""
    try:
        return all((folder / entry.filename).stat().st_size == entry.file_size for entry in archive.infolist())
    except OSError:
        return False


def fill(folder: Path, archive: ZipFile) -> None:
    """Unpack beside the folder, and put it in its place."""
    beside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        hold(beside)
        archive.extractall(beside)
        if folder.exists():
            folder.rename(beside / ".damaged")
        with suppress(OSError):  # another start was quicker
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(folder / ".damaged", ignore_errors=True)


_held: list[int] = []


def hold(folder: Path) -> None:
    """Let everybody see, as long as this process lives, that the folder is in use."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _held.append(descriptor)


def in_use(folder: Path) -> bool:
    """Return whether another process runs from the folder."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


if __name__ == "__main__":
    sys.exit(main())
