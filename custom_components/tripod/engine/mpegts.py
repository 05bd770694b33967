"""MPEG-TS, only what fan-out needs: where frames start, and which of them a viewer can begin at.

Facts: ISO/IEC 13818-1, 2.4.3 (packets, PES); NAL unit types of ITU-T H.264 table 7-1 and H.265 table 7-1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from . import h264
from .psi import NULL_PID, PAT_PID, ProgramTables, Table, payload

PACKET_SIZE = 188
CLOCK_RATE = 90_000

_SYNC = 0x47
_WRAP = 1 << 33
# Parameter sets, messages and the first slice's header come well within this.
_HEAD_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole packets in the order they came."""

    data: bytes
    starts_frame: bool
    key: bool
    """A decoder can begin here: the tables stand in front, and no frame before is needed."""
    pts: int | None
    """Presentation time in 90 kHz ticks of the frame that starts here; None where none starts.

    It rises on past 33 bits, and goes back only as B-frames do, or where the source's own clock did.
    """
    sps: bytes | None = None
    """The sequence parameter set that a key frame stands on."""


class Parser:
    """Cut an MPEG-TS stream at its video frames. Never raises; keeps no more than the head of one frame.

    Packets are passed on as soon as they are whole. Tables move to the front of the next frame, and are repeated before
    each key frame; null packets, and what comes before the first frame, are dropped.
    """

    def __init__(self) -> None:
        """Know nothing of the stream until its tables come."""
        self.sps: bytes | None = None
        """The sequence parameter set (NAL unit) of the last key frame; `h264.py` reads it."""
        self.discarded = 0
        """Bytes that were no packets."""
        self._tables = ProgramTables()
        self._rest = b""
        self._synced = False
        self._clock = _Clock()
        self._keys_marked = False  # the muxer sets random_access_indicator
        self._fresh: dict[int, Table] = {}  # came since the last frame
        self._frame: _Frame | None = None
        self._chunks: list[Chunk] = []

    @property
    def has_tables(self) -> bool:
        """Whether the stream has said what it carries; only then no video codec means no video."""
        return self._tables.complete

    @property
    def video_codec(self) -> str | None:
        """FFmpeg's name (`h264`, `hevc`); None without video, or before the tables came."""
        return self._tables.video_codec

    @property
    def video_pid(self) -> int:
        """Which packets carry video; none has this identifier without video, or before the tables came."""
        return self._tables.video_pid

    @property
    def audio_codec(self) -> str | None:
        """FFmpeg's name; None without audio, or with one that MPEG-TS has no name for."""
        return self._tables.audio_codec

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, cut anywhere, and return what they complete."""
        data = self._rest + data
        offset = 0
        while len(data) - offset >= PACKET_SIZE:
            if self._synced:
                offset = self._read_packets(data, offset)
            else:
                offset = self._synchronise(data, offset)
                if not self._synced:
                    break
        self._rest = data[offset:]
        self._pass_on()
        chunks, self._chunks = self._chunks, []
        return chunks

    def _synchronise(self, data: bytes, offset: int) -> int:
        """Find three sync bytes at a packet's distance; return where the first stands, or may stand."""
        start = offset
        while (found := data.find(_SYNC, offset)) >= 0 and found + 2 * PACKET_SIZE < len(data):
            if data[found + PACKET_SIZE] == _SYNC == data[found + 2 * PACKET_SIZE]:
                self._synced = True
                break
            offset = found + 1
        if found < 0:
            found = len(data)
        self.discarded += found - start
        return found

    def _read_packets(self, data: bytes, offset: int) -> int:
        """Sort whole packets, up to the end or the first that is none; return where that is."""
        tables, last = self._tables, len(data) - PACKET_SIZE
        run = offset  # what was not handed over yet begins here
        while offset <= last:
            if data[offset] != _SYNC:
                self._synced = False
                break
            flags = data[offset + 1]
            pid = (flags & 0x1F) << 8 | data[offset + 2]
            end = offset + PACKET_SIZE
            if pid == tables.video_pid:
                if flags & 0x40 and (pes := _Pes.read(data[offset:end])):
                    self._keep(data[run:offset])
                    run = offset
                    self._start_frame(pes)
                elif self._frame and self._frame.looking:
                    self._look(self._frame, payload(data[offset:end]))
            elif pid in (PAT_PID, tables.pmt_pid, NULL_PID):
                self._keep(data[run:offset])
                run = end
                if pid != NULL_PID:
                    self._read_table(pid, data[offset:end])
            elif self._frame and self._frame.looking:
                self._look(self._frame, b"")
            offset = end
        self._keep(data[run:offset])
        return offset

    def _keep(self, packets: bytes) -> None:
        if packets and self._frame:
            self._frame.parts.append(packets)

    def _read_table(self, pid: int, packet: bytes) -> None:
        video_pid = self._tables.video_pid
        if table := self._tables.read(pid, packet):
            self._fresh[pid] = table
        if video_pid != self._tables.video_pid:
            self._keys_marked = False

    def _start_frame(self, pes: _Pes) -> None:
        if self._frame:
            self._frame.looking = False
            self._pass_on()
        self._keys_marked |= pes.key
        pts = self._clock.unwrap(pes.pts)
        self._frame = _Frame(pes.key, pts, tuple(self._fresh.values()), self._tables.all)
        self._fresh = {}
        if self.video_codec in _SLICES and (pes.key or not self._keys_marked):
            self._frame.looking = True
            self._look(self._frame, pes.data)

    def _look(self, frame: _Frame, data: bytes) -> None:
        """Look at the next bytes of a frame's head for its parameter sets and its first slice."""
        frame.head += data
        frame.looked += PACKET_SIZE
        head = _Head.read(bytes(frame.head), self.video_codec) if data else None
        if head:
            frame.key |= head.key
            if frame.key:
                self.sps = head.sps or self.sps
        if head or frame.looked > _HEAD_LIMIT:
            frame.looking = False
            frame.head.clear()

    def _pass_on(self) -> None:
        """Hand over what came of the frame, once its head has told what it is."""
        frame = self._frame
        if frame is None or frame.looking or not frame.parts:
            return
        data = b"".join(frame.parts)
        frame.parts.clear()
        if frame.begun:
            self._chunks.append(Chunk(data, starts_frame=False, key=False, pts=None))
            return
        frame.begun = True
        front = b"".join(map(self._tables.repeat, frame.tables if frame.key else frame.fresh))
        sps = self.sps if frame.key else None
        self._chunks.append(Chunk(front + data, starts_frame=True, key=frame.key, pts=frame.pts, sps=sps))


