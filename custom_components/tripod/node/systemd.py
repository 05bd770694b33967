"""What systemd is told: that the node serves, that it still lives, that it stops (sd_notify(3), without a library)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import os
import socket
from typing import NoReturn

PINGS = 3
"""Pings in the time after which systemd takes the node for hung: one may be late."""

_MICROSECONDS = 1_000_000


class Systemd:
    """The service manager that started this; where none did, nobody is told anything."""

    def __init__(self, environ: Mapping[str, str] = os.environ, pid: int | None = None) -> None:
        """Find it in `environ`; `pid` is the process that it watches over, this one unless another is given."""
        path = environ.get("NOTIFY_SOCKET", "")
        # a name that begins with @ is not in the file system
        self._address = "\0" + path[1:] if path.startswith("@") else path
        ours = environ.get("WATCHDOG_PID", "") in ("", str(pid or os.getpid()))
        watched = environ.get("WATCHDOG_USEC", "") if ours and path else ""
        self.watchdog = int(watched) / _MICROSECONDS if watched.isdigit() else 0.0
        """Seconds without a ping after which it ends this process; 0 where it does not watch."""

    def ready(self, status: str) -> None:
        """Tell that the node serves; `status` is for people."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Tell that the node ends."""
        self._tell("STOPPING=1\nSTATUS=Stopping")

    async def ping(self) -> NoReturn:
        """Tell that the node lives, for as long as the event loop turns; for a task of its own."""
        while True:
            if self.watchdog:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / PINGS or 3600)

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
            notify.settimeout(0)  # a manager that does not listen must not hold up the cameras
            notify.connect(self._address)
            notify.send(message.encode())
