"""H.264 as MPEG-TS, judged by the parser, the packet feed and ffmpeg."""

from __future__ import annotations

from itertools import pairwise
import subprocess

from hypothesis import given, strategies as st

from custom_components.tripod.engine.feed import PacketFeed
from custom_components.tripod.engine.h264 import AccessUnits
from custom_components.tripod.engine.mpegts import CLOCK_RATE, PACKET_SIZE, Parser
from custom_components.tripod.engine.mpegts_writer import MpegTsWriter

from .media import X264, decoded_frames, ffmpeg

RATE = 15
KEY = b"\x00\x00\x00\x01\x67\x42\x00\x0a\xf8\x41\xa2\x00\x00\x00\x01\x68\xce\x38\x80\x00\x00\x00\x01\x65\x88"
OTHER = b"\x00\x00\x00\x01\x41\x9a"


def video(seconds: int = 4, size: str = "320x240") -> list[tuple[bytes, bool]]:
    """Access units of a moving picture with a key frame a second, as encoders without B-frames make them."""
    source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={RATE}", "-t", str(seconds))
    stream = ffmpeg(*source, *X264, "-tune", "zerolatency", "-bsf:v", "dump_extra", "-f", "h264")
    units = AccessUnits()
    found = units.feed(stream)
    return found + units.feed(OTHER + b"\x00\x00")  # the last one is whole where the next one begins


def written(units: list[tuple[bytes, bool]], offset: float = 0.0) -> bytes:
    writer = MpegTsWriter()
    return b"".join(writer.write(unit, offset + index / RATE, key=key) for index, (unit, key) in enumerate(units))


def test_ffmpeg_decodes_every_frame_and_reads_every_time_stamp() -> None:
    units = video()
    stream = written(units, offset=100.0)
    assert len(units) == 4 * RATE
    assert decoded_frames(stream) == len(units)
    probe = ("ffprobe", "-v", "error", "-show_entries", "packet=pts,flags,size", "-of", "csv=p=0", "-")
    run = subprocess.run(probe, input=stream, capture_output=True, check=True)
    assert run.stderr == b""
    rows = [row.split(",") for row in run.stdout.decode().split()]
    assert [int(row[0]) for row in rows] == [round((100 + index / RATE) * CLOCK_RATE) for index in range(len(units))]
    assert [row[2].startswith("K") for row in rows] == [key for _, key in units]


def test_what_ffmpeg_reads_is_what_was_written() -> None:
    units = video(1)
    copy = ("ffmpeg", "-v", "error", "-i", "-", "-c", "copy", "-bsf:v", "h264_metadata=aud=remove", "-f", "h264", "-")
    run = subprocess.run(copy, input=written(units), capture_output=True, check=True)
    assert [unit for unit, _ in AccessUnits().feed(run.stdout + OTHER + b"\x00\x00")] == [unit for unit, _ in units]


def test_the_feed_makes_segments_of_it_that_each_stand_alone() -> None:
    feed = PacketFeed()
    feed.publish(written(video()))
    assert [(segment.key, segment.frames, segment.duration) for segment in feed.segments][:3] == [(True, RATE, 1.0)] * 3
    assert feed.picture_size == (320, 240)
    assert decoded_frames(feed.segments[2].data) == RATE


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=20))
def test_frames_of_any_size_come_whole(sizes: list[tuple[int, bool]]) -> None:
    writer, parser = MpegTsWriter(), Parser()
    units = [((KEY if key else OTHER) + b"\xab" * size, key) for size, key in sizes]
    stream = b"".join(writer.write(unit, index / RATE, key=key) for index, (unit, key) in enumerate(units))
    assert len(stream) % PACKET_SIZE == 0
    packets = [stream[at : at + PACKET_SIZE] for at in range(0, len(stream), PACKET_SIZE)]
    assert all(packet[0] == 0x47 for packet in packets)
    counts = [packet[3] & 0x0F for packet in packets if packet[1] & 0x1F == 1 and packet[2] == 0]
    assert all((earlier + 1) % 16 == later for earlier, later in pairwise(counts))
    if units[0][1]:
        chunks = [chunk for chunk in parser.feed(stream) if chunk.starts_frame]
        assert [chunk.key for chunk in chunks] == [key for _, key in units]
        assert [chunk.pts for chunk in chunks] == [round(index / RATE * CLOCK_RATE) for index in range(len(units))]


def test_every_length_fills_its_packets() -> None:
    for size in range(150, 560):  # from less than one packet to several, with each size of the last
        stream = MpegTsWriter().write(KEY + b"\xab" * size, 0, key=True)
        payload = b""
        for at in range(2 * PACKET_SIZE, len(stream), PACKET_SIZE):
            packet = stream[at : at + PACKET_SIZE]
            payload += packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :]
        assert payload[14:] == b"\x00\x00\x00\x01\x09\xf0" + KEY + b"\xab" * size
        assert int.from_bytes(payload[4:6], "big") == len(payload) - 6


def test_a_frame_too_long_for_its_length_field_leaves_it_open() -> None:
    stream = MpegTsWriter().write(KEY + b"\xab" * 70_000, 0, key=True)
    start = stream.index(b"\x00\x00\x01\xe0")
    assert stream[start + 4 : start + 6] == b"\x00\x00"


def test_a_delimiter_that_is_there_is_not_doubled() -> None:
    delimiter = b"\x00\x00\x00\x01\x09\x10"
    assert MpegTsWriter().write(delimiter + KEY, 0, key=True).count(b"\x00\x00\x00\x01\x09") == 1


def test_time_stamps_go_on_past_33_bits() -> None:
    wrap = 2**33 / CLOCK_RATE
    parser = Parser()
    chunks = [chunk for chunk in parser.feed(written(video(2), offset=wrap - 1)) if chunk.starts_frame]
    stamps = [chunk.pts or 0 for chunk in chunks]
    assert all(earlier < later for earlier, later in pairwise(stamps))
    assert stamps[-1] > 2**33
    assert decoded_frames(written(video(2), offset=wrap - 1)) == 2 * RATE
