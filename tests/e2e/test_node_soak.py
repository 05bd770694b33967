"""A node for a long time: clients come and go, workers are killed, the cable is pulled, and nothing grows."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
import os
import random
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from tests.hardware import virtual_pi

from . import crowd, network, node
from .network import Host
from .node import Node
from .waiting import until

CYCLES = int(os.environ.get("TRIPOD_NODE_CYCLES", "2"))
"""Of about five seconds."""

WARM = 15
"""Cycles until all is loaded that will ever be, and memory has the size that it keeps."""

REPORT = 10
"""Cycles between two lines that say how it is."""

VIEWERS = 4
"""Of each kind, in each cycle."""

PATHS = ("", "player", "latest.jpg", "health", "ready", "metrics", "status", "items", "nothing")
"""What else is asked of a camera."""

GROWTH_KIB = 8 * 1024
"""By which memory may differ from its size when warm."""

SPARE = {"tasks": 2, "threads": 8, "descriptors": 4}
"""By which a count may differ: something is always just being done, and the pool of threads fills once."""

PI, HOME = "10.77.1.2", "10.77.1.3"

NODE = f"""
name = "Soak"
listen = "0.0.0.0:{node.PORT}"
state = "FOLDER/state"

[tools]
python = "FOLDER/pi-python"

[[camera]]
id = "bench"
options = {{ linger = 1 }}
[camera.source]
kind = "csi"
camera = "{virtual_pi.IMX708}"

[[camera]]
id = "pattern"
options = {{ linger = 1 }}
[camera.source]
kind = "test_pattern"
width = 320
height = 180
rate = 10
format = "mjpeg"
"""


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Run a network; the test is on the second machine."""
    try:
        virtual_pi.tools()
        node.build()
        with network.of(PI, HOME) as (pi, home), home.entered():
            yield pi, home
    except (network.UnavailableError, virtual_pi.UnavailableError) as reason:
        pytest.skip(str(reason))


@pytest.mark.timeout(120 + 30 * CYCLES)
def test_a_node_does_not_grow(hosts: tuple[Host, Host]) -> None:
    pi, _ = hosts
    with node.installed(NODE, pi) as soaked:
        soaked.start_counted()
        cameras = [soaked.link(name, "Crowd") for name in ("bench", "pattern")]
        fresh = soaked.counts()
        warm: dict[str, int] = {}
        for cycle in range(CYCLES):
            with ThreadPoolExecutor(1) as thread:  # in this one a browser's loop may be running
                served = thread.submit(asyncio.run, bustle(soaked, [camera("") for camera in cameras], cycle))
            assert served.result() > 0
            pi.plug()
            if cycle + 1 == WARM or cycle % REPORT == REPORT - 1:
                counts = soaked.counts()
                warm = warm or counts
                print(f"{cycle + 1}: {counts}", flush=True)
        after = settled(soaked, fresh)
        print(f"{CYCLES}: {after}")
        if warm:
            assert after["memory"] - warm["memory"] < GROWTH_KIB
        assert "ERROR" not in soaked.log, soaked.log[-5000:]
        soaked.stop()
        assert not soaked.processes()


async def bustle(soaked: Node, addresses: Sequence[str], cycle: int) -> int:
    """Let all happen at once that happens in years; return how many clients were served."""
    crowds = [
        asyncio.create_task(crowd.visit(address, PATHS, viewers=VIEWERS, seconds=4, seed=2 * cycle + at))
        for at, address in enumerate(addresses)
    ]
    await asyncio.to_thread(keep, soaked)
    await asyncio.sleep(1)
    await asyncio.to_thread(kill_a_worker, soaked, cycle)
    await asyncio.to_thread(guess, soaked)
    if cycle % 3 == 2:
        assert soaked.host
        soaked.host.unplug()
        await asyncio.sleep(1)
        soaked.host.plug()
    return sum(await asyncio.gather(*crowds))


def keep(soaked: Node) -> None:
    """Record, and keep a picture; a camera whose worker was just killed may refuse."""
    with suppress(HTTPError):
        soaked.ask("/cameras/bench/recordings", {"duration": 1})
    with suppress(HTTPError):
        soaked.ask("/cameras/pattern/snapshot", {})


def kill_a_worker(soaked: Node, cycle: int) -> None:
    """Kill one of those that run, if any does."""
    with suppress(psutil.Error, IndexError):
        random.Random(cycle).choice(soaked.workers()).kill()  # noqa: S311 - no secret


def guess(soaked: Node) -> None:
    """Try to get in without being known."""
    for path in ("/cameras/bench/snapshot.jpg", "/links/wrong/stream.mjpg", "/events", "/../etc/passwd"):
        with suppress(OSError), pytest.raises(HTTPError, match=r"40[0134]"):
            urlopen(soaked.url + path, timeout=10)


def settled(soaked: Node, fresh: dict[str, int]) -> dict[str, int]:
    """Return what the node holds once it rests: hardly more than when it was `fresh`."""
    until(lambda: not soaked.workers(), "its cameras rest", timeout=90)

    def counts() -> dict[str, int]:
        held = soaked.counts()
        return held if all(held[name] <= fresh[name] + spare for name, spare in SPARE.items()) else {}

    return until(counts, f"it holds what it held when it was fresh, {fresh}", timeout=60)
