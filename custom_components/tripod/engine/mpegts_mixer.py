"""Put sound beside the video of an MPEG-TS stream: packets of two workers in one stream.

A muxer that has both waits for the one that is late: ffmpeg 5 held each picture back by 90 ms, whatever its options,
and by more where the sound was later. Here video passes at once, and the sound that is there goes with it.
"""

from __future__ import annotations

from collections.abc import Callable

from .mpegts import PACKET_SIZE
from .psi import NO_PID, PAT_PID, ProgramTables, with_stream

AAC = 0x0F
"""Stream type of AAC in ADTS frames (ISO/IEC 13818-1, table 2-34)."""

AUDIO_PID = 0x120
"""The sound's PID: none that ffmpeg gives to video or tables, which begin at 0x100 and 0x1000."""

_MOST = 256 * PACKET_SIZE
"""Bytes of sound kept while no video comes: some seconds."""


class Mixer:
    """One stream out of a video stream and an audio stream, both whole packets from their first byte on."""

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        """Give the mixed stream to `deliver`."""
        self._deliver = deliver
        self._tables = ProgramTables()
        self._announced: tuple[bytes, bytes] | None = None
        self._video_rest = b""
        self._audio_rest = b""
        self._audio = bytearray()

    def video(self, data: bytes) -> None:
        """Take the next bytes of the video's stream, cut anywhere, and deliver what is whole."""
        data, self._video_rest = _whole(self._video_rest + data)
        if not data:
            return
        data = self._announce(data)
        if self._announced:
            # in front: a frame begins with the video, and sound that is older belongs to what came before
            data = bytes(self._audio) + data
            self._audio.clear()
        self._deliver(data)

    def audio(self, data: bytes) -> None:
        """Take the next bytes of a stream that has audio at `AUDIO_PID`; it goes with the next video."""
        data, self._audio_rest = _whole(self._audio_rest + data)
        for offset in range(0, len(data), PACKET_SIZE):
            if (data[offset + 1] & 0x1F) << 8 | data[offset + 2] == AUDIO_PID:
                self._audio += data[offset : offset + PACKET_SIZE]
        del self._audio[: max(0, len(self._audio) - _MOST)]

    def restart_audio(self) -> None:
        """Expect another worker's audio."""
        self._audio_rest = b""

    def _announce(self, data: bytes) -> bytes:
        """Name the sound in the program's table."""
        for offset in _starts(data, PAT_PID):
            self._tables.read(PAT_PID, data[offset : offset + PACKET_SIZE])
        if self._tables.pmt_pid == NO_PID:
            return data
        for offset in _starts(data, self._tables.pmt_pid):
            end = offset + PACKET_SIZE
            data = data[:offset] + self._with_audio(data[offset:end]) + data[end:]
        return data

    def _with_audio(self, packet: bytes) -> bytes:
        if self._announced is None or self._announced[0] != packet[4:]:
            self._announced = packet[4:], with_stream(packet, AAC, AUDIO_PID)[4:]
        return packet[:4] + self._announced[1]


def _whole(data: bytes) -> tuple[bytes, bytes]:
    """Part whole packets from the rest."""
    size = len(data) - len(data) % PACKET_SIZE
    return data[:size], data[size:]


def _starts(data: bytes, pid: int) -> list[int]:
    """Return where packets stand in which a table with `pid` begins."""
    mark = bytes((0x47, 0x40 | pid >> 8, pid & 0xFF))
    found = []
    offset = data.find(mark)
    while offset >= 0:
        if offset % PACKET_SIZE == 0:
            found.append(offset)
        offset = data.find(mark, offset + 1)
    return found
