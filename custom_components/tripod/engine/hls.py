"""HLS as slices of the ring: playlists and segments, stateless.

The media sequence is the segment's own number, so every playlist of a camera agrees with every other, whoever asks.
After an absence that outlasts the ring a playlist begins anew with what is live: RFC 8216, 6.2.2 would have the old
segments stay until there are enough new ones, and a player that begins then would show the past.
Facts: RFC 8216.
"""

from __future__ import annotations

from datetime import UTC, datetime

from .errors import FormatNotSupported
from .feed import PacketFeed, Segment
from .h264 import SequenceParameters

LISTED = 4
"""Complete segments in a playlist, at least: the fourth forgives a player that polls late."""

LISTED_TARGETS = 3
"""Target durations that a playlist lasts, at least (RFC 8216, 6.2.2)."""

START_BEHIND = 0.8
"""Target durations of whole segments, at least, that a player shall have before it when it begins."""

START_INTO = 0.4
"""Seconds of one more segment: hls.js before 1.0 skips a segment that it would need the last 0.25 s of, and hangs."""

AUDIO_CODECS = {"aac": "mp4a.40.2", "mp3": "mp4a.40.34"}
"""RFC 6381 names by ffmpeg's, of the audio that browsers play."""

HEADROOM = 1.25
"""How much more than the busiest segment so far is declared as peak bit rate, which no segment should exceed."""


def playable(feed: PacketFeed) -> bool:
    """Tell whether a player can begin: a whole segment is there, and it is known what it holds."""
    return bool(feed.parser.sps) and any(segment.key for segment in feed.complete)


def master_playlist(feed: PacketFeed, media_uri: str) -> str:
    """Return a playlist that tells a player what it needs before it takes the one at `media_uri`.

    The feed must be `playable`; raises `FormatNotSupported` where its parameters make no sense.
    """
    try:
        parameters = SequenceParameters.parse(feed.parser.sps or b"")
    except ValueError as error:
        raise FormatNotSupported(str(error)) from error
    codecs = [parameters.codec]
    if audio := AUDIO_CODECS.get(feed.parser.audio_codec or ""):
        codecs.append(audio)
    segments = [segment for segment in feed.complete if segment.duration > 0]
    rates = [segment.size * 8 / segment.duration for segment in segments]
    frames, seconds = sum(segment.frames for segment in segments), sum(segment.duration for segment in segments)
    attributes = {
        "BANDWIDTH": str(int(max(rates, default=1.0) * HEADROOM)),
        "AVERAGE-BANDWIDTH": str(int(sum(rates) / len(rates)) if rates else 1),
        "CODECS": f'"{",".join(codecs)}"',
        "RESOLUTION": f"{parameters.width}x{parameters.height}",
        "FRAME-RATE": f"{frames / seconds if seconds else 1:.3f}",
    }
    listed = ",".join(f"{name}={value}" for name, value in attributes.items())
    return f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:{listed}\n{media_uri}\n"


def media_playlist(feed: PacketFeed) -> str:
    """Return the playlist of the newest complete segments, of which there must be one; their URIs are relative."""
    target = feed.hold_target_duration()
    segments = _listed(feed, target)
    first = segments[0]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{target}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.discontinuities - first.discontinuity}",
        f"#EXT-X-START:TIME-OFFSET=-{_start(segments, target):.3f},PRECISE=YES",
    ]
    if all(segment.key for segment in segments):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    for segment in segments:
        lines += _entry(segment)
    return "\n".join(lines) + "\n"


def find_segment(feed: PacketFeed, sequence: int) -> Segment | None:
    """Return the complete segment with this number, listed or not any more, as long as the ring holds it."""
    for segment in feed.segments:
        if segment.sequence == sequence:
            return segment if segment.complete else None
    return None


def _listed(feed: PacketFeed, target: int) -> list[Segment]:
    """Return the newest segments, from a key frame on where one is left: a player cannot begin elsewhere."""
    complete = feed.complete
    begin = max(0, len(complete) - LISTED)
    while begin > 0 and (_seconds(complete[begin:]) < LISTED_TARGETS * target or not complete[begin].key):
        begin -= 1
    return complete[begin:]


def _start(segments: list[Segment], target: int) -> float:
    """Return how many seconds before the end a player shall begin: soon done, and never near a segment's end."""
    behind = 0.0
    for segment in reversed(segments):
        if behind >= START_BEHIND * target:
            return behind + min(START_INTO, segment.duration / 2)
        behind += segment.duration
    return behind  # an offset beyond the beginning is not allowed


def _entry(segment: Segment) -> list[str]:
    began = datetime.fromtimestamp(segment.started_at, UTC).isoformat(timespec="milliseconds")
    return [
        *(["#EXT-X-DISCONTINUITY"] if segment.discontinuity else []),
        f"#EXT-X-PROGRAM-DATE-TIME:{began.replace('+00:00', 'Z')}",
        f"#EXTINF:{segment.duration:.5f},",
        f"{segment.sequence}.ts",
    ]


def _seconds(segments: list[Segment]) -> float:
    return sum(segment.duration for segment in segments)
