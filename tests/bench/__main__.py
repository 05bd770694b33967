"""Measure Tripod's speed on this machine. See scripts/bench."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import traceback

from . import (
    archive,
    cameras,
    core_play,
    csi,
    fanout,
    first_picture,
    hop,
    memory,
    node,
    passthrough,
    record,
    replug,
    snapshot,
    timelapse,
    v4l2,
)
from .harness import Benchmark, machine, measure

BENCHMARKS: dict[str, Benchmark] = {
    module.BENCHMARK.name: module.BENCHMARK
    for module in (
        fanout,
        snapshot,
        first_picture,
        core_play,
        passthrough,
        memory,
        record,
        timelapse,
        archive,
        v4l2,
        csi,
        replug,
        hop,
        cameras,
        node,
    )
}


def main() -> int:
    """Run the program; the status tells whether all could be measured, not whether it was fast."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line instead of a table")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and what they measure")
    parser.add_argument("benchmarks", nargs="*", metavar="BENCHMARK", help="default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.benchmarks) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))} (see --list)")
    chosen = [BENCHMARKS[name] for name in arguments.benchmarks or BENCHMARKS]
    if arguments.list:
        print("\n\n".join(_description(benchmark) for benchmark in chosen))
        return 0
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))  # or Home Assistant would go on without us
    if not arguments.json:
        print("  ".join(f"{fact}: {value}" for fact, value in machine().items()))
    return max([_run(benchmark, as_json=arguments.json) for benchmark in chosen])


def _run(benchmark: Benchmark, *, as_json: bool) -> int:
    """Measure and print; return whether it failed, so that one failure does not hide the other figures."""
    try:
        result = measure(benchmark)
    except Exception:  # noqa: BLE001 - whatever it is, it is shown
        print(f"bench: {benchmark.name} could not be measured\n{traceback.format_exc()}", file=sys.stderr)
        if as_json:
            print(json.dumps({"benchmark": benchmark.name, "error": traceback.format_exc(limit=0).strip()}), flush=True)
        return 1
    print(json.dumps(result.as_dict()) if as_json else f"\n{result.table()}", flush=True)
    return 0


def _description(benchmark: Benchmark) -> str:
    keys = [f"  {name:<26}{key.bar:<9}{key.text}" for name, key in benchmark.keys.items()]
    return "\n".join([f"{benchmark.name}: {benchmark.text}", *keys])


if __name__ == "__main__":
    sys.exit(main())
