"""The MPEG-TS parser, on what ffmpeg writes and on what nobody should."""

from collections.abc import Callable
from dataclasses import replace
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.tripod.engine.h264 import SequenceParameters
from custom_components.tripod.engine.mpegts import CLOCK_RATE, PACKET_SIZE, Chunk, Parser

from .media import SINE, TESTSRC, X264, decoded_frames, mpegts

BOTH = (*TESTSRC, *SINE)
AAC = ("-c:a", "aac")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=15:log-level=none")


def frames(chunks: list[Chunk]) -> list[Chunk]:
    """Join the chunks of each frame: what must not depend on how the stream was cut."""
    joined: list[Chunk] = []
    for chunk in chunks:
        if chunk.starts_frame:
            joined.append(chunk)
        else:
            last = joined.pop()
            joined.append(replace(last, data=last.data + chunk.data))
    return joined


def parse(stream: bytes, size: int = 1 << 30) -> tuple[Parser, list[Chunk]]:
    parser = Parser()
    cuts = range(0, len(stream), size)
    return parser, frames([chunk for cut in cuts for chunk in parser.feed(stream[cut : cut + size])])


def times(found: list[Chunk]) -> list[int]:
    stamps = [frame.pts for frame in found if frame.pts is not None]
    assert len(stamps) == len(found)
    return stamps


def pids(data: bytes) -> list[int]:
    return [int.from_bytes(data[at + 1 : at + 3], "big") & 0x1FFF for at in range(0, len(data), PACKET_SIZE)]


def without_key_marks(stream: bytes) -> bytes:
    """Clear every random_access_indicator."""
    marked = bytearray(stream)
    for at in range(0, len(marked), PACKET_SIZE):
        if marked[at + 3] & 0x20 and marked[at + 4]:
            marked[at + 5] &= ~0x40
    return bytes(marked)


