"""Fan-out: what each reader gets, what it costs, and what it cannot do to others."""

import asyncio
from collections.abc import Iterator

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.feed import FrameFeed, PacketFeed
from custom_components.tripod.engine.h264 import SequenceParameters
from custom_components.tripod.engine.mpegts import PACKET_SIZE, Parser

from .media import TESTSRC, X264, decoded_frames, ffmpeg, jpegs, mpegts

GOP_OF_A_SECOND = mpegts(seconds=8)


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def by_frame(stream: bytes) -> Iterator[bytes]:
    """Yield the stream frame by frame."""
    for chunk in Parser().feed(stream):
        yield chunk.data


def fill(feed: PacketFeed, clock: Clock, stream: bytes, rate: float = 15) -> None:
    """Publish the stream as if it came live."""
    for data in by_frame(stream):
        feed.publish(data)
        clock.now += 1 / rate


async def drain(reader: object) -> bytes:
    data = b""
    while part := await reader.next(0.01):  # type: ignore[attr-defined]
        data += part
    return data


async def test_frame_reader_gets_the_newest_and_counts_the_missed() -> None:
    feed = FrameFeed()
    reader = feed.reader()
    for picture in (b"a", b"b", b"c"):
        feed.publish(picture)
    frame = await reader.next()
    assert frame is not None
    assert (frame.data, frame.sequence, reader.dropped) == (b"c", 3, 2)
    assert await reader.next(0.01) is None


async def test_late_frame_reader_begins_with_the_newest_frame() -> None:
    feed = FrameFeed()
    feed.publish(b"a")
    frame = await feed.reader().next(1)
    assert frame is not None
    assert frame.data == b"a"


async def test_each_reader_sees_each_frame_once() -> None:
    feed = FrameFeed()
    readers = [feed.reader() for _ in range(3)]
    for number in range(5):
        waiting = [asyncio.create_task(reader.next(1)) for reader in readers]
        await asyncio.sleep(0)
        feed.publish(b"%d" % number)
        frames = await asyncio.gather(*waiting)
        assert [frame.data for frame in frames if frame] == [b"%d" % number] * 3


@pytest.mark.parametrize(("rate", "expected"), [(25, 100), (10, 40), (5, 20), (1, 4), (60, 100)])
async def test_frame_reader_keeps_to_its_rate(rate: float, expected: int) -> None:
    feed = FrameFeed()
    reader = feed.reader(max_rate=rate)
    got = 0
    for number in range(100):
        feed.publish(b"x", captured_at=1000 + number / 25 + (number % 3) * 0.003)
        got += await reader.next(0) is not None
    assert abs(got - expected) <= 1 + expected * 0.05


async def test_interrupt_lets_readers_look_up_once() -> None:
    feed = FrameFeed()
    reader = feed.reader()
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    feed.interrupt()
    assert await asyncio.wait_for(waiting, 1) is None
    feed.publish(b"a")
    assert await asyncio.wait_for(reader.next(), 1) is not None


async def test_closing_ends_every_reader() -> None:
    frames, packets = FrameFeed(), PacketFeed()
    ends = [
        asyncio.create_task(anext(frames.reader(), None)),
        asyncio.create_task(anext(packets.reader(), None)),
    ]
    await asyncio.sleep(0)
    frames.close()
    packets.close()
    assert await asyncio.wait_for(asyncio.gather(*ends), 1) == [None, None]


async def test_cleared_feed_hands_out_nothing() -> None:
    feed = FrameFeed()
    feed.publish(b"a")
    feed.clear()
    assert feed.latest is None
    assert await feed.reader().next(0.01) is None


async def test_segments_are_whole_gops_of_a_second() -> None:
    feed = PacketFeed()
    fill(feed, Clock(), GOP_OF_A_SECOND)
    assert [segment.sequence for segment in feed.segments] == list(range(8))
    assert all(segment.key for segment in feed.segments)
    assert [round(segment.duration, 2) for segment in feed.complete] == [1.0] * 7
    for segment in feed.segments:
        assert decoded_frames(segment.data) == 15


async def test_short_gops_share_a_segment() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    fill(feed, clock, mpegts("-g", "3"))
    assert all(0.9 <= segment.duration <= 1.2 for segment in feed.complete)
    assert len(feed.complete) == 3


