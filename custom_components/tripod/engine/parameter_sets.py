"""Say an encoder's parameter sets again before each key frame, in MPEG-TS that a worker writes.

Some drivers tell them once, at the beginning, so that nobody who joins later can decode anything.
Facts: ISO/IEC 13818-1, 2.4.3 (packets, adaptation field, PES).
"""

from __future__ import annotations

from .h264 import AUD, IDR, PPS, SLICES, SPS, START_CODE
from .psi import PAT_PID, ProgramTables, payload

PACKET_SIZE = 188
_PAYLOAD = PACKET_SIZE - 4
_PES_LIMIT = 0xFFFF
_PES_START = 6
"""Bytes of a PES packet that its length does not count."""


class ParameterSetRepeater:
    """Pass packets on as they come, with what is missing put in."""

    def __init__(self) -> None:
        """Know no parameter sets until they come."""
        self._rest = b""
        self._tables = ProgramTables()
        self._sets = b""
        self._shift = 0
        """How far the continuity counter of the video runs ahead of the worker's."""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and return whole packets."""
        data = self._rest + data
        end = len(data) - len(data) % PACKET_SIZE
        self._rest = data[end:]
        return b"".join(self._packet(data[start : start + PACKET_SIZE]) for start in range(0, end, PACKET_SIZE))

    def _packet(self, packet: bytes) -> bytes:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid in (PAT_PID, self._tables.pmt_pid):
            self._tables.read(pid, packet)
        elif pid == self._tables.video_pid:
            begins = packet[1] & 0x40
            return self._begin(packet, payload(packet)) if begins else self._counted(packet)
        return packet

    def _begin(self, packet: bytes, pes: bytes) -> bytes:
        """Look at the first packet of a frame, where a key frame's parameter sets and first slice begin."""
        header = 9 + pes[8]
        units = [(pes[start + 3] & 0x1F, start) for start in _unit_starts(pes, header)]
        kinds = {kind for kind, _ in units}
        if SPS in kinds:
            self._sets = _parameter_sets(pes, units)
            if not kinds & set(SLICES) and len(pes) == _PES_START + int.from_bytes(pes[4:6], "big"):
                self._shift -= 1
                return b""  # nothing else is in it: no frame that a player could show
        elif kinds - {AUD} and self._sets and (IDR in kinds or _is_marked(packet)):
            place = next(start for kind, start in units if kind != AUD)
            return self._insert(packet, pes, place - (pes[place - 1] == 0))
        return self._counted(packet)

    def _insert(self, packet: bytes, pes: bytes, place: int) -> bytes:
        length = int.from_bytes(pes[4:6], "big")
        if length:
            length += len(self._sets)
        pes = b"".join(
            (
                pes[:4],
                (length if length <= _PES_LIMIT else 0).to_bytes(2, "big"),
                pes[6:place],
                self._sets,
                pes[place:],
            )
        )
        size = len(payload(packet))
        packets = [self._counted(packet[: PACKET_SIZE - size] + pes[:size])]
        for start in range(size, len(pes), _PAYLOAD):
            self._shift += 1
            packets.append(self._counted(_continuation(packet, pes[start : start + _PAYLOAD])))
        return b"".join(packets)

    def _counted(self, packet: bytes) -> bytes:
        return packet[:3] + bytes((packet[3] & 0xF0 | packet[3] + self._shift & 0x0F,)) + packet[4:]


def _is_marked(packet: bytes) -> bool:
    """Tell whether the muxer says that decoding can begin here: a long message may hide the first slice."""
    return packet[3] & 0x20 != 0 and packet[4] > 0 and packet[5] & 0x40 != 0


def _unit_starts(data: bytes, begin: int) -> list[int]:
    starts = []
    while 0 <= (begin := data.find(START_CODE, begin)) < len(data) - len(START_CODE):
        starts.append(begin)
        begin += len(START_CODE)
    return starts


def _parameter_sets(pes: bytes, units: list[tuple[int, int]]) -> bytes:
    """Return the sequence and picture parameter sets, each with its start code."""
    ends = [*(start for _, start in units[1:]), len(pes)]
    return b"".join(
        b"\x00" + pes[start:end].rstrip(b"\x00")
        for (kind, start), end in zip(units, ends, strict=True)
        if kind in (SPS, PPS)
    )


def _continuation(first: bytes, data: bytes) -> bytes:
    """Return one more packet of the frame that `first` begins, filled up by its adaptation field."""
    header = bytes((first[0], first[1] & 0x1F, first[2]))
    count = first[3] & 0x0F
    missing = _PAYLOAD - len(data)
    if not missing:
        return header + bytes((0x10 | count,)) + data
    field = bytes((missing - 1,)) + (b"\x00" + b"\xff" * (missing - 2) if missing > 1 else b"")
    return header + bytes((0x30 | count,)) + field + data
