"""What the Picamera2 worker writes on its pipe, taken apart; `picamera2_worker.py` describes it."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import WorkerFailed
from ...picamera2_worker import HEADER, KEY_FRAME, MAGIC, MAX_BODY, Kind


class Message(NamedTuple):
    """One message."""

    kind: Kind
    body: bytes
    key: bool
    stamp: float
    """Time of capture in seconds of `time.monotonic`; 0 where it has none."""


class MessageParser:
    """Cut messages out of the pipe's bytes; keeps no more than one message and one feed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and return the messages that they complete.

        Raises `WorkerFailed` for what is no message: a pipe on which anything else was written cannot be trusted again.
        """
        self._buffer += data
        messages = []
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            magic, kind, flags, stamp, size = HEADER.unpack_from(self._buffer, start)
            if magic != MAGIC or kind not in _KINDS or size > MAX_BODY:
                raise WorkerFailed(
                    f"nonsense on the pipe of the Picamera2 worker: {bytes(self._buffer[start:][:16])!r}"
                )
            end = start + HEADER.size + size
            if end > len(self._buffer):
                break
            body = bytes(memoryview(self._buffer)[start + HEADER.size : end])
            messages.append(Message(Kind(kind), body, bool(flags & KEY_FRAME), stamp / 1e9))
            start = end
        del self._buffer[:start]
        return messages


_KINDS = frozenset(Kind)
