"""A recorder's place in the ring: nothing is skipped, nothing is cut, and memory has a limit."""

from __future__ import annotations

from functools import cache

import pytest

from custom_components.tripod.engine.feed import Backlog, PacketFeed, Piece
from custom_components.tripod.engine.mpegts import Parser

from .media import decoded_frames, mpegts

EVERYTHING = 1 << 30
FRAMES = 8 * 15
STREAM = mpegts("-bf", "0", seconds=8)
SHORT_GOPS = mpegts("-bf", "0", "-g", "5", seconds=4)


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def play(feed: PacketFeed, clock: Clock, stream: bytes = STREAM, *, frames: slice = slice(None)) -> None:
    """Publish a part of the stream as if it came live; each frame in two pieces."""
    for frame in cut(stream)[frames]:
        half = len(frame) // 376 * 188
        feed.publish(frame[:half])
        feed.publish(frame[half:])
        clock.now += 1 / 15


@cache
def cut(stream: bytes) -> list[bytes]:
    """Return the stream's frames."""
    return [chunk.data for chunk in Parser().feed(stream)]


def frames(pieces: list[Piece]) -> int:
    return sum(chunk.starts_frame for piece in pieces for chunk in piece.chunks)


def data(pieces: list[Piece]) -> bytes:
    return b"".join(chunk.data for piece in pieces for chunk in piece.chunks)


def test_nothing_is_skipped_that_the_ring_has_let_go_of(clock: Clock) -> None:
    feed = PacketFeed(keep_seconds=2, monotonic=clock)
    with feed.backlog() as backlog:
        play(feed, clock)
        assert len(feed.segments) < 5
        pieces = backlog.take(EVERYTHING)
        assert not backlog.take(EVERYTHING)
    assert frames(pieces) == decoded_frames(data(pieces)) == FRAMES - 1
    assert [piece.broken for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert backlog.lost == 0
    feed.restart()
    play(feed, clock)
    assert not backlog.take(EVERYTHING)  # who has left keeps nothing


@pytest.mark.parametrize("size", [1, 5_000, 50_000])
def test_only_whole_frames_are_taken_however_little_at_a_time(clock: Clock, size: int) -> None:
    feed = PacketFeed(keep_seconds=2, monotonic=clock)
    pieces: list[Piece] = []
    with feed.backlog() as backlog:
        for number in range(0, FRAMES, 7):
            play(feed, clock, frames=slice(number, number + 7))
            for piece in (taken := backlog.take(size)):
                assert piece.chunks[0].starts_frame
                assert piece.chunks[-1] is not feed.segments[-1].chunks[-1]
            pieces += taken
        while taken := backlog.take(size):
            pieces += taken
    assert frames(pieces) == decoded_frames(data(pieces)) == FRAMES - 1


def test_frame_that_a_restart_cut_off_is_left_out(clock: Clock) -> None:
    feed = PacketFeed(keep_seconds=60, monotonic=clock)
    with feed.backlog() as backlog:
        play(feed, clock, frames=slice(0, 20))
        feed.restart()
        clock.now += 3
        play(feed, clock, frames=slice(30, 50))
        pieces = backlog.take(EVERYTHING)
    assert frames(pieces) == 19 + 19
    assert [piece.broken for piece in pieces].count(True) == 2
    assert all(piece.chunks[0].key for piece in pieces if piece.broken)


def test_what_memory_does_not_hold_is_given_up_and_counted(clock: Clock) -> None:
    limit = len(STREAM) // 4
    feed = PacketFeed(keep_seconds=1, keep_bytes=limit, monotonic=clock)
    with feed.backlog(limit=limit) as backlog:
        play(feed, clock, frames=slice(0, 20))
        taken = backlog.take(EVERYTHING)
        play(feed, clock, frames=slice(20, None))
        kept = sum(segment.size for segment in backlog._segments if segment.overtaken)
        assert 0 < kept <= limit
        later = backlog.take(EVERYTHING)
    assert backlog.lost == pytest.approx((FRAMES - 1 - frames(taken) - frames(later)) / 15, abs=0.15)
    assert backlog.lost > 2
    assert later[0].broken
    assert later[0].chunks[0].key
    assert decoded_frames(data(later)) == frames(later)


@pytest.mark.parametrize("ago", [0.0, 0.2, 0.5, 1.0, 1.9, 2.5])
def test_it_begins_at_the_last_key_frame_before_the_asked_second(clock: Clock, ago: float) -> None:
    feed = PacketFeed(keep_seconds=60, monotonic=clock)
    began = clock.now
    play(feed, clock, SHORT_GOPS)
    with feed.backlog(ago) as backlog:
        (first, *_) = backlog.take(EVERYTHING)
    at = first.segment.time_of(first.chunks[0])
    assert first.chunks[0].key
    assert clock.now - ago - 5 / 15 - 0.001 <= at <= clock.now - ago
    assert at == pytest.approx(began + (first.chunks[0].pts or 0) / 90_000 - feed.segments[0].pts / 90_000)


def test_those_who_are_behind_share_their_memory(clock: Clock) -> None:
    feed = PacketFeed(keep_seconds=1, monotonic=clock)
    with feed.backlog() as one, feed.backlog() as other:
        play(feed, clock)
        pairs = zip(one.take(EVERYTHING), other.take(EVERYTHING), strict=True)
        assert all(mine is yours for a, b in pairs for mine, yours in zip(a.chunks, b.chunks, strict=True))


def test_nothing_is_kept_before_the_first_key_frame(clock: Clock) -> None:
    feed = PacketFeed(monotonic=clock)
    with feed.backlog(5) as backlog:
        play(feed, clock, frames=slice(3, 14))
        assert not backlog.take(EVERYTHING)
        play(feed, clock, frames=slice(14, 25))
        assert backlog.take(EVERYTHING)[0].chunks[0].key


def test_empty_backlog_has_nothing() -> None:
    assert not Backlog([], 0).take(EVERYTHING)
