"""What a benchmark is: keys, the bars that some must meet, and a run that fills them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import platform
import statistics
import subprocess
import time
from typing import Any

from home_assistant import PYTHON

type Value = float | bool
type Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One figure, and the bar that it must meet, if there is one."""

    text: str
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    equals: Value | None = None

    @property
    def limit(self) -> dict[str, Value]:
        """The bar, for programs."""
        limits = {"at_most": self.at_most, "at_least": self.at_least, "equals": self.equals}
        return {name: limit for name, limit in limits.items() if limit is not None}

    @property
    def bar(self) -> str:
        """The bar, for people."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.equals is None else f"= {_shown(self.equals)}"

    def met(self, value: Value) -> bool | None:
        """Whether `value` meets the bar; None where there is none."""
        if self.at_most is not None:
            return value <= self.at_most
        if self.at_least is not None:
            return value >= self.at_least
        return None if self.equals is None else value == self.equals


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A group of figures that are measured together."""

    name: str
    text: str
    keys: Mapping[str, Key]
    run: Callable[[], Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run of a benchmark gave."""

    benchmark: Benchmark
    values: Values
    seconds: float
    load: float
    """The machine's load average of the minute before: other work spoils the figures."""

    def as_dict(self) -> dict[str, Any]:
        """Return the result as one JSON-able object."""
        keys = self.benchmark.keys
        bars = {
            key: {**keys[key].limit, "met": keys[key].met(value)}
            for key, value in self.values.items()
            if keys[key].limit
        }
        return {
            "benchmark": self.benchmark.name,
            **self.values,
            "bars": bars,
            "met": all(bar["met"] for bar in bars.values()),
            "seconds": round(self.seconds, 1),
            "load_before": self.load,
            "machine": machine(),
        }

    def table(self) -> str:
        """Return the result as a table for people."""
        lines = [f"{self.benchmark.name}: {self.benchmark.text} ({self.seconds:.0f} s, load {self.load:.1f} before)"]
        for name, value in self.values.items():
            key = self.benchmark.keys[name]
            verdict = {True: "met", False: "MISSED", None: ""}[key.met(value)]
            figure = f"{_shown(value)} {key.unit}".strip()
            lines.append(f"  {name:<26}{figure:>14}  {key.bar:<9}{verdict:<8}{key.text}")
        return "\n".join(lines)


def measure(benchmark: Benchmark) -> Result:
    """Run a benchmark; whatever goes wrong is raised, and what it forgot to measure is an error."""
    load, began = os.getloadavg()[0], time.monotonic()
    values = benchmark.run()
    if unlike := set(values) ^ set(benchmark.keys):
        raise RuntimeError(f"{benchmark.name} measured other keys than it names: {sorted(unlike)}")
    rounded = {key: value if isinstance(value, bool) else float(f"{value:.4g}") for key, value in values.items()}
    return Result(benchmark=benchmark, values=rounded, seconds=time.monotonic() - began, load=round(load, 2))


def p95(values: Iterable[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line for line in lines if line.startswith(("model name", "Model"))), "")
    return {
        "cores": os.cpu_count(),
        "cpu": cpu.partition(":")[2].strip(),
        "system": f"{platform.system()} {platform.release()}",
        "home_assistant": _said(PYTHON, "-c", "from homeassistant.const import __version__ as v; print(v)"),
        "ffmpeg": _said("ffmpeg", "-version").split()[2],
    }


def _said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}"
