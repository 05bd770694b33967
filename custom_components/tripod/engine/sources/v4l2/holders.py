"""Who keeps a device from being used: the program that has it open, or the group that one is not in."""

from __future__ import annotations

import grp
import os
from pathlib import Path
import stat

from ...errors import DeviceBusy, DeviceHeld, DeviceNotPermitted, NoPermission, TripodError

PROC = Path("/proc")


def explained(error: TripodError, device: str, proc: Path = PROC) -> TripodError:
    """Return the error that says more than `error` about why `device` cannot be opened, or `error` itself.

    Looks through /proc, so it belongs in the executor.
    """
    if isinstance(error, DeviceBusy):
        return _held(device, proc) or error
    if isinstance(error, NoPermission):
        return _not_permitted(device) or error
    return error


def holders(device: str, proc: Path = PROC) -> list[int]:
    """Return the processes that have `device` open, by whatever path, as far as this user may see them."""
    try:
        number = Path(device).stat().st_rdev
    except OSError:
        return []
    return sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal() and _has_open(entry, number))


def _has_open(process: Path, number: int) -> bool:
    try:
        return any(_is_device(descriptor, number) for descriptor in (process / "fd").iterdir())
    except OSError:  # another user's, or gone
        return False


def _is_device(descriptor: Path, number: int) -> bool:
    try:
        # only devices are looked at: a file on a network share that is away would never answer
        if not str(descriptor.readlink()).startswith("/dev/"):
            return False
        found = descriptor.stat()
    except OSError:  # closed meanwhile
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == number


def _held(device: str, proc: Path) -> DeviceHeld | None:
    # this process opens devices only to ask them, which keeps nobody out
    named = [_name(pid, proc) for pid in holders(device, proc) if pid != os.getpid()]
    return DeviceHeld(device=device, holder=", ".join(named)) if named else None


def _name(pid: int, proc: Path) -> str:
    try:
        command = (proc / str(pid) / "comm").read_text().strip()
    except OSError:  # it has just ended
        return f"process {pid}"
    if is_own(pid, proc):
        return f"another camera of Tripod ({command}, process {pid})"
    return f"{command} (process {pid})"


def is_own(pid: int, proc: Path = PROC) -> bool:
    """Whether this process started `pid`, or what started it, or is it."""
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = _parent(pid, proc)
    return False


def _parent(pid: int, proc: Path) -> int:
    return int(_stat(pid, proc)[1])


def cpu_time(pid: int, proc: Path = PROC) -> float:
    """Return the seconds that a process has been running on a CPU; 0 where it has ended."""
    user, system = _stat(pid, proc)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int, proc: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; zeros where the process has ended."""
    try:
        # the command before it, in brackets, may hold anything
        return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 13


def _not_permitted(device: str) -> DeviceNotPermitted | None:
    try:
        found = Path(device).stat()
    except OSError:
        return None
    gid = found.st_gid
    member = os.geteuid() == 0 or gid in (os.getegid(), *os.getgroups())
    if member or not found.st_mode & stat.S_IWGRP:
        return None  # to join the group would not help
    return DeviceNotPermitted(device=device, group=_group(gid), gid=str(gid))


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:  # a container does not know the host's groups
        return str(gid)
