"""The parts of a node's MJPEG stream: pictures, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...errors import NotANode, NotAPicture
from ...jpeg import MAX_BYTES

MAX_HEAD = 4096
"""Bytes of a part's headers."""

_END_OF_HEAD = b"\r\n\r\n"


class Part(NamedTuple):
    """One picture."""

    headers: Mapping[str, str]
    """By name in lower case."""
    jpeg: bytes


class PartSplitter:
    """Cut parts out of a stream as a node sends it: each with its length, and closed by the next one's boundary.

    Raises `NotANode` where a part is no such part, `NotAPicture` where it holds no JPEG.
    """

    def __init__(self) -> None:
        """Begin before the first boundary."""
        self._buffer = bytearray()
        self._headers: dict[str, str] | None = None
        self._length = 0

    def feed(self, data: bytes) -> list[Part]:
        """Take the next bytes and return the parts that they complete."""
        self._buffer += data
        parts = []
        while (part := self._next()) is not None:
            parts.append(part)
        return parts

    def _next(self) -> Part | None:
        if self._headers is None and not self._read_head():
            return None
        if len(self._buffer) < self._length:
            return None
        jpeg, headers = bytes(self._buffer[: self._length]), self._headers
        del self._buffer[: self._length]
        self._headers = None
        assert headers is not None
        if not jpeg.startswith(b"\xff\xd8\xff") or not jpeg.endswith(b"\xff\xd9"):
            raise NotAPicture("a part of the node's stream is no JPEG")
        return Part(headers, jpeg)

    def _read_head(self) -> bool:
        end = self._buffer.find(_END_OF_HEAD, 0, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise NotANode("its stream has no parts")
            return False
        lines = self._buffer[:end].decode("latin-1").lstrip("\r\n").split("\r\n")
        del self._buffer[: end + len(_END_OF_HEAD)]
        if not lines[0].startswith("--"):
            raise NotANode("its stream has no parts")
        fields = (line.partition(":") for line in lines[1:])
        self._headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        length = self._headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or not 0 < int(length[:12]) <= MAX_BYTES:
            raise NotANode("a part of its stream has no length, or one that no picture has")
        self._length = int(length)
        return True
