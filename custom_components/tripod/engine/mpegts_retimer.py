"""Shift the clock of an MPEG-TS stream, so that it goes on from where another one ended, and never goes back.

Nothing is decoded and nothing else is changed: of thirty packets, one or two hold a time stamp or a clock reference.
Facts: ISO/IEC 13818-1, 2.4.3.2 (packets), 2.4.3.4 (adaptation field, PCR), 2.4.3.6 (PES header).
"""

from __future__ import annotations

from collections.abc import Callable
import re
import time

from .mpegts import CLOCK_RATE, PACKET_SIZE

JUMP = 10 * CLOCK_RATE
"""Ticks that a stream's clock may run ahead of the time that passed, from one time stamp to the next of its kind: what
was kept while the network was down comes at once."""

BACK = CLOCK_RATE // 2
"""Ticks that time stamps of sound may go back, in which there are some that are a little out of order."""

LONGEST_STEP = CLOCK_RATE
USUAL_STEP = CLOCK_RATE // 25

_SYNC = 0x47
_WRAP = 1 << 33
_PES_START = b"\x00\x00\x01"
_WITHOUT_HEADER = frozenset((0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF))
"""Stream ids whose PES packets have no time stamps (table 2-21)."""

_BEGINS = bytes(byte & 0xC0 == 0x40 for byte in range(256))
"""By a packet's second byte: whether a payload begins in it, and it is not marked as damaged."""
_ADAPTED = bytes(byte & 0x20 != 0 for byte in range(256))
"""By a packet's fourth byte: whether it has an adaptation field, which is where clock references are."""
_MARKED = re.compile(rb"[^\x00]")