async def test_long_gop_is_cut_at_a_frame_once_the_target_duration_is_promised() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    fill(feed, clock, mpegts("-g", "15", seconds=3))
    assert feed.hold_target_duration() == 1
    feed.restart()
    fill(feed, clock, ffmpeg(*TESTSRC, "-t", "6", *X264, "-g", "90", "-f", "mpegts"))
    later = [segment for segment in feed.complete if segment.sequence > 3]
    assert len(later) >= 3
    assert all(round(segment.duration) <= 1 for segment in later)
    assert [segment.key for segment in feed.segments if segment.sequence == 3] == [True]
    assert not any(segment.key for segment in later)
    assert feed.hold_target_duration() == 1


async def test_target_duration_follows_a_slow_camera() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, Clock(), ffmpeg(*TESTSRC, "-t", "9", *X264, "-g", "60", "-f", "mpegts"))
    assert feed.hold_target_duration() == 4


async def test_ring_is_bounded_by_time() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=3, clock=clock, monotonic=clock)
    fill(feed, clock, GOP_OF_A_SECOND)
    # the asked seconds are there in full: the oldest segment began at or before them
    assert feed.segments[0].started_at <= clock.now - 3
    assert feed.segments[1].started_at > clock.now - 3 - 1 / 15


async def test_ring_is_bounded_by_bytes_whatever_readers_do() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, keep_bytes=len(GOP_OF_A_SECOND) // 3, clock=clock, monotonic=clock)
    idle = [feed.reader() for _ in range(10)]
    fill(feed, clock, GOP_OF_A_SECOND)
    assert feed.size <= feed.keep_bytes
    assert feed.size == sum(len(segment.data) for segment in feed.segments)
    assert idle


