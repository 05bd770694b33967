"""The ring as HLS needs it: durations that keep their promise, breaks that are marked, numbers that only rise."""

from __future__ import annotations

import pytest

from custom_components.tripod.engine.feed import PacketFeed
from custom_components.tripod.engine.mpegts import Parser
from tests.engine.media import mpegts

GOP_OF_ONE = ("-g", "15")
GOP_OF_THREE = ("-g", "45")
NO_B_FRAMES = ("-bf", "0")


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def fill(feed: PacketFeed, stream: bytes, clock: Clock | None = None) -> None:
    """Publish a stream frame by frame, in its own time."""
    last: int | None = None
    for chunk in Parser().feed(stream):
        if clock and chunk.pts is not None:
            clock.now += max(0, chunk.pts - (chunk.pts if last is None else last)) / 90_000
            last = chunk.pts
        feed.publish(chunk.data)


def stream(*options: str, seconds: float = 8) -> bytes:
    return mpegts(*NO_B_FRAMES, *options, seconds=seconds)


def test_a_longer_gop_is_cut_before_it_rounds_up_beyond_the_target_duration() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_ONE, seconds=3))
    assert feed.hold_target_duration() == 1
    feed.restart()
    fill(feed, stream(*GOP_OF_THREE, seconds=12))
    assert max(segment.duration for segment in feed.complete) < 1.5
    assert not all(segment.key for segment in feed.complete)


@pytest.mark.parametrize("rate", [2, 3, 5, 8])
def test_a_slow_stream_is_cut_early_enough(rate: int) -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_ONE, seconds=3))
    assert feed.hold_target_duration() == 1
    feed.restart()
    fill(feed, stream("-r", str(rate), "-g", str(rate * 4), seconds=12))
    assert max(segment.duration for segment in feed.complete) < 1.5


def test_a_key_frame_ends_a_segment_that_began_without_one() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_ONE, seconds=3))
    feed.hold_target_duration()
    feed.restart()
    before = len(feed.complete)
    fill(feed, stream("-force_key_frames", "expr:gte(t,n_forced*1.6)", "-g", "999", seconds=8))
    keys = [segment.key for segment in feed.complete[before:]]
    assert keys[:4] == [True, False, True, False]


def test_the_target_duration_holds_until_it_is_released() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_THREE, seconds=7))
    assert feed.hold_target_duration() == 3
    feed.restart()
    fill(feed, stream(*GOP_OF_ONE))
    assert feed.hold_target_duration() == 3
    feed.release_target_duration()
    feed.clear()
    fill(feed, stream(*GOP_OF_ONE))
    assert feed.hold_target_duration() == 1


def test_the_ring_keeps_what_a_playlist_may_still_name() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=2, clock=clock, monotonic=clock)
    fill(feed, stream(*GOP_OF_ONE), clock)
    assert len(feed.complete) <= 3
    feed.hold_target_duration()
    fill(feed, stream(*GOP_OF_ONE, "-output_ts_offset", "8", seconds=14), clock)
    assert len(feed.complete) >= 9


def test_a_hole_in_time_is_a_discontinuity() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_ONE, seconds=4))
    feed.hold_target_duration()
    fill(feed, stream(*GOP_OF_ONE, "-output_ts_offset", "30", seconds=4))
    assert [segment.discontinuity for segment in feed.segments].count(True) == 1
    assert max(segment.duration for segment in feed.complete) < 1.5


def test_a_clock_that_goes_back_is_a_discontinuity() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, stream(*GOP_OF_ONE, "-output_ts_offset", "30", seconds=4))
    fill(feed, stream(*GOP_OF_ONE, seconds=4))
    assert [segment.discontinuity for segment in feed.segments].count(True) == 1


def test_numbers_begin_where_they_are_told_to() -> None:
    feed = PacketFeed(first_sequence=1_800_000_000)
    feed.restart()
    fill(feed, stream(*GOP_OF_ONE, seconds=3))
    assert feed.segments[0].sequence == 1_800_000_000
    assert not feed.segments[0].discontinuity
    feed.restart()
    fill(feed, stream(*GOP_OF_ONE, seconds=3))
    assert [segment.sequence - 1_800_000_000 for segment in feed.segments] == list(range(len(feed.segments)))
    assert [segment.discontinuity for segment in feed.segments].count(True) == 1


async def test_a_reader_counts_frames() -> None:
    feed = PacketFeed(keep_seconds=60)
    reader = feed.reader()
    fill(feed, stream(*GOP_OF_ONE, seconds=2))
    reader = feed.reader(pre_roll=60)
    while await reader.next(0) is not None:
        pass
    assert reader.frames == feed.frames


def test_parameters_that_make_no_sense_leave_the_size_open() -> None:
    feed = PacketFeed()
    fill(feed, stream(*GOP_OF_ONE, seconds=2))
    assert feed.picture_size == (320, 240)
    feed.parser.sps = b"\x67\xff"
    assert feed.picture_size is None
