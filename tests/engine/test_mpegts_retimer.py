"""The clock of an MPEG-TS stream, shifted; ffprobe says what became of it."""

from collections.abc import Iterable
from itertools import pairwise
import json
import subprocess

from hypothesis import given, strategies
import pytest

from custom_components.tripod.engine.mpegts import CLOCK_RATE, PACKET_SIZE
from custom_components.tripod.engine.mpegts_retimer import Retimer, _clock, _signed

from .media import SINE, TESTSRC, X264, decoded_frames, mpegts

WRAP = 1 << 33
WRAP_SECONDS = WRAP / CLOCK_RATE
LIKE_OURS = ("-muxdelay", "0", "-muxpreload", "0")
WITH_SOUND = (*TESTSRC, *SINE)
AAC = (*X264, "-c:a", "aac")
B_FRAMES = ("-c:v", "libx264", "-g", "15", "-bf", "3", "-b_strategy", "0", "-pix_fmt", "yuv420p")


class Clock:
    """The pipeline's age, which is the time that passed, too."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def retimer(clock: Clock) -> Retimer:
    return Retimer(clock, clock)


def pieces(stream: bytes, size: int = 1000) -> Iterable[bytes]:
    return (stream[position : position + size] for position in range(0, len(stream), size))


def stamps(stream: bytes) -> dict[str, list[tuple[int, int]]]:
    """Return the times of presentation and decoding of each stream's packets, in ticks, as ffprobe reads them."""
    command = ("ffprobe", "-v", "error", "-fflags", "+nofillin", "-correct_ts_overflow", "0", "-f", "mpegts")
    show = ("-show_entries", "packet=codec_type,pts,dts", "-of", "json", "pipe:0")
    found = json.loads(subprocess.run((*command, *show), input=stream, capture_output=True, check=True).stdout)
    times: dict[str, list[tuple[int, int]]] = {}
    for packet in found["packets"]:
        if "pts" in packet:
            times.setdefault(packet["codec_type"], []).append((packet["pts"], packet.get("dts", packet["pts"])))
    return times


def clocks(stream: bytes) -> list[int]:
    """Return the clock references."""
    packets = (stream[position : position + PACKET_SIZE] for position in range(0, len(stream), PACKET_SIZE))
    return [
        _clock(bytearray(packet), 6) for packet in packets if packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10
    ]


def rises(times: list[tuple[int, int]]) -> bool:
    return all(_signed(after - before) > 0 for (_, before), (_, after) in pairwise(times))


@pytest.mark.parametrize(
    ("age", "begin"),
    [(0.0, 0.0), (1234.5, WRAP_SECONDS - 2.0), (WRAP_SECONDS - 1.0, 0.0), (3 * WRAP_SECONDS - 1.0, 5.0)],
)
def test_everything_is_shifted_by_the_same(age: float, begin: float) -> None:
    stream = mpegts(*LIKE_OURS, "-output_ts_offset", f"{begin:.3f}", seconds=3, inputs=WITH_SOUND, encoder=AAC)
    shifted = b"".join(map(retimer(Clock(age)).feed, pieces(stream)))
    before, after = stamps(stream), stamps(shifted)
    shifts = {
        (new - old) % WRAP
        for kind in ("video", "audio")
        for was, now in zip(before[kind], after[kind], strict=True)
        for old, new in zip(was, now, strict=True)
    } | {(new - old) % WRAP for old, new in zip(clocks(stream), clocks(shifted), strict=True)}
    assert len(shifts) == 1
    assert abs(_signed(clocks(shifted)[0] - round(age * CLOCK_RATE))) <= 1
    assert decoded_frames(shifted) == decoded_frames(stream)


def test_where_it_is_cut_makes_no_difference() -> None:
    stream = mpegts(seconds=2, inputs=WITH_SOUND, encoder=AAC)
    whole = retimer(Clock(7)).feed(stream)
    assert len(whole) == len(stream)
    for size in (1, 187, 188, 189, 5000):
        assert b"".join(map(retimer(Clock(7)).feed, pieces(stream, size))) == whole


def test_the_next_stream_begins_after_the_last() -> None:
    """As it must where the last one ran ahead: what a node had kept came all at once."""
    clock = Clock(100)
    retime = retimer(clock)
    first = retime.feed(mpegts(*LIKE_OURS, seconds=3, inputs=WITH_SOUND, encoder=AAC))
    retime.restart()
    clock.seconds += 1  # three seconds of stream came in one
    second = retime.feed(mpegts(*LIKE_OURS, seconds=2, inputs=WITH_SOUND, encoder=AAC))
    for kind in ("video", "audio"):
        assert rises(stamps(first)[kind] + stamps(second)[kind]), kind
    retime.restart()
    clock.seconds += 60
    third = retime.feed(mpegts(*LIKE_OURS, seconds=2))
    assert stamps(third)["video"][0][1] == round(161 * CLOCK_RATE)


