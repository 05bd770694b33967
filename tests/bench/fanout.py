"""What one more MJPEG viewer costs, and what one that does not read costs the others."""

from __future__ import annotations

from statistics import median
import time

from tests.servers.start import Server, http_camera

from .crowd import Crowd, crowd
from .harness import Benchmark, Key, Values
from .home import Camera, Home, home

COUNTS = (1, 4, 16, 64)
ROUNDS = 3
WINDOW = 5.0
"""Seconds that one figure is measured over."""

SETTLE = 1.0
"""Seconds after which viewers that have just come are like those that have been there for long."""

READING, STALLED = 40, 10
LOST = 0.02
"""Part of the source's frames that viewers may get fewer: a window does not begin and end with a frame."""


def _run() -> Values:
    with http_camera("--size", "1280x720", "--rate", "25") as source, home() as here:
        camera = here.add_camera("url", "Fan-out", url=source.url("stream.mjpg"))
        here.set_options(camera, max_viewers=200)
        with crowd(camera.url("stream.mjpg")) as viewers:
            rounds = [_cores(here, viewers) for _ in range(ROUNDS)]
            return {**_costs(rounds), **_stalled(source, camera, viewers)}


def _cores(here: Home, viewers: Crowd) -> dict[int, float]:
    """Return the cores in use for each number of viewers."""
    used, present = {}, 0
    for count in COUNTS:
        viewers.join(count - present)
        present = count
        time.sleep(SETTLE)
        used[count] = here.process.core(WINDOW, here.process.cpu_seconds)
    viewers.leave()
    return used


def _costs(rounds: list[dict[int, float]]) -> Values:
    used = {count: median(cores[count] for cores in rounds) for count in COUNTS}
    added = [(cores[COUNTS[-1]] - cores[1]) / (COUNTS[-1] - 1) for cores in rounds]
    return {"cpu_per_viewer": median(added), **{f"core_{count}": used[count] for count in COUNTS}}


def _stalled(source: Server, camera: Camera, viewers: Crowd) -> Values:
    viewers.stall(STALLED)
    viewers.join(READING)
    time.sleep(SETTLE)
    began, before = time.monotonic(), source.control()["frames"]
    viewers.mark()
    time.sleep(2 * WINDOW)
    got = viewers.read()
    seconds, frames = time.monotonic() - began, source.control()["frames"] - before
    fewest, missed = min(frames for frames, _ in got), sum(missed for _, missed in got)
    return {
        "stalled_ok": fewest >= frames * (1 - LOST),
        "fps_min": fewest / seconds,
        "fps_source": frames / seconds,
        "frames_missed": missed,
    }


BENCHMARK = Benchmark(
    name="fanout",
    text="MJPEG viewers of 1280x720 at 25/s",
    keys={
        "cpu_per_viewer": Key(
            text="of Home Assistant's process tree, above the case of one viewer", unit="core", at_most=0.001
        ),
        **{f"core_{count}": Key(text=f"the process tree with {count} viewers", unit="core") for count in COUNTS},
        "stalled_ok": Key(text=f"{READING} viewers lose no frame to {STALLED} that do not read", equals=True),
        "fps_min": Key(text="of the viewer that gets least, meanwhile", unit="/s"),
        "fps_source": Key(text="of the camera, meanwhile", unit="/s"),
        "frames_missed": Key(text=f"by all {READING}, meanwhile"),
    },
    run=_run,
)
