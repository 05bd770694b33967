"""Parameter sets are said again where a driver tells them once, and nothing else changes."""

from itertools import pairwise

import pytest

from custom_components.tripod.engine import h264
from custom_components.tripod.engine.encoders import Outcome
from custom_components.tripod.engine.encoders.judge import judge
from custom_components.tripod.engine.encoders.trial import FRAMES, RATE
from custom_components.tripod.engine.mpegts import PACKET_SIZE, Parser
from custom_components.tripod.engine.mpegts_writer import MpegTsWriter
from custom_components.tripod.engine.parameter_sets import ParameterSetRepeater
from custom_components.tripod.engine.psi import payload

from .hardware_encoders import good, without_parameter_sets
from .media import SINE, X264, decoded_frames, ffmpeg

VIDEO = 0x100
AAC = ("-c:a", "aac")


def packets(stream: bytes) -> list[bytes]:
    return [stream[start : start + PACKET_SIZE] for start in range(0, len(stream), PACKET_SIZE)]


def video_packets(stream: bytes) -> list[bytes]:
    return [packet for packet in packets(stream) if (packet[1] & 0x1F) << 8 | packet[2] == VIDEO]


def with_sets_apart() -> bytes:
    """Return what v4l2m2m makes where the driver hands out the parameter sets in a buffer of their own."""
    parser, writer, stream = Parser(), MpegTsWriter(), b""
    frames: list[list[bytes]] = []
    for chunk in parser.feed(good()):
        if chunk.starts_frame:
            frames.append([])
        frames[-1].append(chunk.data)
    for number, frame in enumerate(frames):
        elementary = b"".join(payload(packet) for packet in video_packets(b"".join(frame)))
        units = list(h264.nal_units(elementary[9 + elementary[8] :]))
        sets = [unit for unit in units if unit[0] & 0x1F in (h264.SPS, h264.PPS)]
        slices = [unit for unit in units if unit[0] & 0x1F in h264.SLICES]
        if number == 0:
            stream += writer.write(b"".join(b"\x00\x00\x00\x01" + unit for unit in sets), 0, key=True)
        stream += writer.write(
            b"".join(b"\x00\x00\x00\x01" + unit for unit in slices), number / RATE, key=not number % RATE
        )
    return stream


def repeated(stream: bytes, size: int = 1 << 30) -> bytes:
    repeater = ParameterSetRepeater()
    return b"".join(repeater.feed(stream[start : start + size]) for start in range(0, len(stream), size))


@pytest.mark.parametrize("flawed", [without_parameter_sets, with_sets_apart])
def test_every_key_frame_can_be_joined_again(flawed: object) -> None:
    stream = flawed()  # type: ignore[operator]
    assert judge(stream, frames=FRAMES, rate=RATE).outcome is Outcome.NO_PARAMETER_SETS
    mended = repeated(stream)
    assert judge(mended, frames=FRAMES, rate=RATE).outcome is Outcome.WORKS
    chunks = Parser().feed(mended)
    keys = [number for number, chunk in enumerate(chunks) if chunk.key]
    assert len(keys) == 3
    for key, frames in zip(keys, (FRAMES, FRAMES - RATE, FRAMES - 2 * RATE), strict=True):
        assert decoded_frames(b"".join(chunk.data for chunk in chunks[key:])) == frames


def test_packets_are_counted_on() -> None:
    counts = [packet[3] & 0x0F for packet in video_packets(repeated(with_sets_apart()))]
    assert all(after == (before + 1) % 16 for before, after in pairwise(counts))


def test_what_is_complete_is_passed_on_untouched() -> None:
    assert repeated(good()) == good()


def test_sound_is_passed_on_untouched() -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15")
    stream = ffmpeg(*picture, *SINE, "-t", "2", *X264, *AAC, "-bsf:v", "filter_units=remove_types=7-8", "-f", "mpegts")

    def sound(stream: bytes) -> list[bytes]:
        return [packet for packet in packets(stream) if (packet[1] & 0x1F) << 8 | packet[2] == VIDEO + 1]

    assert sound(stream)
    assert sound(repeated(stream)) == sound(stream)


@pytest.mark.parametrize("size", [1, 187, 188, 189, 5000])
def test_it_does_not_matter_where_the_stream_is_cut(size: int) -> None:
    stream = with_sets_apart()[: 60 * 1024]
    assert repeated(stream, size) == repeated(stream)
