"""Write H.264 access units as MPEG-TS, with all that a viewer needs who joins at a key frame.

Facts: ISO/IEC 13818-1, 2.4.3 (packets, adaptation field, PES), 2.4.4 (PAT, PMT), 2.14 (H.264: each access unit begins
with a delimiter).
"""

from __future__ import annotations

from .h264 import AUD, nal_type
from .mpegts import CLOCK_RATE, PACKET_SIZE
from .psi import crc

_WRAP = 1 << 33
_PMT_PID, _VIDEO_PID = 0x1000, 0x100
_H264 = 0x1B
_PAYLOAD = PACKET_SIZE - 4
_DELIMITER = b"\x00\x00\x00\x01\x09\xf0"  # any kind of slice may follow
_PES_LIMIT = 0xFFFF
_PES_FIELDS = 8  # of what the length counts, up to the access unit
_PCR_FIELD = 7  # flags and clock of the adaptation field

_START = bytes((0x47, 0x40 | _VIDEO_PID >> 8, _VIDEO_PID & 0xFF))
_CONTINUED = [bytes((0x47, _VIDEO_PID >> 8, _VIDEO_PID & 0xFF, 0x10 | count)) for count in range(16)]


class MpegTsWriter:
    """One program with one H.264 stream; each call returns whole packets."""

    def __init__(self) -> None:
        """Begin with the continuity counters at zero."""
        self._tables_written = 0
        self._count = 0

    def write(self, access_unit: bytes, seconds: float, *, key: bool) -> bytes:
        """Return the packets of one access unit in Annex B form, to be shown at `seconds`; `key` puts tables in front.

        There are no B-frames: access units come in the order in which they are shown.
        """
        ticks = round(seconds * CLOCK_RATE) % _WRAP
        if nal_type(access_unit) != AUD:
            access_unit = _DELIMITER + access_unit
        packets = self._packets(_pes_header(len(access_unit), ticks) + access_unit, ticks, key=key)
        return self._tables() + packets if key else packets

    def _packets(self, pes: bytes, ticks: int, *, key: bool) -> bytes:
        room = _PAYLOAD - 1 - _PCR_FIELD
        stuffing = max(0, room - len(pes))
        flags = 0x50 if key else 0x10  # random access; a clock follows
        clock = (ticks << 15 | 0x7E00).to_bytes(6, "big")  # 33 bits, six reserved ones, nine of the 27 MHz clock
        first = b"".join(
            (
                _START,
                bytes((0x30 | self._next(), _PCR_FIELD + stuffing, flags)),
                clock,
                b"\xff" * stuffing,
                pes[:room],
            )
        )
        whole, rest = divmod(max(0, len(pes) - room), _PAYLOAD)
        end = room + whole * _PAYLOAD
        parts = [first] * (1 + 2 * whole)
        parts[1::2] = [_CONTINUED[(self._count + index) & 0x0F] for index in range(whole)]
        parts[2::2] = [pes[position : position + _PAYLOAD] for position in range(room, end, _PAYLOAD)]
        self._count += whole
        if rest:
            parts += (self._last_header(rest), pes[end:])
        return b"".join(parts)

    def _last_header(self, size: int) -> bytes:
        """Return a header that is so long that `size` bytes fill the packet."""
        length = _PAYLOAD - 1 - size
        field = bytes((length,)) + (b"\x00" + b"\xff" * (length - 1) if length else b"")
        header = _CONTINUED[self._next()]
        return header[:3] + bytes((header[3] | 0x20,)) + field

    def _next(self) -> int:
        count = self._count & 0x0F
        self._count += 1
        return count

    def _tables(self) -> bytes:
        count = self._tables_written & 0x0F
        self._tables_written += 1
        return b"".join(packet[:3] + bytes((0x10 | count,)) + packet[4:] for packet in _TABLES)


def _pes_header(size: int, ticks: int) -> bytes:
    length = size + _PES_FIELDS
    return (
        b"\x00\x00\x01\xe0" + (length if length <= _PES_LIMIT else 0).to_bytes(2, "big") + b"\x84\x80\x05" + _pts(ticks)
    )


def _pts(ticks: int) -> bytes:
    """Return 33 bits with a marker after each of three parts."""
    return bytes(
        (
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        )
    )


def _table(pid: int, table: int, body: bytes) -> bytes:
    """Return one packet with a section: of identifier 1, version 0, the only one of its kind."""
    section = bytes((table,)) + (0xB000 | len(body) + 9).to_bytes(2, "big") + b"\x00\x01\xc1\x00\x00" + body
    section += crc(section).to_bytes(4, "big")
    header = bytes((0x47, 0x40 | pid >> 8, pid & 0xFF, 0x10, 0))
    return (header + section).ljust(PACKET_SIZE, b"\xff")


_TABLES = (
    _table(0, 0x00, b"\x00\x01" + (0xE000 | _PMT_PID).to_bytes(2, "big")),
    _table(
        _PMT_PID,
        0x02,
        (0xE000 | _VIDEO_PID).to_bytes(2, "big")  # which stream brings the clock
        + b"\xf0\x00"
        + bytes((_H264,))
        + (0xE000 | _VIDEO_PID).to_bytes(2, "big")
        + b"\xf0\x00",
    ),
)
