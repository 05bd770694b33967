"""MPEG-TS tables: which packets carry the video, and how to say so again at each place where a viewer may join.

Facts: ISO/IEC 13818-1, 2.4.4 (sections, PAT, PMT) and 2.6 (descriptors).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

PAT_PID = 0
NULL_PID = 0x1FFF
NO_PID = -1

_PAT_ID, _PMT_ID = 0x00, 0x02
_HEADER_BYTES = 3  # a section's own, before what its length counts
_CRC_BYTES = 4

_VIDEO_TYPES = {0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc"}
_AUDIO_TYPES = {0x03: "mp3", 0x04: "mp3", 0x0F: "aac", 0x11: "aac_latm", 0x81: "ac3", 0x87: "eac3"}
_PRIVATE_TYPE = 0x06
_REGISTRATION = 0x05
_AUDIO_DESCRIPTORS = {0x6A: "ac3", 0x7A: "eac3"}
_AUDIO_REGISTRATIONS = {b"Opus": "opus", b"AC-3": "ac3", b"EAC3": "eac3"}


class Table(NamedTuple):
    """One table as it came: its PID and the packets that carry it."""

    pid: int
    packets: tuple[bytes, ...]


class ProgramTables:
    """The newest PAT and PMT of a stream; the first program counts."""

    def __init__(self) -> None:
        """Know nothing until tables come."""
        self.pmt_pid = NO_PID
        self.video_pid = NO_PID
        self.video_codec: str | None = None
        self.audio_codec: str | None = None
        self._sections = {PAT_PID: _Section()}
        self._known: dict[int, tuple[Table, bytes]] = {}
        self._continuity: dict[int, int] = {}

    @property
    def complete(self) -> bool:
        """Whether both tables came."""
        return self.pmt_pid in self._known

    @property
    def all(self) -> tuple[Table, ...]:
        """The tables that a viewer must have, in their order."""
        return tuple(table for table, _ in self._known.values())

    def read(self, pid: int, packet: bytes) -> Table | None:
        """Take a packet of the PAT's or PMT's PID; return the table that it completes. Damaged tables are left out."""
        complete = self._sections[pid].read(packet)
        if complete is None:
            return None
        packets, section = complete
        table = Table(pid, packets)
        known = self._known.get(pid)
        if known is None or known[1] != section:
            if section[0] != (_PAT_ID if pid == PAT_PID else _PMT_ID) or crc(section):
                return None
            if pid == PAT_PID:
                self._read_pat(section)
            else:
                self._read_pmt(section)
        self._known[pid] = table, section
        return table

    def repeat(self, table: Table) -> bytes:
        """Return the table's packets, counted on from those sent before."""
        packets = []
        for packet in table.packets:
            count = self._continuity[table.pid] = (self._continuity.get(table.pid, -1) + 1) & 0x0F
            packets.append(packet[:3] + bytes((packet[3] & 0xF0 | count,)) + packet[4:])
        return b"".join(packets)

    def _read_pat(self, section: bytes) -> None:
        for entry in range(8, len(section) - _CRC_BYTES - 3, 4):
            program, pid = _word(section, entry), _word(section, entry + 2) & 0x1FFF
            if program and pid not in (PAT_PID, NULL_PID, self.pmt_pid):
                self.pmt_pid = pid
                self._sections = {PAT_PID: self._sections[PAT_PID], pid: _Section()}
                self._known.clear()
            if program:
                return

    def _read_pmt(self, section: bytes) -> None:
        self.video_pid = NO_PID
        self.video_codec = self.audio_codec = None
        for kind, pid, descriptors in _streams(section):
            if kind in _VIDEO_TYPES:
                if self.video_codec is None:
                    self.video_codec, self.video_pid = _VIDEO_TYPES[kind], pid
            elif self.audio_codec is None:
                self.audio_codec = _private_audio(descriptors) if kind == _PRIVATE_TYPE else _AUDIO_TYPES.get(kind)


def payload(packet: bytes) -> bytes:
    """Return what the packet carries behind its header and adaptation field."""
    control = packet[3] >> 4 & 3
    if control == 1:
        return packet[4:]
    return packet[5 + packet[4] :] if control == 3 else b""


def with_stream(packet: bytes, kind: int, pid: int) -> bytes:
    """Return a packet that holds a whole PMT with one more stream in it; as it is where there is no room."""
    data = payload(packet)
    section = data[1:] if data[:1] == b"\x00" else b""
    size = _HEADER_BYTES + (_word(section, 1) & 0x0FFF) if len(section) >= _HEADER_BYTES else 0
    entry = bytes((kind, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0x00))
    if not _HEADER_BYTES + _CRC_BYTES < size <= len(section) - len(entry):
        return packet
    length = size + len(entry) - _HEADER_BYTES
    head = section[:1] + (_word(section, 1) & 0xF000 | length).to_bytes(2, "big")
    section = head + section[_HEADER_BYTES : size - _CRC_BYTES] + entry
    section += crc(section).to_bytes(_CRC_BYTES, "big")
    return (packet[:3] + bytes((packet[3] & 0xCF | 0x10, 0)) + section).ljust(len(packet), b"\xff")


class _Section:
    """Put one section together from its packets."""

    def __init__(self) -> None:
        self._packets: list[bytes] = []
        self._data = b""

    def read(self, packet: bytes) -> tuple[tuple[bytes, ...], bytes] | None:
        data = payload(packet)
        if packet[1] & 0x40:  # payload_unit_start_indicator: a pointer to the section's first byte stands in front
            self._packets, self._data = [], b""
            data = data[1 + data[0] :] if data else b""
        elif not self._packets or not data:
            return None
        self._packets.append(packet)
        self._data += data
        if len(self._data) < _HEADER_BYTES:
            return None
        size = _HEADER_BYTES + (_word(self._data, 1) & 0x0FFF)
        if len(self._data) < size:
            return None
        complete = tuple(self._packets), self._data[:size]
        self._packets = []
        return complete


def _streams(pmt: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, PID and descriptors of each elementary stream."""
    end = len(pmt) - _CRC_BYTES
    position = 12 + (_word(pmt, 10) & 0x0FFF)
    while position + 5 <= end:
        size = _word(pmt, position + 3) & 0x0FFF
        yield pmt[position], _word(pmt, position + 1) & 0x1FFF, pmt[position + 5 : min(position + 5 + size, end)]
        position += 5 + size


def _private_audio(descriptors: bytes) -> str | None:
    position = 0
    while position + 2 <= len(descriptors):
        tag, size = descriptors[position], descriptors[position + 1]
        body = descriptors[position + 2 : position + 2 + size]
        codec = _AUDIO_REGISTRATIONS.get(body[:4]) if tag == _REGISTRATION else _AUDIO_DESCRIPTORS.get(tag)
        if codec is not None:
            return codec
        position += 2 + size
    return None


def _word(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "big")


def crc(data: bytes) -> int:
    """Return CRC-32/MPEG-2; 0 over a whole section, as it ends with its own."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value
