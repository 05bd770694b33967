"""The beginning of `tripod-node.pyz`: it unpacks the node into a cache folder and runs it from there.

The workers' programs, the font and the pictures are files that other processes open by their path, and Python keeps
what it compiled beside them. The folder is named by what is in it, so that another build has another one, and is made
whole or not at all. In the zip file this is `__main__.py`; it may use nothing but Python itself.

Python then begins anew with the folder, for what unpacking took of its memory it would keep for years.
"""

from __future__ import annotations

import atexit
from compileall import compile_dir
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
    place = Path(__file__).parent
    if place.is_dir():
        return run()
    cache, lasting = caches()
    with ZipFile(place) as archive:
        folder = unpacked(archive, cache)
    if lasting and sys.executable:  # which Python does not always know
        before = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv)]
        os.execv(sys.executable, [*before, str(folder), *sys.argv[1:]])  # noqa: S606  # itself
    sys.path[0] = str(folder)
    return run()


def run() -> int:
    """Run what was unpacked, which is where Python looks first."""
    return int(import_module("tripod.node.main").main())


def caches() -> tuple[Path, bool]:
    """Return the folder for what can be made anew, and whether it is there the next time.

    It is systemd's, else the user's, else one that goes with this process.
    """
    named = os.environ.get("CACHE_DIRECTORY", "").partition(":")[0]
    with suppress(OSError, RuntimeError):
        folder = Path(named or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / OURS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # what others can write, they could have this user run
        owned = folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & _OTHERS_WRITE
        if owned and os.access(folder, os.W_OK):
            return folder, True
    passing = Path(tempfile.mkdtemp(prefix=f"{OURS}-"))
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    return passing, False


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
        # here, and not in the process that stays: compiling takes memory
        compile_dir(beside, ddir=str(folder), quiet=2)
        if folder.exists():
            folder.rename(beside / ".damaged")
        with suppress(OSError):  # another start was quicker
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(folder / ".damaged", ignore_errors=True)


def hold(folder: Path) -> None:
    """Let everybody see, as long as this process lives, that the folder is in use."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(descriptor, True)  # noqa: FBT003  # by what Python begins anew as
    fcntl.flock(descriptor, fcntl.LOCK_SH)


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
