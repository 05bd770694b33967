"""One unbroken run of samples, whatever comes and when."""

from __future__ import annotations

from array import array

from hypothesis import given, strategies as st

from custom_components.tripod.engine.pcm import LAG, MOST, RATE, SAMPLE_BYTES, Timeline

BEGAN = 1000.0


def loud(seconds: float, first: int = 1) -> bytes:
    """Return so many seconds of samples that count up from `first`, and are never 0."""
    return array("h", [(first + number) % 30_000 + 1 for number in range(round(seconds * RATE))]).tobytes()


def seconds(pcm: bytes) -> float:
    return len(pcm) / SAMPLE_BYTES / RATE


def silent(pcm: bytes) -> bool:
    return not any(pcm)


def test_what_comes_in_time_stays_as_it_is() -> None:
    timeline, heard = Timeline(BEGAN), b""
    for number in range(100):
        timeline.add(loud(0.05, number), BEGAN + (number + 1) * 0.05)
        heard += timeline.read(BEGAN + (number + 1) * 0.05)
    assert heard == b"".join(loud(0.05, number) for number in range(100))


def test_samples_may_be_cut_anywhere() -> None:
    timeline, heard, sent = Timeline(BEGAN), b"", loud(1)
    for offset in range(0, len(sent), 4999):
        piece = sent[offset : offset + 4999]
        now = BEGAN + (offset + len(piece)) / SAMPLE_BYTES / RATE
        timeline.add(piece, now)
        heard += timeline.read(now)
    assert heard == sent


def test_silence_stands_where_nothing_comes() -> None:
    timeline, heard = Timeline(BEGAN), b""
    for tick in range(1, 51):
        heard += timeline.read(BEGAN + tick * 0.1, lag=0.0)
    assert silent(heard)
    assert abs(seconds(heard) - 5) < 0.001


def test_a_microphone_may_be_a_little_late() -> None:
    timeline = Timeline(BEGAN)
    timeline.add(loud(0.05), BEGAN + 0.05)
    assert seconds(timeline.read(BEGAN + 0.05)) == 0.05
    assert timeline.read(BEGAN + 0.05 + LAG) == b""
    timeline.add(loud(LAG), BEGAN + 0.05 + LAG)
    assert timeline.read(BEGAN + 0.05 + LAG) == loud(LAG)


def test_sound_that_begins_late_is_where_it_belongs() -> None:
    timeline = Timeline(BEGAN)
    timeline.add(loud(0.05), BEGAN + 0.5)
    heard = timeline.read(BEGAN + 0.5)
    assert silent(heard[: round(0.45 * RATE) * SAMPLE_BYTES])
    assert heard.endswith(loud(0.05))
    assert abs(seconds(heard) - 0.5) < 0.001


def test_sound_that_comes_after_its_silence_is_left_out() -> None:
    timeline = Timeline(BEGAN)
    silence = timeline.read(BEGAN + 0.5, lag=0.0)
    timeline.add(loud(0.6), BEGAN + 0.6)
    heard = timeline.read(BEGAN + 0.6)
    assert silent(silence)
    assert abs(seconds(silence + heard) - 0.6) < 0.001
    assert heard == loud(0.6)[-len(heard) :]


def test_a_flood_is_bounded() -> None:
    timeline = Timeline(BEGAN)
    for _ in range(100):
        timeline.add(loud(0.5), BEGAN + 1)
    assert seconds(timeline.read(BEGAN + 1)) <= MOST


def test_a_reader_that_was_away_gets_silence_in_pieces() -> None:
    timeline = Timeline(BEGAN)
    pieces = [timeline.read(BEGAN + 10) for _ in range(10)]
    assert max(map(seconds, pieces)) <= MOST
    assert abs(sum(map(seconds, pieces)) - 10) < 0.001


def test_another_capture_goes_on_where_the_time_is() -> None:
    timeline = Timeline(BEGAN)
    timeline.add(loud(0.05), BEGAN + 0.05)
    heard = timeline.read(BEGAN + 0.05)
    timeline.restart()
    timeline.add(loud(0.05, 5), BEGAN + 2)
    while abs(seconds(heard) - 2) > 0.001:
        piece = timeline.read(BEGAN + 2)
        assert piece
        heard += piece
    timeline.add(loud(0.05, 6), BEGAN + 2.05)
    assert timeline.read(BEGAN + 2.05) == loud(0.05, 6)


@given(st.lists(st.tuples(st.floats(0, 0.4), st.integers(0, 20_000)), max_size=60))
def test_whatever_comes_the_run_keeps_up_with_the_clock(events: list[tuple[float, int]]) -> None:
    timeline, now, samples = Timeline(BEGAN), BEGAN, 0
    for wait, size in events:
        now += wait
        timeline.add(b"\1" * size, now)
        piece = timeline.read(now)
        assert len(piece) % SAMPLE_BYTES == 0
        assert seconds(piece) <= 2 * MOST
        samples += len(piece) // SAMPLE_BYTES
    while piece := timeline.read(now, lag=0.0):
        samples += len(piece) // SAMPLE_BYTES
    ahead = samples / RATE - (now - BEGAN)
    assert -0.001 <= ahead <= 0.04 + 20_000 / SAMPLE_BYTES / RATE
