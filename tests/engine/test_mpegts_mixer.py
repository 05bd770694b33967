"""Sound beside video: packets of two streams become one stream that ffmpeg takes without a complaint."""

from __future__ import annotations

import pytest

from custom_components.tripod.engine.mpegts import PACKET_SIZE, Parser
from custom_components.tripod.engine.mpegts_mixer import AAC, AUDIO_PID, Mixer
from custom_components.tripod.engine.psi import crc, payload, with_stream
from tests.engine.media import SINE, decoded_frames, mpegts

LIVE = ("-flush_packets", "1", "-muxdelay", "0")
VIDEO = mpegts(*LIVE, seconds=2)
AUDIO_OPTIONS = ("-c:a", "aac", "-pes_payload_size", "0", "-mpegts_start_pid", str(AUDIO_PID))
AUDIO = mpegts(*AUDIO_OPTIONS, *LIVE, seconds=2, inputs=SINE, encoder=())


def mixed(video: bytes, audio: bytes, size: int = 3000) -> bytes:
    """Return what comes of both streams, given in turns."""
    out: list[bytes] = []
    mixer = Mixer(out.append)
    step = max(1, round(size * len(audio) / len(video)))
    for number in range(-(-len(video) // size)):
        mixer.video(video[number * size : (number + 1) * size])
        mixer.audio(audio[number * step : (number + 1) * step])
    return b"".join(out)


@pytest.mark.parametrize("size", [1, 187, 188, 3000, 65536])
def test_both_are_in_the_stream_however_they_are_cut(size: int) -> None:
    stream = mixed(VIDEO, AUDIO, size)
    parser = Parser()
    chunks = parser.feed(stream)
    assert (parser.video_codec, parser.audio_codec, parser.discarded) == ("h264", "aac", 0)
    assert sum(chunk.starts_frame for chunk in chunks) == 30
    assert decoded_frames(b"".join(chunk.data for chunk in chunks)) == 30


def test_video_never_waits() -> None:
    out: list[bytes] = []
    mixer = Mixer(out.append)
    for offset in range(0, len(VIDEO), PACKET_SIZE):
        mixer.video(VIDEO[offset : offset + PACKET_SIZE])
        assert len(out) == offset // PACKET_SIZE + 1


def test_sound_without_video_is_bounded() -> None:
    out: list[bytes] = []
    mixer = Mixer(out.append)
    for _ in range(100):
        mixer.audio(AUDIO)
    assert out == []
    mixer.video(VIDEO[:3000])
    assert len(out[0]) < 60_000


def test_no_table_of_the_sounds_worker_gets_into_the_stream() -> None:
    stream = mixed(VIDEO, AUDIO)
    pids = [(stream[at + 1] & 0x1F) << 8 | stream[at + 2] for at in range(0, len(stream), PACKET_SIZE)]
    ours = [(VIDEO[at + 1] & 0x1F) << 8 | VIDEO[at + 2] for at in range(0, len(VIDEO), PACKET_SIZE)]
    assert [pid for pid in pids if pid != AUDIO_PID] == ours
    assert AUDIO_PID in pids


def test_sound_of_another_worker_begins_with_a_whole_packet() -> None:
    out: list[bytes] = []
    mixer = Mixer(out.append)
    mixer.audio(AUDIO[: 20 * PACKET_SIZE + 100])
    mixer.restart_audio()
    mixer.audio(AUDIO)
    mixer.video(VIDEO)
    assert decoded_frames(out[0]) == 30


def table() -> bytes:
    """Return the packet that holds the video's PMT."""
    return next(
        VIDEO[at : at + PACKET_SIZE] for at in range(0, len(VIDEO), 188) if VIDEO[at : at + 3] == b"\x47\x50\x00"
    )


def test_a_table_gets_one_stream_more() -> None:
    packet = with_stream(table(), AAC, AUDIO_PID)
    assert len(packet) == PACKET_SIZE
    section = payload(packet)[1:]
    size = 3 + (int.from_bytes(section[1:3], "big") & 0x0FFF)
    assert crc(section[:size]) == 0
    assert bytes((AAC, 0xE0 | AUDIO_PID >> 8, AUDIO_PID & 0xFF)) in section[:size]


def test_a_table_without_room_and_what_is_no_table_stay_as_they_are() -> None:
    full = table()
    while (fuller := with_stream(full, AAC, AUDIO_PID)) != full:
        full = fuller
    assert len(full) == PACKET_SIZE
    for packet in (full, bytes(188), b"\x47\x50\x00\x10" + b"\xff" * 184, b"\x47\x50\x00\x20" + bytes(184)):
        assert with_stream(packet, AAC, AUDIO_PID) == packet