class Retimer:
    """The streams of one camera, one after the other, on one clock."""

    def __init__(self, age: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Let a stream begin at `age()`, in seconds since the pipeline began, or where the last one ended, if later."""
        self._age = age
        self._monotonic = monotonic
        self._rest = b""
        self._shift: int | None = None
        self._newest: int | None = None
        self._step = USUAL_STEP
        self._seen: dict[int, tuple[int, float]] = {}

    def restart(self) -> None:
        """Expect another stream."""
        self._rest = b""
        self._shift = None
        self._seen.clear()

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and return the whole packets of them; what is none is left out."""
        packets = bytearray(self._whole(self._rest + data))
        for position in _marked(packets):
            self._retime(packets, position)
        return bytes(packets)

    def _whole(self, data: bytes) -> bytes:
        size = len(data) - len(data) % PACKET_SIZE
        if data[:size:PACKET_SIZE].count(_SYNC) * PACKET_SIZE == size:
            self._rest = data[size:]
            return data[:size]
        parts, position = [], 0
        while position >= 0:
            end = _end_of_run(data, position)
            parts.append(data[position:end])
            self._rest = data[end:]
            if end + PACKET_SIZE > len(data):
                break
            position = _next_run(data, end + 1)
            self._rest = b""
        return b"".join(parts)

    def _retime(self, data: bytearray, position: int) -> None:
        """Shift what one packet says of time."""
        control, payload, end = data[position + 3], position + 4, position + PACKET_SIZE
        clock = 0
        if control & 0x20:
            length = data[position + 4]
            payload += 1 + length
            if length >= 7 and payload <= end and data[position + 5] & 0x10:
                clock = position + 6
        reference = _clock(data, clock) if clock else None
        stamps = _stamps(data, payload, end) if control & 0x10 and data[position + 1] & 0x40 else ()
        if stamps:
            pid = (data[position + 1] & 0x1F) << 8 | data[position + 2]
            self._follow(pid, _stamp(data, stamps[-1]), reference, video=data[payload + 3] & 0xF0 == 0xE0)
        elif reference is not None and self._shift is None:
            self._anchor(reference, self._monotonic())
        shift = self._shift or 0
        for stamp in stamps:
            _put_stamp(data, stamp, _stamp(data, stamp) + shift)
        if reference is not None:
            _put_clock(data, clock, reference + shift)

    def _follow(self, pid: int, stamp: int, reference: int | None, *, video: bool) -> None:
        """Take a stream's next time of decoding, and see whether its clock is still the same."""
        now = self._monotonic()
        begins = stamp if reference is None or (stamp - reference) % _WRAP > JUMP else reference
        if self._shift is None:
            self._anchor(begins, now)
        elif pid in self._seen:
            last, at = self._seen[pid]
            step = _signed(stamp + self._shift - last)
            if step < (0 if video else -BACK) or step - (now - at) * CLOCK_RATE > JUMP:
                self._anchor(begins, now)
            elif video and 0 < step <= LONGEST_STEP:
                self._step = step
        assert self._shift is not None
        out = (stamp + self._shift) % _WRAP
        self._seen[pid] = out, now
        if self._newest is None or _signed(out - self._newest) > 0:
            self._newest = out

    def _anchor(self, stamp: int, now: float) -> None:
        """Let what has this time stamp be now, or after all that was before."""
        due = round(self._age() * CLOCK_RATE)
        if self._newest is not None:
            due += max(0, _signed(self._newest + self._step - due))
        self._shift = due - stamp
        self._seen = {pid: (last, now) for pid, (last, _) in self._seen.items()}


def _marked(packets: bytearray) -> list[int]:
    """Return where packets stand that may say something of time; all at once, as most do not."""
    begins = int.from_bytes(packets[1::PACKET_SIZE].translate(_BEGINS), "little")
    adapted = int.from_bytes(packets[3::PACKET_SIZE].translate(_ADAPTED), "little")
    marks = (begins | adapted).to_bytes(len(packets) // PACKET_SIZE, "little")
    return [match.start() * PACKET_SIZE for match in _MARKED.finditer(marks)]


def _stamps(data: bytearray, position: int, end: int) -> tuple[int, ...]:
    """Return where in the PES header at `position` time stamps stand, that of decoding last."""
    if position + 9 > end or data[position : position + 3] != _PES_START:
        return ()
    if data[position + 3] in _WITHOUT_HEADER or data[position + 6] & 0xC0 != 0x80:
        return ()
    found = {2: (position + 9,), 3: (position + 9, position + 14)}.get(data[position + 7] >> 6, ())
    return found if not found or found[-1] + 5 <= min(end, position + 9 + data[position + 8]) else ()


def _stamp(data: bytearray, at: int) -> int:
    return (
        (data[at] >> 1 & 7) << 30
        | (data[at + 1] << 7 | data[at + 2] >> 1) << 15
        | data[at + 3] << 7
        | data[at + 4] >> 1
    )


def _put_stamp(data: bytearray, at: int, ticks: int) -> None:
    ticks %= _WRAP
    data[at] = data[at] & 0xF1 | ticks >> 29 & 0x0E
    data[at + 1] = ticks >> 22 & 0xFF
    data[at + 2] = ticks >> 14 & 0xFE | 1
    data[at + 3] = ticks >> 7 & 0xFF
    data[at + 4] = ticks << 1 & 0xFE | 1


def _clock(data: bytearray, at: int) -> int:
    """Return the part of a clock reference that counts in time stamps' ticks."""
    return int.from_bytes(data[at : at + 4], "big") << 1 | data[at + 4] >> 7


def _put_clock(data: bytearray, at: int, ticks: int) -> None:
    ticks %= _WRAP
    data[at : at + 4] = (ticks >> 1).to_bytes(4, "big")
    data[at + 4] = data[at + 4] & 0x7F | (ticks & 1) << 7


def _end_of_run(data: bytes, position: int) -> int:
    while position + PACKET_SIZE <= len(data) and data[position] == _SYNC:
        position += PACKET_SIZE
    return position


def _next_run(data: bytes, position: int) -> int:
    """Return where packets begin again: a sync byte, and another one a packet on, as far as there is one; or -1."""
    found = data.find(_SYNC, position)
    while 0 <= found < len(data) - PACKET_SIZE and data[found + PACKET_SIZE] != _SYNC:
        found = data.find(_SYNC, found + 1)
    return found


def _signed(ticks: int) -> int:
    return (ticks + _WRAP // 2) % _WRAP - _WRAP // 2
