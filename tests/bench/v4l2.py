"""What a USB camera's pictures cost to capture and pass on, beside uStreamer, on one device in one machine."""

from __future__ import annotations

from pathlib import Path
from statistics import median
import subprocess
from typing import Any

from tests.hardware import machine

from .guest.duel import COUNTS
from .harness import Benchmark, Key, Values

WIDTH, HEIGHT, RATE = 1280, 720, 10
BUILT = machine.CACHE / "bench"
GUEST = Path(__file__).parent / "guest"

LOST = 0.1
"""Part of the pictures that viewers may miss and still be said to be served at full rate, in an emulated machine."""

type Round = dict[str, Any]


def _run() -> Values:
    arguments = [str(viewers()), str(picture()), str(WIDTH), str(HEIGHT), str(RATE)]
    found = machine.run(GUEST / "duel.py", *arguments, options=["--vivid", "none", "--loopback", "1"], seconds=900)
    # Of several rounds the least counts: what else the machine does only adds.
    ours, theirs = found["tripod"], found["ustreamer"]
    held = [count for count in COUNTS if lost(ours, count) <= LOST and lost(theirs, count) <= LOST]
    if not held:
        raise RuntimeError(f"neither held {RATE}/s: {[lost(rounds, COUNTS[0]) for rounds in (ours, theirs)]}")
    latency, their_latency = _latency(ours), _latency(theirs)
    return {
        "ratio_vs_ustreamer": _core(ours, held[-1]) / _core(theirs, held[-1]),
        "held": held[-1],
        "latency_ms": latency,
        "latency_ustreamer_ms": their_latency,
        "latency_ratio": latency / their_latency,
        **{f"core_{count}": _core(ours, count) for count in COUNTS},
        **{f"core_ustreamer_{count}": _core(theirs, count) for count in COUNTS},
        **{f"lost_{count}": lost(ours, count) for count in COUNTS},
        **{f"lost_ustreamer_{count}": lost(theirs, count) for count in COUNTS},
    }


def _core(rounds: list[Round], count: int) -> float:
    return float(min(each[str(count)]["core"] for each in rounds))


def lost(rounds: list[Round], count: int) -> float:
    """Return the part of the pictures that this many viewers missed."""
    return min(_part_missed(each[str(count)]["viewers"]) for each in rounds)


def _part_missed(viewers: list[tuple[int, int]]) -> float:
    missed = sum(missed for _, missed in viewers)
    return missed / (sum(pictures for pictures, _ in viewers) + missed)


def _latency(rounds: list[Round]) -> float:
    """Return the usual age of a picture when one viewer has it whole, in milliseconds."""
    return float(min(median(each["1"]["ages_ms"]) for each in rounds))


def viewers() -> Path:
    BUILT.mkdir(parents=True, exist_ok=True)
    built = BUILT / "viewers"
    subprocess.run([machine.found("gcc"), "-O2", "-o", built, GUEST / "viewers.c"], check=True)
    return built


def picture() -> Path:
    """Return a picture with as much in it as a webcam's."""
    picture = BUILT / "picture.jpg"
    source = ["-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT},noise=alls=12", "-frames:v", "1"]
    output = ["-pix_fmt", "yuvj420p", "-q:v", "7", str(picture)]
    subprocess.run([machine.found("ffmpeg"), "-v", "error", "-y", *source, *output], check=True)
    return picture


BENCHMARK = Benchmark(
    name="v4l2",
    text=f"an MJPEG device of {WIDTH}x{HEIGHT} at {RATE}/s, the engine beside uStreamer, in an emulated machine",
    keys={
        "ratio_vs_ustreamer": Key(text="CPU of capture and viewers, as many as both hold", at_most=2),
        "held": Key(text="viewers that both serve at full rate"),
        "latency_ms": Key(text="a picture's age when one viewer has it whole", unit="ms"),
        "latency_ustreamer_ms": Key(text="the same with uStreamer", unit="ms"),
        "latency_ratio": Key(text="ours as part of theirs", at_most=1.2),
        **{f"core_{count}": Key(text=f"with {count} viewers", unit="core") for count in COUNTS},
        **{f"core_ustreamer_{count}": Key(text=f"uStreamer with {count}", unit="core") for count in COUNTS},
        **{f"lost_{count}": Key(text=f"part of the pictures that {count} viewers missed") for count in COUNTS},
        **{f"lost_ustreamer_{count}": Key(text=f"uStreamer's {count}") for count in COUNTS},
    },
    run=_run,
)