async def test_endless_gop_does_not_grow_without_bound() -> None:
    stream = ffmpeg(*TESTSRC, "-t", "8", *X264, "-g", "1000", "-f", "mpegts")
    clock, got = Clock(), 0
    feed = PacketFeed(keep_seconds=60, keep_bytes=len(stream) // 4, clock=clock, monotonic=clock)
    reader = feed.reader()
    for data in by_frame(stream):
        feed.publish(data)
        clock.now += 1 / 15
        got += len(await reader.next(0) or b"")
        assert feed.size <= feed.keep_bytes
    assert got >= len(stream) * 0.9  # who keeps up loses nothing


async def test_stalled_reader_pins_at_most_its_own_segment() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=2, clock=clock, monotonic=clock)
    fill(feed, clock, GOP_OF_A_SECOND[: len(GOP_OF_A_SECOND) // 4])
    reader = feed.reader()
    assert await reader.next(0)
    stood = reader._segment
    assert stood is not None
    fill(feed, clock, GOP_OF_A_SECOND)
    assert stood.overtaken
    assert stood.next is None


async def test_reader_that_fell_behind_rejoins_at_the_newest_key_frame() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    stream = mpegts(seconds=20)
    parts = list(by_frame(stream))
    reader = feed.reader()
    for data in parts[:20]:
        feed.publish(data)
        clock.now += 1 / 15
    assert await reader.next(0)
    for data in parts[20:]:
        feed.publish(data)
        clock.now += 1 / 15
    rest = await drain(reader)
    assert reader.dropped == 1
    assert decoded_frames(rest) == 15  # the newest segment only, decodable from its first byte


async def test_reader_may_begin_in_the_past() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    fill(feed, clock, GOP_OF_A_SECOND)
    now = clock.now
    for pre_roll in (0.0, 0.5, 2.5, 4.0, 100.0):
        start = feed.start_of(pre_roll)
        assert start is not None
        assert start.started_at <= now - pre_roll or start is feed.segments[0]
        assert now - pre_roll - start.started_at <= 1.0 or pre_roll == 0
        data = await drain(feed.reader(pre_roll))
        assert decoded_frames(data) == sum(s.frames for s in feed.segments if s.sequence >= start.sequence)


async def test_live_reader_joins_on_a_key_frame_with_tables() -> None:
    feed = PacketFeed()
    fill(feed, Clock(), GOP_OF_A_SECOND)
    data = await feed.reader().next()
    assert data is not None
    assert len(data) % PACKET_SIZE == 0
    assert data[1:3] == b"\x40\x00"  # PAT first
    assert decoded_frames(data) == 15


async def test_restart_marks_a_discontinuity_and_loses_no_sequence() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    fill(feed, clock, GOP_OF_A_SECOND[: len(GOP_OF_A_SECOND) // 2])
    count = len(feed.segments)
    reader = feed.reader()
    await drain(reader)
    feed.restart()
    fill(feed, clock, GOP_OF_A_SECOND)
    new = [segment for segment in feed.segments if segment.sequence >= count]
    assert [segment.discontinuity for segment in new] == [True] + [False] * 7
    assert {segment.discontinuities for segment in new} == {1}
    assert [segment.sequence for segment in feed.segments] == list(range(count + 8))
    assert all(segment.complete for segment in feed.segments if segment.sequence < count)
    assert await drain(reader)
    assert reader.discontinuities == 1


async def test_other_picture_size_is_a_discontinuity() -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    fill(feed, clock, mpegts(seconds=2))
    assert feed.picture_size == (320, 240)
    other = ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15", "-t", "2", *X264, "-f", "mpegts")
    fill(feed, clock, other)
    assert [segment.discontinuity for segment in feed.segments] == [False, False, True, False]
    assert feed.picture_size == (640, 360)


@pytest.mark.parametrize("at_once", [False, True])
async def test_other_picture_size_begins_a_segment_whatever_the_gop_lasts(at_once: bool) -> None:  # noqa: FBT001
    """A size that changes 0.4 s after a segment began must not join it: players could not decode its rest."""
    small = ffmpeg(*TESTSRC, "-t", "1.4", *X264, "-g", "3", "-f", "mpegts")
    picture = ("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15", "-t", "1")
    large = ffmpeg(*picture, *X264, "-g", "3", "-output_ts_offset", "1.4", "-f", "mpegts")
    feed = PacketFeed(keep_seconds=60)
    for data in [small + large] if at_once else by_frame(small + large):
        feed.publish(data)
    sizes = [
        {SequenceParameters.parse(chunk.sps).width for chunk in Parser().feed(segment.data) if chunk.sps}
        for segment in feed.segments
    ]
    assert sizes == [{320}, {320}, {640}]
    assert [segment.discontinuity for segment in feed.segments] == [False, False, True]
    assert feed.picture_size == (640, 360)


async def test_nothing_is_kept_before_the_first_key_frame() -> None:
    frames = list(by_frame(GOP_OF_A_SECOND))
    feed = PacketFeed()
    reader = feed.reader()
    for data in frames[3:15]:
        feed.publish(data)
    assert not feed.segments
    for data in frames[15:20]:
        feed.publish(data)
    assert decoded_frames(await drain(reader)) == 5


@pytest.mark.parametrize("offset", [0, 95440, 95445])
async def test_arrival_is_known_by_time_stamp_also_past_the_wrap(offset: int) -> None:
    clock = Clock()
    feed = PacketFeed(keep_seconds=60, clock=clock, monotonic=clock)
    stream = mpegts("-output_ts_offset", str(offset), "-muxdelay", "0", "-muxpreload", "0", seconds=8)
    fill(feed, clock, stream)
    first = feed.segments[0]
    wrap = 2**33 / 90000
    stamp = (first.pts / 90000 + 7) % wrap
    for same in (stamp, stamp - wrap, stamp + wrap):
        arrived = feed.arrival(same)
        assert arrived is not None
        assert abs(arrived - (first.started_at + 7)) < 0.1
    assert feed.arrival(stamp + 600) is None


async def test_durations_stay_true_across_the_time_stamp_wrap() -> None:
    feed = PacketFeed(keep_seconds=60)
    fill(feed, Clock(), mpegts("-output_ts_offset", "95440", seconds=8))
    assert [round(segment.duration, 2) for segment in feed.complete] == [1.0] * 7


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60))
def test_any_cut_of_the_stream_gives_the_same_ring(sizes: list[int]) -> None:
    whole, cut = PacketFeed(keep_seconds=999), PacketFeed(keep_seconds=999)
    whole.publish(GOP_OF_A_SECOND)
    position = 0
    for size in sizes:
        cut.publish(GOP_OF_A_SECOND[position : position + size])
        position += size
    cut.publish(GOP_OF_A_SECOND[position:])
    assert [segment.data for segment in whole.segments] == [segment.data for segment in cut.segments]
    assert [segment.duration for segment in whole.segments] == [segment.duration for segment in cut.segments]


@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_garbage_never_raises(parts: list[bytes]) -> None:
    feed = PacketFeed(keep_bytes=10_000)
    for part in parts:
        feed.publish(part)
    assert feed.size <= 20_000


def test_picture_size_of_frames() -> None:
    feed = FrameFeed()
    assert feed.picture_size is None
    feed.publish(jpegs(frames=1, size="128x96"))
    assert feed.picture_size == (128, 96)
