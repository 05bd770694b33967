"""How far a publishing worker is, by its reports (ffmpeg's `-progress`): whether the server takes anything."""

from __future__ import annotations

from collections.abc import Callable
import time

from ..errors import Unreachable

WATCH = 1.0
"""Seconds between two looks."""

CONNECT = 20.0
"""Seconds for a server to take the first picture: some look the stream key up, or wake a machine."""

STALL = 10.0
"""Seconds for which a server may take nothing."""

AHEAD = 5
"""Pictures that the worker may hold without being held up."""


class Progress:
    """The pictures of one connection: how many went to the worker, and how many from there to the server."""

    def __init__(
        self, *, connect: float = CONNECT, stall: float = STALL, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Give the server up after `connect` seconds without a first, or `stall` without another picture."""
        self.frames = 0
        """Pictures that the server's side of the worker took."""
        self.on_begin: Callable[[], None] = lambda: None
        self._limits = {False: connect, True: stall}
        self._monotonic = monotonic
        self._begun = False
        self._fed = self._bytes = 0
        self._held_up = False
        self._moved_at = monotonic()
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the reports."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            if name == b"frame" and value.isdigit():
                self._reported(int(value))

    @property
    def bytes(self) -> int:
        """Bytes that went to the worker for a server that takes them; none while it takes nothing yet."""
        return self._bytes if self._begun else 0

    def feeding(self, frames: int, size: int) -> None:
        """Note what goes to the worker now: the number of the last picture in it, and its bytes."""
        if not self._owed:
            self._moved_at = self._monotonic()
        self._fed = frames
        self._bytes += size
        self._held_up = True

    def fed(self) -> None:
        """Note that the worker took it."""
        self._held_up = False

    def check(self) -> None:
        """Raise `Unreachable` where the server takes nothing."""
        limit = self._limits[self._begun]
        if self._owed and self._monotonic() - self._moved_at >= limit:
            raise Unreachable(f"the server took nothing for {limit:g} seconds")

    @property
    def _owed(self) -> bool:
        """Whether there is something that the server should have taken."""
        return not self._begun or self._held_up or self._fed - self.frames > AHEAD

    def _reported(self, frames: int) -> None:
        if frames > self.frames:
            self.frames = frames
            self._moved_at = self._monotonic()
            if not self._begun:
                self._begun = True
                self.on_begin()
