"""Whether a file that came over a network ends as one of its kind does.

Facts: ITU-T T.81 (JPEG's markers), PNG's IEND, ISO/IEC 14496-12 (boxes), RFC 8794 (EBML elements).
"""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
from typing import BinaryIO, Final

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067
_TO_THE_END = -1


def is_whole(path: Path) -> bool:
    """Return whether `path`, whose suffix says what it is, begins and ends as it should; blocks, raises `OSError`."""
    look = _LOOKS.get(path.suffix.lower())
    if look is None:
        return False
    with path.open("rb") as file:
        return look(file, os.fstat(file.fileno()).st_size)


def _framed(start: bytes, end: bytes) -> Callable[[BinaryIO, int], bool]:
    def look(file: BinaryIO, size: int) -> bool:
        if size < len(start) + len(end) or file.read(len(start)) != start:
            return False
        file.seek(-len(end), os.SEEK_END)
        return file.read() == end

    return look


def _boxes(file: BinaryIO, size: int) -> bool:
    """Walk the boxes of an MP4: they fill the file, and one of them is the index."""
    position, kinds = 0, set()
    while position < size:
        file.seek(position)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - position
        if length < 8 or len(header) < 8:
            return False
        kinds.add(kind)
        position += length
    return position == size and b"ftyp" in kinds and b"moov" in kinds


def _elements(file: BinaryIO, size: int) -> bool:
    """Walk the elements of a Matroska: a header, then one segment that fills the file."""
    position, kinds = 0, []
    while position < size:
        file.seek(position)
        kind, length = _number(file, keep_marker=True), _number(file)
        if kind is None or length is None:
            return False
        kinds.append(kind)
        position = size if length == _TO_THE_END else file.tell() + length
    return position == size and kinds[:2] == [_EBML, _SEGMENT]


def _number(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """Read a number of variable length; None where there is none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    if len(rest) < length - 1:
        return None
    value = int.from_bytes(first + rest, "big")
    if keep_marker:
        return value
    value &= (1 << 7 * length) - 1
    return _TO_THE_END if value == (1 << 7 * length) - 1 else value


_LOOKS: Final[dict[str, Callable[[BinaryIO, int], bool]]] = {
    ".jpg": _framed(_JPEG_START, _JPEG_END),
    ".jpeg": _framed(_JPEG_START, _JPEG_END),
    ".png": _framed(_PNG_START, _PNG_END),
    ".mp4": _boxes,
    ".mkv": _elements,
}
