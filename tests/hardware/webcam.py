"""The software webcam of usbcam.py, for programs that run in the virtual machine (with-vivid --udev --uvc 1)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
import signal
import sys
from typing import Self

from .machine import webcam_parts

BY_ID = Path("/dev/v4l/by-id")
PATH = BY_ID / "usb-Example_Test_Camera_0001-video-index0"
"""Where udev puts the camera's pictures."""

METADATA = BY_ID / "usb-Example_Test_Camera_0001-video-index1"
"""The camera's other node, which has no pictures."""

PATIENCE = 30
"""Seconds that the kernel and udev get, in an emulated machine."""

PLUGS = 3
"""Times that it is plugged in, as the kernel now and then overtakes it and gives it up: see usbcam.py."""

LOOK = 0.1
"""Seconds between two looks for the device."""


class Webcam:
    """A webcam that can be plugged in, frozen and unplugged; it is plugged in for the time of the context."""

    def __init__(self) -> None:
        self._program: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unplug()

    async def plug(self, *, wait: bool = True) -> None:
        """Plug it in and, if asked, wait until it can be opened by its name."""
        await self._start()
        if not wait:
            return
        for _ in range(PLUGS - 1):
            with suppress(TimeoutError):
                await _until(present=True)
                return
            await self.unplug()
            await self._start()
        await _until(present=True)

    async def _start(self) -> None:
        ep0, frames = webcam_parts()
        program = Path(__file__).with_name("usbcam.py")
        self._program = await asyncio.create_subprocess_exec(sys.executable, program, ep0, frames)

    async def unplug(self) -> None:
        """Unplug it, and wait until its name is gone."""
        if self._program and self._program.returncode is None:
            self._program.terminate()
            await self._program.wait()
            await _until(present=False)

    def freeze(self) -> None:
        """Stop the picture, or start it again: the camera stays plugged in."""
        if self._program:
            self._program.send_signal(signal.SIGUSR1)


async def _until(*, present: bool) -> None:
    # Udev takes the links away some time after the kernel has taken away what they point to.
    there = Path.exists if present else Path.is_symlink
    async with asyncio.timeout(PATIENCE):
        while any(there(link) is not present for link in (PATH, METADATA)):  # noqa: ASYNC110 - udev tells nobody
            await asyncio.sleep(LOOK)
