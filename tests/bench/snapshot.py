"""How long a snapshot takes from a camera that runs."""

from __future__ import annotations

from statistics import median
import time

from tests.servers.start import http_camera

from .harness import Benchmark, Key, Values, p95
from .home import home
from .wire import get, milliseconds, watching

RATE = 25
REPEATS = 60
ROUNDS = 3
"""The median of so many rounds counts: a moment at which the machine did something else spoils one."""

INTERVAL = 1 / RATE
SPREAD = 0.618
"""Part of the frame interval by which each request comes later in it than the one before: all moments are alike."""


def _run() -> Values:
    with http_camera("--size", "1280x720", "--rate", str(RATE)) as source, home() as here:
        jpeg = here.add_camera("url", "JPEG", url=source.url("stream.mjpg"))
        h264 = here.add_camera("test_pattern", "H.264")
        with watching(jpeg.url("stream.mjpg")):
            from_jpeg = _p95(jpeg.url("snapshot.jpg"))
            after_now = _p95(jpeg.url("snapshot.jpg?after=now"))
        with watching(h264.url("stream.ts")):
            first = milliseconds(lambda: get(h264.url("snapshot.jpg")))
            from_h264 = _p95(h264.url("snapshot.jpg"))
    return {
        "jpeg_p95_ms": from_jpeg,
        "h264_p95_ms": from_h264,
        "after_now_p95_ms": after_now,
        "h264_first_ms": first,
    }


def _p95(url: str) -> float:
    return median(p95(_times(url)) for _ in range(ROUNDS))


def _times(url: str) -> list[float]:
    times = []
    began = time.monotonic()
    for number in range(REPEATS):
        due = began + number * INTERVAL * (1 + SPREAD)
        time.sleep(max(0.0, due - time.monotonic()))
        times.append(milliseconds(lambda: get(url)))
    return times


BENCHMARK = Benchmark(
    name="snapshot",
    text="snapshot.jpg of 1280x720 at 25/s, from a camera that is being watched",
    keys={
        "jpeg_p95_ms": Key(text="the newest picture, from a camera that delivers JPEGs", unit="ms", at_most=5),
        "h264_p95_ms": Key(text="the newest picture, from a camera that delivers H.264", unit="ms", at_most=150),
        "after_now_p95_ms": Key(
            text="a picture taken after the request, from JPEGs", unit="ms", at_most=1000 * INTERVAL + 50
        ),
        "h264_first_ms": Key(text="from H.264 while only video was watched: the decoder starts", unit="ms"),
    },
    run=_run,
)
