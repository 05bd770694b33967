"""How long Home Assistant's own `stream` takes to play our `stream_source()`."""

from __future__ import annotations

from statistics import median
import time
from typing import Any

from .harness import Benchmark, Key, Values
from .home import Home, home
from .wire import watching

CORE_CAMERAS = ("camera.core_1", "camera.core_2", "camera.core_3")
"""Cameras of the probe, each with the `stream_source` of ours."""

PLAYS = 7
"""At as many moments of a group of pictures, which lasts a second."""

CORE_STREAM = "homeassistant.components.stream"


def _run() -> Values:
    with home() as here:
        camera = here.add_camera("test_pattern", "Bench")
        with watching(camera.url("stream.ts")):
            played = [_play_at(number / PLAYS, here) for number in range(PLAYS)]
    if any(answer["stream"] != CORE_STREAM or answer["first_part_ms"] is None for answer in played):
        raise RuntimeError(f"core did not play: {played}")
    times = [answer["first_part_ms"] for answer in played]
    return {"first_part_ms": median(times), "first_part_max_ms": max(times)}


def _play_at(moment: float, here: Home) -> dict[str, Any]:
    """Play at this part of a second."""
    time.sleep((moment - time.time()) % 1)
    answer: dict[str, Any] = here.probe("play", entity_id=CORE_CAMERAS[0])
    return answer


BENCHMARK = Benchmark(
    name="core_play",
    text="Home Assistant's own stream component on stream_source() of a warm feed",
    keys={
        "first_part_ms": Key(text="until the first part of its HLS", unit="ms", at_most=1500),
        "first_part_max_ms": Key(text="the longest", unit="ms", at_most=1500),
    },
    run=_run,
)
