"""What recordings cost beside the stream that they are copied from, and how exactly they begin."""

from __future__ import annotations

import asyncio
from pathlib import Path
import random
from statistics import median
import tempfile
import time

from tests.engine.recorder.reel import RATE, Reel, first_number, pictures
from tests.engine.recorder.studio import studio
from tests.servers.start import rtsp_server

from .harness import Benchmark, Key, Values, p95
from .home import Camera, Home, home

WINDOW = 20.0
"""Seconds that one figure is measured over."""

PRECISION = 0.001
"""Cores, below which one recording's figure is noise, and its ratio to others means nothing."""

ROUNDS = 3
SEVERAL = 8
SETTLE = 2.0
"""Seconds after which recordings that have just begun have caught up with the stream."""

PACKED = 10.0
"""Seconds after which recordings that were stopped are in the archive."""

PRE_ROLL = 5.0

TRIALS = 200
TRIALS_TAKE = 10.0
"""Seconds over which the trials begin."""

CAMERA = ("--size", "1920x1080", "--rate", "30", "--bit-rate", "4000000", "--pattern", "smpte")


def _run() -> Values:
    early = asyncio.run(_trials())
    with rtsp_server(*CAMERA) as source, home() as here:
        camera = here.add_camera("url", "Recording", url=source.url("h264"))
        here.set_options(camera, start="always", pre_roll=PRE_ROLL)
        rounds = [_round(here, camera) for _ in range(ROUNDS)]
    core = median(one - none for none, one, _, _ in rounds)
    several = median(many - none for none, _, many, _ in rounds)
    return {
        "core": core,
        "core_8": several,
        "cpu_ratio_8": several / max(core, PRECISION),
        "memory_8_mib": median(memory for *_, memory in rounds),
        "late_trials": sum(seconds < 0 for seconds in early),
        "early_p95_s": p95(early),
    }


def _round(here: Home, camera: Camera) -> tuple[float, float, float, float]:
    """Return the cores of the process with no recording, one and several, and what memory these take in MiB."""
    time.sleep(SETTLE)
    used, before = [], here.process.resident_mib()
    for count in (0, 1, SEVERAL - 1):
        for _ in range(count):
            _act(here, "record", camera, pre_roll=PRE_ROLL)
        time.sleep(SETTLE)
        used.append(here.process.core(WINDOW, here.process.own_cpu_seconds))
    memory = here.process.resident_mib() - before
    _act(here, "stop_record", camera)
    time.sleep(PACKED)
    none, one, several = used
    return none, one, several, memory


def _act(here: Home, action: str, camera: Camera, **fields: float) -> None:
    body = {"entity_id": camera.entity_id, **fields}
    here.client.request("POST", f"/api/services/tripod/{action}?return_response", body)


async def _trials() -> list[float]:
    """Return how many seconds earlier than asked each recording began, by the picture that it begins with."""
    reel, chance = Reel(gop=RATE), random.Random(TRIALS)  # noqa: S311 - no secret
    pictures(gop=RATE)
    trials = []
    with tempfile.TemporaryDirectory(prefix="tripod-bench-") as folder:
        async with studio(reel, Path(folder), pre_roll=PRE_ROLL, recorder={"limit": TRIALS}, patience=600) as here:
            await here.filled(PRE_ROLL + 1)
            for _ in range(TRIALS):
                await asyncio.sleep(chance.uniform(0, 2 * TRIALS_TAKE / TRIALS))
                asked, pre_roll = time.monotonic(), chance.uniform(0, PRE_ROLL)
                recording = await here.recorder.start(duration=chance.uniform(0.5, 2), pre_roll=pre_roll)
                trials.append((asked - pre_roll, recording))
            made = [(wanted, (await recording.done())[0].item.path) for wanted, recording in trials]
        return [wanted - reel.taken[first_number(path, RATE)] for wanted, path in made]


BENCHMARK = Benchmark(
    name="record",
    text="copies of a camera of 1920x1080 at 30/s, beside its stream",
    keys={
        "core": Key(text="of Home Assistant's process, above the same without a recording", unit="core", at_most=0.02),
        "core_8": Key(text=f"the same with {SEVERAL} recordings at once", unit="core"),
        "cpu_ratio_8": Key(text="of these to that", at_most=SEVERAL),
        "memory_8_mib": Key(text=f"more of Home Assistant's process, with {SEVERAL} recordings", unit="MiB", at_most=8),
        "late_trials": Key(text=f"of {TRIALS} recordings that begin later than asked", equals=0),
        "early_p95_s": Key(text="that they begin earlier, where key frames are a second apart", unit="s", at_most=1),
    },
    run=_run,
)