@dataclass(slots=True)
class _Frame:
    """The frame that is arriving."""

    key: bool
    pts: int | None
    fresh: tuple[Table, ...]
    tables: tuple[Table, ...]
    parts: list[bytes] = field(default_factory=list)
    head: bytearray = field(default_factory=bytearray)
    """The first bytes of the elementary stream, while they are looked at."""
    looking: bool = False
    looked: int = 0
    begun: bool = False


class _Pes(NamedTuple):
    """The start of a PES packet."""

    key: bool
    pts: int | None
    data: bytes

    @classmethod
    def read(cls, packet: bytes) -> _Pes | None:
        """None where no PES header stands: the packet is scrambled or damaged."""
        data = payload(packet)
        if len(data) < 9 or not data.startswith(h264.START_CODE):
            return None
        key = packet[3] & 0x20 != 0 and packet[4] > 0 and packet[5] & 0x40 != 0
        pts = None
        if data[7] & 0x80 and len(data) >= 14:
            pts = (data[9] >> 1 & 7) << 30 | (data[10] << 7 | data[11] >> 1) << 15 | data[12] << 7 | data[13] >> 1
        return cls(key, pts, data[9 + data[8] :])


class _Clock:
    """Carry time stamps on where their 33 bits wrap."""

    def __init__(self) -> None:
        self._last: int | None = None

    def unwrap(self, stamp: int | None) -> int | None:
        if stamp is None:
            return None
        if self._last is not None:
            step = (stamp - self._last) % _WRAP
            stamp = self._last + (step if step < _WRAP // 2 else step - _WRAP)
        self._last = stamp
        return stamp


class _Head(NamedTuple):
    """What the units up to the first slice tell about a frame."""

    key: bool
    sps: bytes | None

    @classmethod
    def read(cls, data: bytes, codec: str | None) -> _Head | None:
        """None until the first slice begins."""
        nal_type, slices, key_slices, sps_type = _SLICES[codec or ""]
        sps = None
        position = data.find(h264.START_CODE)
        while 0 <= position < len(data) - 3:
            kind = nal_type(data[position + 3])
            following = data.find(h264.START_CODE, position + 3)
            if kind in slices:
                # Parameter sets come where a decoder may begin, also in streams that refresh without whole key frames.
                return cls(kind in key_slices or sps is not None, sps)
            if kind == sps_type and following > 0:
                sps = data[position + 3 : following].rstrip(b"\x00")
            position = following
        return None


class _Slices(NamedTuple):
    nal_type: Callable[[int], int]
    all: range
    key: range
    sps: int


_SLICES = {
    "h264": _Slices(lambda first: first & 0x1F, h264.SLICES, range(h264.IDR, h264.IDR + 1), h264.SPS),
    "hevc": _Slices(lambda first: first >> 1 & 0x3F, range(32), range(16, 24), 33),
}