@pytest.mark.parametrize("encoder", [X264, B_FRAMES])
@pytest.mark.parametrize("begin", [0.0, 0.5, 50000.0])
def test_a_clock_that_is_set_goes_on(begin: float, encoder: tuple[str, ...]) -> None:
    """Back or far ahead, in the midst of a stream: its camera began anew."""
    first = mpegts(*LIKE_OURS, "-output_ts_offset", "20", seconds=2, encoder=encoder)
    second = mpegts(*LIKE_OURS, "-output_ts_offset", f"{begin}", seconds=2, encoder=encoder)
    clock = Clock()
    retime, shifted = retimer(clock), b""
    for piece in pieces(first + second, 20000):
        shifted += retime.feed(piece)
        clock.seconds += 0.1
    times = stamps(shifted)["video"]
    assert len(times) == 60
    assert rises(times)
    assert _signed(times[-1][1] - times[0][1]) < 6 * CLOCK_RATE
    assert all(_signed(pts - dts) >= 0 for pts, dts in times)


def test_a_gap_that_was_one_stays_one() -> None:
    """The camera was away, and the node's own time went on meanwhile."""
    clock = Clock()
    retime = retimer(clock)
    first = retime.feed(mpegts(*LIKE_OURS, "-output_ts_offset", "20", seconds=2))
    clock.seconds += 40
    second = retime.feed(mpegts(*LIKE_OURS, "-output_ts_offset", "60", seconds=2))
    assert stamps(second)["video"][0][1] - stamps(first)["video"][0][1] == 40 * CLOCK_RATE


def test_the_same_time_twice_is_no_new_clock() -> None:
    """Some cameras send each half picture by itself."""
    stream = mpegts(*LIKE_OURS, seconds=1)
    doubled = b"".join(2 * stream[position : position + PACKET_SIZE] for position in range(0, len(stream), PACKET_SIZE))
    times = stamps(retimer(Clock(5)).feed(doubled))["video"]
    assert times[-1][1] - times[0][1] == stamps(stream)["video"][-1][1] - stamps(stream)["video"][0][1]


def test_a_damaged_time_stamp_is_mended() -> None:
    stream = bytearray(mpegts(*LIKE_OURS, seconds=2))
    starts = [
        at
        for at in range(0, len(stream), PACKET_SIZE)
        if stream[at + 1] & 0x40 and stream[at + 1 : at + 3] == b"\x41\x00"
    ]
    for at in starts[10:12]:
        header = stream.index(b"\x00\x00\x01\xe0", at)
        stream[header + 10 : header + 13] = b"\xff\xff\xff"
    times = stamps(retimer(Clock(5)).feed(bytes(stream)))["video"]
    assert len(times) == 30
    assert rises(times)
    assert times[-1][1] - times[0][1] < 2.2 * CLOCK_RATE


def test_what_is_no_packet_is_left_out() -> None:
    stream = mpegts(seconds=2)
    expected = retimer(Clock()).feed(stream)
    packets = [stream[at : at + PACKET_SIZE] for at in range(0, len(stream), PACKET_SIZE)]
    broken = b"\x00nonsense" + b"".join(packets[:40]) + b"\x00 more \x47 of it" + b"".join(packets[40:])
    for size in (100, 1000, 100_000):
        assert b"".join(map(retimer(Clock()).feed, pieces(broken, size))) == expected


@given(
    damage=strategies.lists(
        strategies.tuples(strategies.integers(0, 60_000), strategies.binary(max_size=400)), max_size=8
    ),
    size=strategies.integers(1, 70_000),
)
def test_nothing_that_comes_upsets_it(damage: list[tuple[int, bytes]], size: int) -> None:
    stream = mpegts(*LIKE_OURS, seconds=2, inputs=WITH_SOUND, encoder=AAC)[:60_000]
    for position, data in damage:
        stream = stream[:position] + data + stream[position + len(data) // 2 :]
    retime = retimer(Clock(1))
    out = b"".join(map(retime.feed, pieces(stream, size)))
    assert len(out) % PACKET_SIZE == 0
    assert len(out) <= len(stream)
    assert len(retime._rest) <= 2 * PACKET_SIZE
