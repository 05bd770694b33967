"""What a large JPEG camera costs that nobody watches transcoded."""

from __future__ import annotations

from statistics import median

from tests.servers.start import http_camera

from .harness import Benchmark, Key, Values
from .home import home
from .processes import Spotter

WINDOW = 5.0
"""Seconds that one figure is measured over."""

ROUNDS = 3


def _run() -> Values:
    with http_camera("--size", "1920x1080", "--rate", "30") as source, home() as here:
        camera = here.add_camera("url", "Pass-through", url=source.url("stream.mjpg"))
        process = here.process
        with Spotter(process) as programs:
            here.set_options(camera, start="always")
            before = source.control()["frames"]
            used = median(process.core(WINDOW, process.own_cpu_seconds) for _ in range(ROUNDS))
            rate = (source.control()["frames"] - before) / (WINDOW * ROUNDS)
        here.set_options(camera, start="manual")
        here.act("stop_stream", camera)
        idle = median(process.core(WINDOW / 2, process.own_cpu_seconds) for _ in range(ROUNDS))
    return {"core": used - idle, "encoders": len(programs.seen), "fps": rate, "core_idle": idle}


BENCHMARK = Benchmark(
    name="passthrough",
    text="an MJPEG camera of 1920x1080 at 30/s, into the feed",
    keys={
        "core": Key(text="of Home Assistant's process, above the same without the capture", unit="core", at_most=0.06),
        "encoders": Key(text="programs started meanwhile", equals=0),
        "fps": Key(text="that came", unit="/s"),
        "core_idle": Key(text="of Home Assistant's process without the capture", unit="core"),
    },
    run=_run,
)
