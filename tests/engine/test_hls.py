"""Playlists of streams that do not make it easy, checked after each frame."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from custom_components.tripod.engine.errors import FormatNotSupported
from custom_components.tripod.engine.feed import PacketFeed
from custom_components.tripod.engine.hls import find_segment, master_playlist, media_playlist, playable
from custom_components.tripod.engine.mpegts import CLOCK_RATE, Parser
from tests.engine.media import mpegts
from tests.engine.web import rfc8216

START = 1_800_000_000.0


class Clock:
    """Unix time that the streams move."""

    now = START

    def __call__(self) -> float:
        return self.now


def played(*streams: Sequence[str]) -> tuple[PacketFeed, list[rfc8216.MediaPlaylist]]:
    """Feed workers' streams one after the other; return the feed and every playlist that a player could have seen."""
    clock, playlists = Clock(), []
    feed = PacketFeed(keep_seconds=12, first_sequence=int(START), clock=clock, monotonic=clock)
    for number, options in enumerate(streams):
        feed.restart()
        offset = f"{number * 13}"  # away for a second
        for chunk in Parser().feed(mpegts("-bf", "0", *options, "-output_ts_offset", offset, seconds=12)):
            if chunk.pts is not None:
                clock.now = START + chunk.pts / CLOCK_RATE
            feed.publish(chunk.data)
            if feed.complete:
                playlists.append(rfc8216.media(media_playlist(feed)))
    return feed, playlists


@pytest.mark.parametrize(
    "streams",
    [
        [("-g", "15")],
        [("-g", "30")],
        [("-g", "15"), ("-g", "15")],
        [("-g", "15"), ("-g", "60")],
        [("-g", "999", "-force_key_frames", "expr:gte(t,n_forced*1.6)")],
        [("-g", "15"), ("-g", "999", "-force_key_frames", "expr:gte(t,n_forced*1.6)"), ("-g", "15")],
        [("-g", "15"), ("-r", "3", "-g", "12")],
        [("-g", "15"), ("-g", "999", "-force_key_frames", "0,0.2,0.5,1.9,2,5,5.3,5.5,9")],
    ],
)
def test_what_rfc_8216_demands_holds_at_every_moment(streams: list[tuple[str, ...]]) -> None:
    feed, playlists = played(*streams)
    rfc8216.sequence(playlists)
    assert [entry.sequence for entry in playlists[-1].entries] == [s.sequence for s in feed.complete][
        -len(playlists[-1].entries) :
    ]
    seen = {entry.sequence: entry for playlist in playlists for entry in playlist.entries}
    assert sorted(seen) == list(range(int(START), int(START) + len(seen)))
    assert [entry.discontinuity for entry in seen.values()].count(True) == len(streams) - 1
    for playlist in playlists:
        first = find_segment(feed, playlist.entries[0].sequence)
        assert first is None or first.key or first.sequence == feed.segments[0].sequence
        independent = [found.key for e in playlist.entries if (found := find_segment(feed, e.sequence))]
        assert not playlist.independent or all(independent)


def test_a_segment_stays_as_long_as_a_playlist_that_named_it_lasted() -> None:
    feed, playlists = played(("-g", "15"))
    newest = playlists[-1].entries[-1].sequence
    assert len(playlists[-1].entries) == 4
    for back in range(9):
        assert find_segment(feed, newest - back) is not None
    assert find_segment(feed, newest + 1) is None  # it is not complete
    assert find_segment(feed, newest + 99) is None


def test_a_player_begins_where_it_will_not_wait() -> None:
    _, playlists = played(("-g", "15"))
    assert [playlist.start["TIME-OFFSET"] for playlist in (playlists[0], playlists[-1])] == ["-1.000", "-1.400"]
    _, playlists = played(("-g", "30"))
    assert playlists[-1].start == {"TIME-OFFSET": "-2.400", "PRECISE": "YES"}


def test_nothing_is_playable_before_a_whole_segment() -> None:
    feed = PacketFeed()
    assert not playable(feed)
    feed.publish(mpegts("-g", "15", "-bf", "0", seconds=0.5))
    assert not playable(feed)


def test_parameters_that_make_no_sense_are_said_to() -> None:
    feed, _ = played(("-g", "15"))
    assert playable(feed)
    feed.parser.sps = b"\x67\xff"
    with pytest.raises(FormatNotSupported):
        master_playlist(feed, "media.m3u8")
