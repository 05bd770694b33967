"""What the system says about processes: CPU time, memory, descriptors, children."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import os
from pathlib import Path
import threading
import time
from typing import Self

TICK = 1 / os.sysconf("SC_CLK_TCK")
MIB = 2**20


class Process:
    """A process and those that it started, as /proc shows them."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def cpu_seconds(self) -> float:
        """Return the CPU time of the whole tree, also of what has ended in it."""
        return sum(_cpu(pid, ended_children=True) for pid in [self._pid, *self.descendants()])

    def own_cpu_seconds(self) -> float:
        """Return the CPU time of the process alone."""
        return _cpu(self._pid, ended_children=False)

    def resident_mib(self) -> float:
        """Return the process's own resident set size."""
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / MIB

    def descriptors(self) -> int:
        """Return how many files, pipes and sockets it holds open."""
        return len(os.listdir(f"/proc/{self._pid}/fd"))  # noqa: PTH208 - only their number

    def descendants(self) -> list[int]:
        """Return the children, their children, and so on."""
        parents = {pid: fields[1] for pid in _all() if (fields := _stat(pid))}
        found, last = [], {self._pid}
        while last := {pid for pid, parent in parents.items() if int(parent) in last}:
            found += sorted(last)
        return found

    def core(self, seconds: float, cpu_seconds: Callable[[], float]) -> float:
        """Return how many cores `cpu_seconds` says are used, over the next `seconds`."""
        began, before = time.monotonic(), cpu_seconds()
        time.sleep(seconds)
        return (cpu_seconds() - before) / (time.monotonic() - began)


class Spotter:
    """Note every program that is started below a process, for the time of the context."""

    INTERVAL = 0.1
    """Seconds between two looks; an encoder lives for longer."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._before = set(process.descendants())
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(self.INTERVAL):
            self.seen |= set(self._process.descendants()) - self._before


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _stat(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) after the name, from the state on; none where the process is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _cpu(pid: int, *, ended_children: bool) -> float:
    fields = _stat(pid)
    if not fields:
        return 0.0
    return sum(int(ticks) for ticks in fields[11 : 15 if ended_children else 13]) * TICK
