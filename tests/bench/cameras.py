"""What each further camera of one Home Assistant costs: whether the sixteenth takes more than the second.

Every camera streams, with its capture a process of its own. What is counted is Home Assistant's own process, in which
all cameras meet; a camera's worker is measured beside it.
"""

from __future__ import annotations

from statistics import median
import time

from tests.servers.start import http_camera

from .harness import Benchmark, Key, Values
from .home import Home, home

FEW, SOME, MANY = 1, 4, 16

WINDOW = 5.0
"""Seconds that one figure of CPU is measured over."""

ROUNDS = 5
SETTLE = 5.0
"""Seconds until all rings and pools are as full as they will be."""

PATIENCE = 60.0


def _run() -> Values:
    with http_camera("--size", "640x360", "--rate", "15") as source, home() as here:
        model = here.add_camera("url", "Camera", url=source.url("live.ts"))
        here.set_options(model, start="always")
        cost: dict[int, dict[str, float]] = {}
        present = 1
        for count in (FEW, SOME, MANY):
            here.stop()
            here.multiply(model.entry_id, count - present + 1)
            present = count
            here.start()
            _wait_until_streaming(here, count)
            time.sleep(SETTLE)
            cost[count] = _cost(here)
    first, later = _added(cost, FEW, SOME), _added(cost, SOME, MANY)
    return {
        "growth": max(_growth(later[what], first[what]) for what in ("cpu", "mib")),
        "cpu_growth": _growth(later["cpu"], first["cpu"]),
        "mib_growth": _growth(later["mib"], first["mib"]),
        "cpu_per_camera": later["cpu"],
        "mib_per_camera": later["mib"],
        "worker_cpu": cost[MANY]["workers_cpu"] / MANY,
    }


def _cost(here: Home) -> dict[str, float]:
    """Return what Home Assistant takes now, and its workers' CPU."""
    process = here.process
    own = [process.core(WINDOW, process.own_cpu_seconds) for _ in range(ROUNDS)]
    everything = process.core(WINDOW, process.cpu_seconds)
    here.probe("tasks")  # garbage goes
    return {"cpu": median(own), "mib": process.resident_mib(), "workers_cpu": everything - median(own)}


def _added(cost: dict[int, dict[str, float]], few: int, many: int) -> dict[str, float]:
    """Return what one more camera costs, between so few and so many."""
    return {what: (cost[many][what] - cost[few][what]) / (many - few) for what in cost[few]}


def _growth(later: float, first: float) -> float:
    return later / first


def _wait_until_streaming(here: Home, count: int) -> None:
    due = time.monotonic() + PATIENCE
    while time.monotonic() < due:
        states = here.client.request("GET", "/api/states")
        if sum(state["state"] == "on" for state in states if "_connectivity" in state["entity_id"]) == count:
            return
        time.sleep(0.5)
    raise TimeoutError(f"not all of {count} cameras stream")


BENCHMARK = Benchmark(
    name="cameras",
    text=f"{FEW}, {SOME} and {MANY} running cameras on one Home Assistant",
    keys={
        "growth": Key(text=f"the worse of the two below: a camera more at {MANY}, against at {SOME}", at_most=1.1),
        "cpu_growth": Key(text="of the CPU that Home Assistant's process takes for one more"),
        "mib_growth": Key(text="of its memory for one more"),
        "cpu_per_camera": Key(text=f"that one more takes, from {SOME} to {MANY}", unit="core"),
        "mib_per_camera": Key(text=f"that one more takes, from {SOME} to {MANY}", unit="MiB"),
        "worker_cpu": Key(text="of a camera's worker, beside it", unit="core"),
    },
    run=_run,
)
