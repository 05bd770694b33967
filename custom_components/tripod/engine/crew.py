"""Which child processes work for a camera, by what they do, and what they take.

Whoever begins a task says once what it is for (`Crew.work`); every child that the task starts, or a task of its own
does, is then known. /proc tells of those that run; of one that has ended, what it had taken when it was last read is
kept, so that the sum never goes back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
import os
from pathlib import Path

PROC = Path("/proc")

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# fields of /proc/PID/stat after the name in brackets, which may hold anything (proc_pid_stat(5))
_CPU, _THREADS, _START, _RSS = slice(11, 13), 17, 19, 21


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes take."""

    cpu: float = 0.0
    """Seconds since they began, user and system."""
    memory: int = 0
    """Resident bytes now."""
    count: int = 0
    """How many there are now."""


class Crew:
    """The children of one camera."""

    def __init__(self) -> None:
        """Begin with none."""
        self._roles: dict[int, str] = {}
        self._seen: dict[int, float] = {}
        self._spent: defaultdict[str, float] = defaultdict(float)

    def work(self, role: str) -> None:
        """Count the children of the current task, and of the tasks that it starts, from now on as `role`."""
        _current.set((self, role))

    async def usage(self) -> Mapping[str, Usage]:
        """Return what the children take, by role; a role that has no child any more keeps what it spent."""
        roles = dict(self._roles)
        found = await asyncio.to_thread(lambda: {pid: read(pid) for pid in roles})
        running: dict[str, list[Usage]] = {role: [] for role in (*self._spent, *roles.values())}
        for pid, usage in found.items():
            if usage and self._roles.get(pid) == roles[pid]:
                self._seen[pid] = usage.cpu
                running[roles[pid]].append(usage)
        return {
            role: Usage(
                cpu=self._spent[role] + sum(usage.cpu for usage in usages),
                memory=sum(usage.memory for usage in usages),
                count=len(usages),
            )
            for role, usages in running.items()
        }

    def add(self, pid: int, role: str) -> Callable[[], None]:
        """Count a child as one that does `role`; return what ends this, and may be called again."""
        self._roles[pid] = role

        def leave() -> None:
            if self._roles.pop(pid, None):
                self._spent[role] += self._seen.pop(pid, 0.0)

        return leave


_current: ContextVar[tuple[Crew, str] | None] = ContextVar("crew", default=None)


def join(pid: int) -> Callable[[], None]:
    """Count a child among those of whom the current task works for; return what ends this, and may be called again."""
    if (current := _current.get()) is None:
        return lambda: None
    crew, role = current
    return crew.add(pid, role)


def change_role(role: str) -> None:
    """Count the children of the current task as `role` from now on, for the same camera."""
    if current := _current.get():
        current[0].work(role)


def read(pid: int, proc: Path = PROC) -> Usage | None:
    """Return what a process takes; None where there is none. Reads a file."""
    if (fields := _fields(pid, proc)) is None:
        return None
    return Usage(cpu=sum(map(int, fields[_CPU])) / _TICKS, memory=int(fields[_RSS]) * _PAGE, count=1)


@dataclass(frozen=True, slots=True)
class Own:
    """What this process takes."""

    usage: Usage
    started_at: float
    """Unix time."""
    threads: int
    open_files: int


def own(proc: Path = PROC) -> Own | None:
    """Return what this process takes; None on a system without /proc. Reads files."""
    pid = os.getpid()
    fields, usage = _fields(pid, proc), read(pid, proc)
    if fields is None or usage is None:
        return None
    boot = next(line for line in (proc / "stat").read_text().splitlines() if line.startswith("btime "))
    return Own(
        usage=usage,
        started_at=int(boot.split()[1]) + int(fields[_START]) / _TICKS,
        threads=int(fields[_THREADS]),
        open_files=len(list((proc / str(pid) / "fd").iterdir())),
    )


def _fields(pid: int, proc: Path) -> list[str] | None:
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:  # it has ended
        return None
    return text.rpartition(")")[2].split()
