"""JPEG frame boundaries, found by walking markers; nothing is decoded.

Facts: ITU-T T.81, annex B; Exif 2.3, 4.5 and 4.6. Entropy-coded data holds no marker but RSTn, as every 0xFF in it is
followed by 0x00.
USB cameras leave out the Huffman tables where they are those of annex K.3; browsers need them, so they are put in.
"""

from __future__ import annotations

import re
import struct

from .errors import NotAPicture

MAX_BYTES = 16 * 1024 * 1024

MAX_DESCRIPTION = 32_000
"""Bytes of text that are put into a picture: a segment has room for twice as many."""

_NOWHERE = -1
_START = b"\xff\xd8\xff"  # SOI, and the first byte of the marker that must follow
_SOI, _EOI, _SOS, _DHT = 0xD8, 0xD9, 0xDA, 0xC4
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}  # SOFn, without DHT, JPG and DAC
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))  # TEM and RSTn have no length
_BASELINE = frozenset((0xC0, 0xC1))  # what the usual tables are for
_NEEDLESS = frozenset(range(0xE1, 0xF0)) - {0xEE}  # APPn, but for JFIF and Adobe's, which says how colour is meant
_APP1 = 0xE1
_IMAGE_DESCRIPTION, _ASCII = 0x010E, 2
_MARKER_IN_SCAN = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")

# class and destination, how many codes there are of each length, their values
_USUAL = bytes.fromhex(
    "00"  # luminance, DC
    "00010501010101010100000000000000"
    "000102030405060708090a0b"
    "01"  # chrominance, DC
    "00030101010101010101010000000000"
    "000102030405060708090a0b"
    "10"  # luminance, AC
    "0002010303020403050504040000017d"
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435"
    "363738393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798"
    "999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4"
    "f5f6f7f8f9fa"
    "11"  # chrominance, AC
    "00020102040403040705040400010277"
    "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a"
    "35363738393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a9293949596"
    "9798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4"
    "f5f6f7f8f9fa"
)
USUAL_TABLES = bytes((0xFF, _DHT)) + (2 + len(_USUAL)).to_bytes(2, "big") + _USUAL
"""The Huffman tables of annex K.3, as one segment."""


