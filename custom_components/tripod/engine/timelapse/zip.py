"""Many files as one ZIP, made while it is sent: nothing of it is kept in memory or on the disk.

Pictures do not get smaller, so they are stored as they are. Facts: PKWARE's APPNOTE 6.3.10; where counts or offsets
outgrow the old fields, those of ZIP64 take their place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from datetime import datetime
import struct
import tempfile
import threading
from typing import IO, NamedTuple
import zlib

from ..archive import Item

BLOCK = 1 << 18
"""Bytes that are read and yielded at once."""

IN_MEMORY = 1 << 20
"""Bytes of the directory, which comes last, that are kept in memory; the rest waits in a temporary file."""

LARGE, MANY = 0xFFFFFFFF, 0xFFFF
"""What stands where a number has outgrown its field of four or two bytes."""

UTF8 = 1 << 11
VERSION, VERSION_64 = 20, 45
UNIX = 3 << 8
FILE_MODE = 0o100644 << 16

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


async def zipped(items: Iterable[Item]) -> AsyncGenerator[bytes]:
    """Yield a ZIP of `items`, named by their day and file; one that is gone meanwhile is left out.

    `items` may block when it is iterated over. Raises `OSError` where a file cannot be read to its end: better a ZIP
    that is visibly cut off than one that lacks something.
    """
    blocks = _Blocks(items)
    try:
        while block := await asyncio.to_thread(blocks.next):
            yield block
    finally:
        await asyncio.shield(asyncio.to_thread(blocks.close))


class _Blocks:
    """The blocks of a ZIP, one at a time from any thread: who is cancelled closes while the last one is still read."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._blocks = _blocks(items)
        self._lock = threading.Lock()

    def next(self) -> bytes:
        """Return about a `BLOCK`: small files go together, or passing them on would take longer than reading them."""
        gathered = bytearray()
        with self._lock:
            while len(gathered) < BLOCK and (block := next(self._blocks, b"")):
                gathered += block
        return bytes(gathered)

    def close(self) -> None:
        with self._lock:
            self._blocks.close()


class _Entry(NamedTuple):
    """What the directory says of a file."""

    name: bytes
    captured_at: datetime
    checksum: int
    size: int

    @property
    def _common(self) -> tuple[int, ...]:
        """The fields that are the same beside the file and in the directory, but for sizes."""
        at = self.captured_at
        clock = at.hour << 11 | at.minute << 5 | at.second // 2
        return UTF8, 0, clock, max(0, at.year - 1980) << 9 | at.month << 5 | at.day, self.checksum

    @property
    def _time(self) -> bytes:
        """The extra field that holds the moment itself; the others are local time."""
        return struct.pack("<2HBl", 0x5455, 5, 1, int(self.captured_at.timestamp()))

    def local(self) -> bytes:
        """Return what stands before the file."""
        large = self.size >= LARGE
        extra = (struct.pack("<2H2Q", 1, 16, self.size, self.size) if large else b"") + self._time
        size = LARGE if large else self.size
        version = VERSION_64 if large else VERSION
        return (
            _LOCAL.pack(b"PK\3\4", version, *self._common, size, size, len(self.name), len(extra)) + self.name + extra
        )

    def central(self, offset: int) -> bytes:
        """Return the directory's line for the file that begins at `offset`."""
        large = [number for number in (self.size, self.size, offset) if number >= LARGE]
        extra = (struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b"") + self._time
        size, place = min(self.size, LARGE), min(offset, LARGE)
        version = VERSION_64 if large else VERSION
        lengths = len(self.name), len(extra), 0, 0, 0
        fixed = _CENTRAL.pack(b"PK\1\2", UNIX | version, version, *self._common, size, size, *lengths, FILE_MODE, place)
        return fixed + self.name + extra


def _blocks(items: Iterable[Item]) -> Generator[bytes]:
    offset = count = 0
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as directory:
        for item in items:
            try:
                file = item.path.open("rb")
            except FileNotFoundError:
                continue
            with file:
                entry = _entry(item, file)
                head = entry.local()
                yield head
                yield from _content(file, entry.size)
            directory.write(entry.central(offset))
            offset += len(head) + entry.size
            count += 1
        length = directory.tell()
        directory.seek(0)
        while block := directory.read(BLOCK):
            yield block
    yield _end(count, length, offset)


def _entry(item: Item, file: IO[bytes]) -> _Entry:
    """Read a file once for its checksum, which stands before it; the second time it comes from the system's memory."""
    checksum = 0
    while block := file.read(BLOCK):
        checksum = zlib.crc32(block, checksum)
    size = file.tell()
    file.seek(0)
    name = f"{item.path.parent.name}/{item.path.name}"
    return _Entry(name.encode(), item.captured_at, checksum, size)


def _content(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size > 0:
        block = file.read(min(BLOCK, size))
        if not block:
            raise OSError(f"{file.name} became shorter while it was read")
        size -= len(block)
        yield block


def _end(count: int, length: int, offset: int) -> bytes:
    """Return what follows the directory of `count` files, which is `length` bytes long and begins at `offset`."""
    end = b""
    if count >= MANY or length >= LARGE or offset >= LARGE:
        end += _END_64.pack(b"PK\6\6", 44, VERSION_64, VERSION_64, 0, 0, count, count, length, offset)
        end += _LOCATOR_64.pack(b"PK\6\7", 0, offset + length, 1)
    files = min(count, MANY)
    return end + _END.pack(b"PK\5\6", 0, 0, files, files, min(length, LARGE), min(offset, LARGE), 0)
