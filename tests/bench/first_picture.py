"""How soon a viewer sees something, and how far behind the camera it is."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
import time

from tests.servers.start import http_camera

from .browser import Browser, Playing, browser
from .clock import drawing
from .core_play import CORE_CAMERAS
from .harness import Benchmark, Key, Values
from .home import Camera, Home, home
from .wire import milliseconds, newest_segment, read_until, watching

RATE = 25
REPEATS = 40
COLD_REPEATS = 5
DIALOGS = 7
"""At as many moments of a segment, which lasts a second: how far behind a player begins depends on it."""

_JPEG = b"\xff\xd8\xff"


def _run() -> Values:
    with http_camera("--size", "1280x720", "--rate", str(RATE), "--filter", drawing(RATE)) as source, home() as here:
        jpeg = here.add_camera("url", "JPEG", url=source.url("stream.mjpg"))
        pattern = here.add_camera("test_pattern", "Pattern")
        clock = here.add_camera("url", "Bench", url=source.url("live.ts"))
        for camera in (jpeg, pattern, clock):
            here.set_options(camera, linger=0)  # so that none runs beside the next
        return {**_frames(jpeg), **_packets(pattern), **_cold(here, pattern), **_dashboard(here, clock)}


def _frames(camera: Camera) -> Values:
    url = camera.url("stream.mjpg")
    with watching(url):
        return {"mjpeg_ms": _median(lambda: read_until(url, lambda data: _JPEG in data))}


def _packets(camera: Camera) -> Values:
    ts, hls = camera.url("stream.ts"), camera.url("stream.m3u8")
    with watching(ts):
        newest_segment(hls)  # until the ring holds one
        return {
            "ts_ms": _median(lambda: _first_key_frame(ts)),
            "hls_warm_ms": _median(lambda: _check(newest_segment(hls))),
        }


def _cold(here: Home, camera: Camera) -> Values:
    def start() -> None:
        here.act("start_stream", camera)
        _check(newest_segment(camera.url("stream.m3u8")))

    times = []
    for _ in range(COLD_REPEATS):
        here.act("stop_stream", camera)
        times.append(milliseconds(start))
    here.act("stop_stream", camera)
    return {"hls_cold_ms": median(times)}


def _dashboard(here: Home, camera: Camera) -> Values:
    with watching(camera.url("stream.ts")), browser(here) as page:
        page.open_dialog(camera.entity_id)  # the frontend loads its player's code at the first
        ours = [_open_at(number / DIALOGS, page, camera) for number in range(DIALOGS)]
        cores = [page.open_dialog(entity) for entity in CORE_CAMERAS]
    return {
        "dashboard_ms": median(playing.moving_ms for playing in ours),
        "dashboard_behind_ms": median(playing.behind_ms for playing in ours),
        "dashboard_behind_max_ms": max(playing.behind_ms for playing in ours),
        "dashboard_core_ms": median(playing.moving_ms for playing in cores),
        "dashboard_core_behind_ms": median(playing.behind_ms for playing in cores),
    }


def _open_at(moment: float, page: Browser, camera: Camera) -> Playing:
    """Open the dialog at this part of a second."""
    time.sleep((moment - time.time()) % 1)
    return page.open_dialog(camera.entity_id)


def _median(work: Callable[[], None]) -> float:
    return median(milliseconds(work) for _ in range(REPEATS))


def _first_key_frame(url: str) -> None:
    received = b""

    def found(data: bytes) -> bool:
        nonlocal received
        received += data
        return _has_key_frame(received.partition(b"\r\n\r\n")[2])

    read_until(url, found)


def _check(segment: bytes) -> None:
    """Raise RuntimeError where a player could not begin with this segment."""
    if not _has_key_frame(segment):
        raise RuntimeError("the segment has no key frame")


def _has_key_frame(packets: bytes) -> bool:
    """Tell whether one of these MPEG-TS packets has the random access indicator (ISO/IEC 13818-1, 2.4.3.5)."""
    return any(
        packets[start + 3] & 0x20 and packets[start + 4] and packets[start + 5] & 0x40
        for start in range(0, len(packets) - 187, 188)
    )


BENCHMARK = Benchmark(
    name="first_picture",
    text=f"until a viewer sees something, of 1280x720 at {RATE}/s",
    keys={
        "mjpeg_ms": Key(text="MJPEG of a camera that runs: the first picture's first byte", unit="ms", at_most=20),
        "ts_ms": Key(text="MPEG-TS of a camera that runs: the first key frame", unit="ms", at_most=50),
        "hls_warm_ms": Key(text="HLS of a camera that runs: playlists and a segment", unit="ms", at_most=300),
        "hls_cold_ms": Key(text="HLS of a test pattern that was stopped", unit="ms", at_most=2500),
        "dashboard_ms": Key(text="in Chromium: the camera's dialog, until it moves", unit="ms", at_most=1000),
        "dashboard_behind_ms": Key(text="in Chromium: age of the picture on the screen", unit="ms", at_most=2500),
        "dashboard_behind_max_ms": Key(text=f"the most, of {DIALOGS} openings", unit="ms"),
        "dashboard_core_ms": Key(text="the same with core's own HLS of the same camera", unit="ms"),
        "dashboard_core_behind_ms": Key(text="age with core's own HLS", unit="ms"),
    },
    run=_run,
)