class JpegSplitter:
    """Cut whole JPEGs out of any byte stream: a pipe of JPEGs, or a multipart body whose headers are never trusted.

    They come out as they went in, but for the usual Huffman tables in those that bring none.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        """Discard pictures longer than `max_bytes`; no more than that and one feed is ever kept."""
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self.discarded = 0
        """Pictures that began and were dropped: truncated, malformed or oversized."""
        self.garbage = 0
        """Bytes skipped since the last whole picture."""
        self._seek(0)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the pictures that they complete."""
        self._buffer += data
        pictures: list[bytes] = []
        while self._step(pictures):
            pass
        self._drop_walked()
        return pictures

    def _seek(self, position: int) -> None:
        """Look for the next picture from `position` on."""
        self._start = _NOWHERE
        self._position = position
        self._segment = position  # where the last marker stood: the last place known to be good
        self._in_scan = False
        self._markers: set[int] = set()
        self._tables_due = _NOWHERE  # where in the picture tables must be put in

    def _step(self, pictures: list[bytes]) -> bool:
        """Walk to the next marker; False when that takes more bytes."""
        if self._start == _NOWHERE:
            return self._find_start()
        limit = self._start + self._max_bytes
        walked = self._walk_scan(limit) if self._in_scan else self._walk_segment(limit, pictures)
        if not walked and len(self._buffer) >= limit:
            self._discard(limit)
            return True
        return walked

    def _find_start(self) -> bool:
        found = self._buffer.find(_START, self._position)
        if found < 0:
            self._skip_to(max(self._position, len(self._buffer) - len(_START) + 1))
            return False
        self._skip_to(found)
        self._start = self._segment = found
        self._position = found + 2
        return True

    def _skip_to(self, position: int) -> None:
        self.garbage += position - self._position
        self._position = position

    def _walk_scan(self, limit: int) -> bool:
        """Pass over entropy-coded data, to the marker that ends it."""
        end = min(len(self._buffer), limit)
        match = _MARKER_IN_SCAN.search(self._buffer, self._position, end)
        if match is None:
            # A last 0xFF may be the first half of a marker.
            self._position = max(self._position, end - 1 if self._buffer[end - 1] == 0xFF else end)
            return False
        self._position = match.start()
        self._in_scan = False
        return True

    def _walk_segment(self, limit: int, pictures: list[bytes]) -> bool:
        """Pass over one marker and what belongs to it."""
        buffer, position = self._buffer, self._position
        end = min(len(buffer), limit)
        if position < end and buffer[position] != 0xFF:
            return self._discard()  # the length before led nowhere: the picture was cut in that segment
        if position + 1 >= end:
            return False
        marker = buffer[position + 1]
        if marker == 0xFF:  # a fill byte
            self._position += 1
        elif marker in _BARE:
            self._position += 2
        elif marker == _EOI:
            return self._finish(position + 2, pictures)
        elif marker == _SOI or marker < 0xC0:
            return self._discard()
        else:
            return self._pass_segment(marker, end)
        return True

    def _pass_segment(self, marker: int, end: int) -> bool:
        position = self._position
        if position + 4 > end:
            return False
        length = int.from_bytes(self._buffer[position + 2 : position + 4], "big")
        self._segment = position
        if length < 2:
            return self._discard()
        self._position = position + 2 + length
        if marker == _SOS:
            if self._markers & _BASELINE and not self._markers & {_SOS, _DHT}:
                self._tables_due = position - self._start
            self._in_scan = True
        self._markers.add(marker)
        return True

    def _finish(self, end: int, pictures: list[bytes]) -> bool:
        if _SOS not in self._markers or not self._markers & _FRAME_HEADERS:
            return self._discard()
        picture = memoryview(self._buffer)[self._start : end]
        if self._tables_due == _NOWHERE:
            pictures.append(bytes(picture))
        else:
            pictures.append(b"".join((picture[: self._tables_due], USUAL_TABLES, picture[self._tables_due :])))
        picture.release()  # a bytearray that is looked at cannot shrink
        self.garbage = 0
        self._seek(end)
        return True

    def _discard(self, resume: int | None = None) -> bool:
        """Give the picture up; look for the next from `resume` on, or from the last marker that was in its place."""
        resume = self._segment + 2 if resume is None else resume
        self.discarded += 1
        self.garbage += resume - self._start
        self._seek(resume)
        return True

    def _drop_walked(self) -> None:
        """Forget what no picture needs any more."""
        done = min(self._position if self._start == _NOWHERE else self._start, len(self._buffer))
        if done:
            del self._buffer[:done]
            self._position -= done
            self._segment -= done
            if self._start != _NOWHERE:
                self._start -= done


def dimensions(jpeg: bytes) -> tuple[int, int]:
    """Return width and height from the frame header. Raises `NotAPicture`."""
    for marker, position in _segments(jpeg):
        if marker in _FRAME_HEADERS:
            frame = jpeg[position + 5 : position + 9]
            height, width = int.from_bytes(frame[:2], "big"), int.from_bytes(frame[2:], "big")
            if len(frame) == 4 and width and height:
                return width, height
            break
    raise NotAPicture("no JPEG frame header")


def described(jpeg: bytes, text: str) -> bytes:
    """Return the picture with `text` as its description (Exif), in place of all that others wrote into it.

    An empty text is none. What decodes the picture then stumbles over nothing but the picture itself.
    """
    pieces, position = [jpeg[:2], _description(text) if text else b""], 2
    for marker, start in _segments(jpeg):
        if marker in _NEEDLESS:
            pieces.append(jpeg[position:start])
            position = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
    return b"".join((*pieces, memoryview(jpeg)[position:]))


def _description(text: str) -> bytes:
    value = text.encode(errors="replace")[:MAX_DESCRIPTION].ljust(5, b"\0") + b"\0"  # four bytes would stand elsewhere
    entry = struct.pack("<HHHIII", 1, _IMAGE_DESCRIPTION, _ASCII, len(value), 26, 0)
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + entry + value
    return bytes((0xFF, _APP1)) + (2 + len(exif)).to_bytes(2, "big") + exif


def _segments(jpeg: bytes) -> list[tuple[int, int]]:
    """Return marker and position of each segment before the first scan."""
    found: list[tuple[int, int]] = []
    position = 2 if jpeg.startswith(_START) else len(jpeg)
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF:
        marker = jpeg[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _BARE:
            position += 2
        elif marker in (_SOS, _EOI, _SOI):
            break
        else:
            found.append((marker, position))
            position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    return found
