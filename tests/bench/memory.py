"""What cameras and viewers take from Home Assistant's memory, and whether they give it back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from statistics import median
import time

from tests.servers.start import http_camera

from .harness import Benchmark, Key, Values
from .home import Camera, Home, home, metric
from .processes import MIB
from .wire import get, newest_segment, read_until, watching

CAMERAS = 21
RING_MIB = 8
FULL = 0.9
"""Part of the ring's cap from which it counts as full: it is emptied by whole groups of pictures."""

FILL_TIMEOUT = 90.0
WARM_UP = 40
"""Viewers before the first look: what every program does once is no leak."""

VIEWERS = 1000
AT_ONCE = 10
QUIET = 3.0
"""Seconds that memory is looked at for one figure."""

GONE = 60.0
"""Seconds until nothing may be left of a viewer: an HLS player is missed after 30."""

_JPEG = b"\xff\xd8\xff"


def _run() -> Values:
    with http_camera("--size", "1280x720", "--rate", "25") as source, home() as here:
        idle = here.add_camera("test_pattern", "Idle")
        here.stop()
        one = _resident_after_start(here, 1)
        here.stop()
        here.multiply(idle.entry_id, CAMERAS)
        all_idle = _resident_after_start(here, CAMERAS)
        return {"idle_mib": (all_idle - one) / (CAMERAS - 1), **_running(here, source.url("live.ts"))}


def _resident_after_start(here: Home, cameras: int) -> float:
    here.start()
    loaded = [entry for entry in here.client.entries("tripod") if entry["state"] == "loaded"]
    if len(loaded) != cameras:
        raise RuntimeError(f"{len(loaded)} of {cameras} cameras are set up")
    return _resident(here)


def _resident(here: Home) -> float:
    """Return the resident memory once garbage is gone, in MiB."""
    here.probe("tasks")
    samples = []
    for _ in range(10):
        samples.append(here.process.resident_mib())
        time.sleep(QUIET / 10)
    return median(samples)


def _running(here: Home, url: str) -> Values:
    camera = here.add_camera("url", "Running", url=url)
    here.set_options(camera, start="manual", pre_roll=120, ring=RING_MIB, max_viewers=10_000)
    here.act("stop_stream", camera)  # which holds across a restart
    here.stop()
    here.start()
    before = _resident(here)
    here.act("start_stream", camera)
    ring = _wait_until_full(camera)
    over = _resident(here) - before - RING_MIB
    return {"running_over_cap_mib": over, "ring_mib": ring, **_leaks(here, camera)}


def _wait_until_full(camera: Camera) -> float:
    """Wait until the ring is full; return its size in MiB."""
    deadline = time.monotonic() + FILL_TIMEOUT
    while time.monotonic() < deadline:
        if (size := metric(camera, "ring_bytes") / MIB) >= FULL * RING_MIB:
            return size
        time.sleep(0.5)
    raise RuntimeError("the ring does not fill up")


def _leaks(here: Home, camera: Camera) -> Values:
    with watching(camera.url("stream.mjpg")):  # so that the transcoder runs before and after
        _come_and_go(camera, WARM_UP)
        memory, files, tasks = _resident(here), here.process.descriptors(), _tasks(here)
        first, again = [_resident_after_viewers(here, camera) for _ in range(2)]
        return {
            "leak_mib": first - memory,
            "leak_again_mib": again - first,
            "descriptors_left": here.process.descriptors() - files,
            "tasks_left": _tasks(here) - tasks,
        }


def _resident_after_viewers(here: Home, camera: Camera) -> float:
    _come_and_go(camera, VIEWERS)
    _wait_until_left(camera)
    return _resident(here)


def _come_and_go(camera: Camera, count: int) -> None:
    """Let viewers of every kind see something and leave."""
    kinds: list[Callable[[], object]] = [
        lambda: read_until(camera.url("stream.mjpg"), lambda data: _JPEG in data),
        lambda: read_until(camera.url("stream.ts"), bool),
        lambda: newest_segment(camera.url("stream.m3u8")),
        lambda: get(camera.url("snapshot.jpg")),
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(kind) for kind in islice(cycle(kinds), count)]:
            future.result()


def _wait_until_left(camera: Camera) -> None:
    """Wait until only the one viewer is left that is to stay."""
    deadline = time.monotonic() + GONE
    while (viewers := metric(camera, "viewers")) > 1:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{viewers - 1:g} viewers did not leave")
        time.sleep(0.5)


def _tasks(here: Home) -> int:
    return sum(here.probe("tasks").values())


BENCHMARK = Benchmark(
    name="memory",
    text="of Home Assistant's process",
    keys={
        "idle_mib": Key(text=f"per idle camera, of {CAMERAS - 1}", unit="MiB", at_most=2),
        "running_over_cap_mib": Key(
            text=f"of a running camera, above its ring's cap of {RING_MIB} MiB", unit="MiB", at_most=8
        ),
        "ring_mib": Key(text="that the ring held", unit="MiB"),
        "leak_mib": Key(text=f"that {VIEWERS} viewers left behind", unit="MiB", at_most=4),
        "leak_again_mib": Key(text="and as many again: what is used anew is no leak", unit="MiB"),
        "descriptors_left": Key(text="that they left open", equals=0),
        "tasks_left": Key(text="that they left running", equals=0),
    },
    run=_run,
)