def test_frames_keys_and_times() -> None:
    parser, found = parse(mpegts())
    assert (parser.video_codec, parser.audio_codec, parser.discarded) == ("h264", None, 0)
    assert [index for index, frame in enumerate(found) if frame.key] == [0, 15, 30, 45]
    assert [stamp - times(found)[0] for stamp in times(found)] == [index * CLOCK_RATE // 15 for index in range(60)]


def test_audio_stays_in_its_place() -> None:
    stream = mpegts(*AAC, inputs=BOTH)
    parser, found = parse(stream)
    assert (parser.video_codec, parser.audio_codec) == ("h264", "aac")
    joined = b"".join(frame.data for frame in found)
    assert pids(joined).count(0x101) == pids(stream).count(0x101) > 0
    assert decoded_frames(joined) == 60


@pytest.mark.parametrize(
    ("encoder", "name"), [(("libmp3lame",), "mp3"), (("ac3",), "ac3"), (("eac3",), "eac3"), (("libopus",), "opus")]
)
def test_names_the_audio(encoder: tuple[str], name: str) -> None:
    parser, _ = parse(mpegts("-c:a", *encoder, seconds=1, inputs=BOTH))
    assert parser.audio_codec == name


def test_every_key_frame_is_a_beginning() -> None:
    stream = mpegts(*AAC, "-pat_period", "100", inputs=BOTH)
    _, found = parse(stream)
    for index in (15, 30, 45):
        assert pids(found[index].data)[:3] == [0, 0x1000, 0x100]
        assert decoded_frames(b"".join(frame.data for frame in found[index:])) == 60 - index


def test_tables_that_the_muxer_sent_once_are_repeated() -> None:
    stream = mpegts()
    packets = [stream[at : at + PACKET_SIZE] for at in range(0, len(stream), PACKET_SIZE)]
    bare = [packet for index, packet in enumerate(packets) if index < 4 or pids(packet) == [0x100]]
    _, found = parse(b"".join(bare))
    tables = [packet for frame in found for packet in (frame.data[:PACKET_SIZE],) if pids(packet) == [0]]
    assert [packet[3] & 0x0F for packet in tables] == [0, 1, 2, 3]
    assert decoded_frames(b"".join(frame.data for frame in found[30:])) == 30


def test_b_frames_keep_their_order() -> None:
    encoder = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "15", "-pix_fmt", "yuv420p")
    _, found = parse(mpegts(encoder=encoder))
    stamps = times(found)
    assert stamps != sorted(stamps)
    assert sorted(stamps) == [min(stamps) + index * CLOCK_RATE // 15 for index in range(60)]
    assert decoded_frames(b"".join(frame.data for frame in found)) == 60


@pytest.mark.parametrize(("encoder", "codec"), [(X264, "h264"), (X265, "hevc")])
def test_finds_keys_that_the_muxer_does_not_mark(encoder: tuple[str, ...], codec: str) -> None:
    stream = mpegts(encoder=encoder)
    marked_parser, marked = parse(stream)
    parser, found = parse(without_key_marks(stream))
    assert parser.video_codec == codec
    assert [frame.key for frame in found] == [frame.key for frame in marked]
    assert any(frame.key for frame in found[1:])
    assert parser.sps == marked_parser.sps is not None


def test_parameter_sets_far_behind_other_units() -> None:
    """Libx264 places a message of 700 bytes between its parameter sets and the first slice."""
    parser, found = parse(without_key_marks(mpegts("-bsf:v", "dump_extra=freq=keyframe")), 188)
    assert found[0].key
    assert parser.sps is not None
    assert SequenceParameters.parse(parser.sps).width == 320


def test_time_rises_past_33_bits() -> None:
    """ffmpeg wraps its clock 95443.7 s after zero, in the middle of this stream."""
    _, found = parse(mpegts("-output_ts_offset", "95440"))
    stamps = times(found)
    assert stamps[0] < 1 << 33 < stamps[-1]
    assert [stamp - stamps[0] for stamp in stamps] == [index * CLOCK_RATE // 15 for index in range(60)]


def test_a_restart_in_mid_stream_begins_anew() -> None:
    first = mpegts()
    other = ("-f", "lavfi", "-i", "testsrc2=size=640x480:rate=15")
    parser, found = parse(first[: len(first) // 2 + 77] + mpegts(inputs=other, seconds=1))
    stamps = times(found)
    restart = [index for index, stamp in enumerate(stamps) if stamp < stamps[max(0, index - 1)]]
    assert len(restart) == 1
    assert found[restart[0]].key
    assert len(found) - restart[0] == 15
    assert parser.sps is not None
    assert SequenceParameters.parse(parser.sps).width == 640
    assert decoded_frames(b"".join(frame.data for frame in found[restart[0] :])) == 15


def test_a_stream_copied_from_the_middle() -> None:
    stream = mpegts(*AAC, inputs=BOTH)
    _, whole = parse(stream)
    _, found = parse(stream[len(stream) // 3 + 50 :])
    assert 0 < len(found) < len(whole)
    assert found[-1].pts == whole[-1].pts
    begin = [frame.key for frame in found].index(True)
    assert decoded_frames(b"".join(frame.data for frame in found[begin:])) == len(found) - begin


def test_audio_alone_has_no_frames() -> None:
    parser, found = parse(mpegts(*AAC, inputs=SINE, encoder=()))
    assert found == []
    assert (parser.has_tables, parser.video_codec, parser.audio_codec) == (True, None, "aac")
    assert not Parser().has_tables


def test_bytes_are_passed_on_before_the_frame_is_whole() -> None:
    parser = Parser()
    stream = mpegts(inputs=("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=15"), seconds=1)
    chunks = [parser.feed(stream[at : at + 1000]) for at in range(0, len(stream), 1000)]
    flat = [chunk for part in chunks for chunk in part]
    assert sum(not chunk.starts_frame for chunk in flat) > 15
    assert all(len(chunk.data) % PACKET_SIZE == 0 for chunk in flat)
    assert all(chunk.pts is None for chunk in flat if not chunk.starts_frame)


def test_damaged_tables_are_left_out() -> None:
    stream = bytearray(mpegts())
    for at in range(PACKET_SIZE * 20, len(stream), PACKET_SIZE):
        if pids(bytes(stream[at : at + PACKET_SIZE])) == [0x1000]:
            stream[at + 20] ^= 0xFF
    parser, found = parse(bytes(stream))
    assert parser.video_codec == "h264"
    assert decoded_frames(b"".join(frame.data for frame in found)) == 60


def test_garbage_between_packets_is_skipped() -> None:
    stream = mpegts()
    middle = len(stream) // 2 // PACKET_SIZE * PACKET_SIZE
    garbage = b"\x47garbage" * 40
    parser, found = parse(stream[:middle] + garbage + stream[middle:])
    _, whole = parse(stream)
    assert parser.discarded >= len(garbage) - PACKET_SIZE
    assert [frame.pts for frame in found] == [frame.pts for frame in whole]


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.sampled_from([bytes, without_key_marks]))
def test_any_cut_gives_the_same_frames(sizes: list[int], muxer: Callable[[bytes], bytes]) -> None:
    stream = muxer(mpegts(*AAC, inputs=BOTH, seconds=2))
    parser, at, chunks = Parser(), 0, []
    while at < len(stream):
        size = sizes[at % len(sizes)]
        chunks += parser.feed(stream[at : at + size])
        at += size
    assert frames(chunks) == parse(stream)[1]


@given(st.data())
def test_damage_never_raises_and_cuts_never_matter(data: st.DataObject) -> None:
    stream = bytearray(mpegts(*AAC, inputs=BOTH, seconds=1))
    for _ in range(data.draw(st.integers(1, 30))):
        at = data.draw(st.integers(0, len(stream)))
        stream[at : at + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=300))
    damaged = bytes(stream)
    _, found = parse(damaged)
    assert parse(damaged, data.draw(st.integers(100, 9000)))[1] == found
    assert all(len(frame.data) % PACKET_SIZE == 0 for frame in found)


def packet(pid: int, flags: int, body: bytes) -> bytes:
    return bytes((0x47, flags & 0xE0 | pid >> 8, pid & 0xFF)) + body[: PACKET_SIZE - 3].ljust(PACKET_SIZE - 3, b"\xff")


@given(
    st.lists(
        st.builds(
            packet, st.sampled_from([0, 0x100, 0x101, 0x1000, 0x1FFF]), st.integers(0, 255), st.binary(max_size=185)
        )
        | st.binary(max_size=400)
    )
)
def test_wild_packets_never_raise(wild: list[bytes]) -> None:
    parser = Parser()
    for data in (mpegts(seconds=1), *wild):
        parser.feed(data)
    assert len(parser.feed(mpegts(seconds=1))) > 0


@pytest.mark.parametrize(
    "unit", [packet(0x101, 0, b""), packet(0x100, 0, b"\x10"), packet(0, 0, b"\x20"), packet(0, 0, b"\x10")]
)
def test_memory_stays_bounded_while_a_head_never_comes(unit: bytes) -> None:
    stream = without_key_marks(mpegts(seconds=1))
    start = stream.index(b"\x47\x41\x00")
    parser = Parser()
    assert parser.feed(stream[: start + PACKET_SIZE]) == []
    tracemalloc.start()
    for _ in range(20_000):
        parser.feed(unit)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 300_000


@pytest.mark.parametrize("garbage", [b"G", b"\x00", b"\x47" + bytes(186)])
def test_memory_stays_bounded_by_garbage(garbage: bytes) -> None:
    parser = Parser()
    assert parser.feed(garbage * 2_000_000 if len(garbage) == 1 else garbage * 10_000) == []
    assert len(parser._rest) < 3 * PACKET_SIZE
