"""Run a program that dies with its parent: `python -I -S guard.py PARENT_PID NICE PROGRAM ARGUMENT...`.

Linux sends the signal asked for by prctl(2) PR_SET_PDEATHSIG when the parent dies, even by SIGKILL, and keeps the
request across execve(2). A program of its own, because code between fork and exec is unsafe in a threaded parent.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9
NOT_STARTED = 127
"""Exit status when the program could not be run, as shells do."""


def main() -> None:
    """Ask for the parent's death signal, give way to others by `NICE`, then become the program."""
    parent, nice, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was made
        sys.exit(NOT_STARTED)
    try:
        os.nice(nice)
        os.execvp(program, sys.argv[3:])  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"cannot run {program}: {error.strerror}\n")
        sys.exit(NOT_STARTED)


if __name__ == "__main__":
    main()
