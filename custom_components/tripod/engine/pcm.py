"""Sound as one unbroken run of samples, made of what comes when it comes.

Audio here is always the same: 16 bits, little endian, one channel, 48 kHz. Video has a time stamp on each picture; PCM
has none, and a sample's time is its place in the run. So silence stands where nothing came, and what comes too late is
left out.
"""

from __future__ import annotations

RATE = 48_000
"""Samples per second: what every USB microphone has, and AAC's usual rate."""

SAMPLE_BYTES = 2

LAG = 0.3
"""Seconds that a microphone may be late, on a machine that is busy, before silence takes its place."""

TOLERANCE = 0.04
"""Seconds by which samples may be misplaced before they are moved, which is heard as a click."""

MOST = 1.0
"""Seconds of sound kept while the encoder does not take it."""


class Timeline:
    """A run of samples that begins at one moment and goes on for ever."""

    def __init__(self, began: float) -> None:
        """Begin at `began`, by the monotonic clock, as all moments here."""
        self._began = began
        self._position = 0  # samples up to the end of what is pending
        self._pending = bytearray()
        self._torn = b""
        self._came = 0
        self._anchor: int | None = None

    def restart(self) -> None:
        """Expect the samples of another capture."""
        self._torn = b""
        self._came = 0
        self._anchor = None

    def add(self, pcm: bytes, now: float) -> None:
        """Take samples that came now, cut anywhere."""
        pcm = self._torn + pcm
        samples = len(pcm) // SAMPLE_BYTES
        self._torn = pcm[samples * SAMPLE_BYTES :]
        self._came += samples
        # Samples come late or in time, never early: where this capture begins, the least delay so far tells best.
        anchor = self._place(now) - self._came
        self._anchor = anchor if self._anchor is None else min(self._anchor, anchor)
        gap = self._anchor + self._came - samples - self._position
        if len(self._pending) + (max(gap, 0) + samples) * SAMPLE_BYTES > MOST * RATE * SAMPLE_BYTES:
            return
        if gap > TOLERANCE * RATE:
            self._append(bytes(gap * SAMPLE_BYTES))
        elif gap < -TOLERANCE * RATE:
            pcm = pcm[-gap * SAMPLE_BYTES :]
        self._append(pcm[: len(pcm) - len(pcm) % SAMPLE_BYTES])

    def read(self, now: float, lag: float = LAG) -> bytes:
        """Return what is to be played next, with silence where nothing came for `lag` seconds."""
        behind = self._place(now) - self._position
        if behind > lag * RATE:
            self._append(bytes(int(min(behind, MOST * RATE)) * SAMPLE_BYTES))
            self._anchor = None
        pcm = bytes(self._pending)
        self._pending.clear()
        return pcm

    def _place(self, now: float) -> int:
        return int((now - self._began) * RATE)

    def _append(self, pcm: bytes) -> None:
        self._pending += pcm
        self._position += len(pcm) // SAMPLE_BYTES
