"""What RFC 8216 demands of playlists, as assertions over all that one player saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
import re

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)')


@dataclass(frozen=True)
class Entry:
    """One media segment as a playlist describes it."""

    sequence: int
    discontinuity_sequence: int
    uri: str
    duration: float
    discontinuity: bool
    date: datetime | None


@dataclass
class MediaPlaylist:
    target: int
    version: int
    sequence: int
    discontinuity_sequence: int
    independent: bool
    start: dict[str, str]
    entries: list[Entry] = field(default_factory=list)

    @property
    def duration(self) -> float:
        return sum(entry.duration for entry in self.entries)


def attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def media(text: str) -> MediaPlaylist:
    """Read a media playlist strictly."""
    lines = _lines(text)
    tags = [line.partition(":") for line in lines if line.startswith("#")]
    once = {name: value for name, _, value in tags}
    for name in ("#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-VERSION"):
        assert sum(tag == name for tag, _, _ in tags) == 1, name  # 4.3.3: not more than one of each
    assert "#EXT-X-STREAM-INF" not in once  # 4.1: not both kinds in one
    assert "#EXT-X-ENDLIST" not in once
    playlist = MediaPlaylist(
        target=int(once["#EXT-X-TARGETDURATION"]),
        version=int(once["#EXT-X-VERSION"]),
        sequence=int(once["#EXT-X-MEDIA-SEQUENCE"]),
        discontinuity_sequence=int(once["#EXT-X-DISCONTINUITY-SEQUENCE"]),
        independent="#EXT-X-INDEPENDENT-SEGMENTS" in once,
        start=attributes(once.get("#EXT-X-START", "")),
    )
    _read_entries(playlist, lines)
    _check(playlist)
    return playlist


def _lines(text: str) -> list[str]:
    assert text.startswith("#EXTM3U\n")  # 4.3.1.1
    assert text.endswith("\n")
    assert "\r" not in text
    assert "\ufeff" not in text
    return text.splitlines()


def _read_entries(playlist: MediaPlaylist, lines: list[str]) -> None:
    breaks, broken, duration, date = playlist.discontinuity_sequence, False, None, None
    for line in lines:
        if line == "#EXT-X-DISCONTINUITY":
            broken, breaks = True, breaks + 1
        elif line.startswith("#EXTINF:"):
            duration = float(line.removeprefix("#EXTINF:").rstrip(","))
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            date = datetime.fromisoformat(line.partition(":")[2])
        elif not line.startswith("#"):
            assert duration is not None, "4.3.2.1: EXTINF is required for each segment"
            sequence = playlist.sequence + len(playlist.entries)
            playlist.entries.append(Entry(sequence, breaks, line, duration, broken, date))
            broken, duration, date = False, None, None
    assert duration is None
    assert not broken


def _check(playlist: MediaPlaylist) -> None:
    assert playlist.entries
    assert playlist.version >= 3  # 4.3.2.1: decimal durations
    for entry in playlist.entries:
        assert int(entry.duration + 0.5) <= playlist.target  # 4.3.3.1
        assert entry.duration > 0
        assert entry.date is not None
        assert entry.date.tzinfo is not None  # 4.3.2.6: should tell the time zone
    if offset := playlist.start.get("TIME-OFFSET"):
        assert abs(float(offset)) <= playlist.duration + 0.001  # 4.3.5.2
    assert [e.date for e in playlist.entries] == sorted(e.date for e in playlist.entries if e.date)


def sequence(playlists: list[MediaPlaylist]) -> None:
    """Check what must hold from one playlist to the next (6.2.1, 6.2.2)."""
    known: dict[int, Entry] = {}
    for before, after in zip([None, *playlists], playlists, strict=False):
        for entry in after.entries:
            assert known.setdefault(entry.sequence, entry) == entry, "a segment has one number and one description"
        if before is None:
            continue
        assert after.target == before.target  # must not change
        assert after.sequence >= before.sequence
        assert after.discontinuity_sequence >= before.discontinuity_sequence
        assert after.entries[-1].sequence >= before.entries[-1].sequence
        if after.sequence > before.sequence:
            assert after.duration >= 3 * after.target  # 6.2.2: nothing is removed before


def master(text: str) -> tuple[dict[str, str], str]:
    """Read a master playlist with one variant; return its attributes and URI."""
    lines = _lines(text)
    assert not any(line.startswith(("#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE")) for line in lines)
    variants = [index for index, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:")]
    assert len(variants) == 1
    found = attributes(lines[variants[0]].partition(":")[2])
    assert found["BANDWIDTH"].isdigit()  # 4.3.4.2: required
    return found, lines[variants[0] + 1]
