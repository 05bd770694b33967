"""JPEGs in Matroska, for ffmpeg to read each with its own time at once.

ffmpeg's other ways to take JPEGs from a pipe hold one back (`mjpeg`), or count time in steps of 40 ms (`mpjpeg`).
Facts: RFC 9559 (elements), RFC 8794 (EBML: identifiers, sizes).
"""

from __future__ import annotations

TICK = 100_000
"""Nanoseconds: times are told in tenths of a millisecond."""

_TYPICAL = 40_000_000
"""Nanoseconds that a picture is said to last. Without it ffmpeg takes a thousand pictures a second for granted, and the
encoder leaves each so few bits that black turned grey; a rate that is not quite right matters little."""

_UNKNOWN_SIZE = b"\xff"
_SIMPLE_BLOCK = b"\x81\x00\x00\x80"
"""Track 1, at the cluster's own time, a key frame."""


def header(width: int, height: int) -> bytes:
    """Return what stands before the first picture."""
    ebml = (
        _number("4286", 1)  # EBMLVersion
        + _number("42F7", 1)  # EBMLReadVersion
        + _number("42F2", 4)  # EBMLMaxIDLength
        + _number("42F3", 8)  # EBMLMaxSizeLength
        + _element("4282", b"matroska")  # DocType
        + _number("4287", 4)  # DocTypeVersion
        + _number("4285", 2)  # DocTypeReadVersion
    )
    track = (
        _number("D7", 1)  # TrackNumber
        + _number("73C5", 1)  # TrackUID
        + _number("83", 1)  # TrackType: video
        + _number("23E383", _TYPICAL)  # DefaultDuration
        + _element("86", b"V_MJPEG")  # CodecID
        + _element("E0", _number("B0", width) + _number("BA", height))  # Video: PixelWidth, PixelHeight
    )
    return (
        _element("1A45DFA3", ebml)
        + bytes.fromhex("18538067")  # Segment
        + _UNKNOWN_SIZE
        + _element("1549A966", _number("2AD7B1", TICK))  # Info: TimestampScale
        + _element("1654AE6B", _element("AE", track))  # Tracks: TrackEntry
    )


def picture(jpeg: bytes, seconds: float) -> bytes:
    """Return a picture, as a cluster of its own, at so many seconds from the beginning."""
    time = _number("E7", round(seconds * 1e9 / TICK))  # Timestamp
    return _element("1F43B675", time + _element("A3", _SIMPLE_BLOCK + jpeg))  # Cluster: SimpleBlock


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(8, "big"))


def _element(identifier: str, data: bytes) -> bytes:
    return bytes.fromhex(identifier) + (len(data) | 1 << 56).to_bytes(8, "big") + data
