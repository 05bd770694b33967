"""Notice when device nodes come and go: by inotify(7) where the kernel tells us, else by a look now and then.

A container with a /dev of its own, or one whose watches are used up, tells nothing: there the look is what finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
import ctypes
import os
from pathlib import Path
from typing import Self

FOLDERS = (Path("/dev"), Path("/dev/v4l"), Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
"""Where nodes and their stable names appear; the latter folders come and go with the cameras."""

LOOK = 1.0
"""Seconds after which a look is due although nothing was told."""

SETTLE = 0.1
"""Seconds to let pass after a change: udev makes a node, sets its group, and then links it."""

_IN_ATTRIB, _IN_MOVED_TO, _IN_CREATE, _IN_DELETE = 0x4, 0x80, 0x100, 0x200
_EVENTS = _IN_ATTRIB | _IN_MOVED_TO | _IN_CREATE | _IN_DELETE
"""Of sys/inotify.h. The attributes are watched because a node may be opened only once udev has set its group."""


class Hotplug:
    """Wakes one waiter when a device node comes or goes, for as long as the context is open."""

    def __init__(self, folders: Sequence[Path] = FOLDERS) -> None:
        """Watch what there is of `folders`."""
        self._folders = folders
        self._descriptor = -1
        self._event = asyncio.Event()

    def __enter__(self) -> Self:
        """Begin to watch."""
        libc = ctypes.CDLL(None, use_errno=True)
        if hasattr(libc, "inotify_init1"):
            self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor >= 0:
            self._libc = libc
            self._add_folders()
            asyncio.get_running_loop().add_reader(self._descriptor, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    async def changed(self, within: float = LOOK) -> bool:
        """Wait for a change, for so many seconds at most; return whether there was one."""
        try:
            async with asyncio.timeout(within):
                await self._event.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(SETTLE)
        self._event.clear()
        return True

    def _take(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._descriptor, 1 << 16):
                pass
        self._add_folders()  # a folder may be new, and one that is watched already is not watched twice
        self._event.set()

    def _add_folders(self) -> None:
        for folder in self._folders:
            self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _EVENTS)
