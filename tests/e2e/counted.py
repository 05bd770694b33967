"""Run a Python program, and write down what it holds whenever SIGUSR1 comes: `counted.py FILE PROGRAM ARGUMENT...`."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path
import runpy
import signal
import sys
import threading
from types import FrameType


def count(_signal: int, _frame: FrameType | None) -> None:
    """Write the counts, whole or not at all; Python calls this in the event loop's thread."""
    gc.collect()
    counts = {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "objects": len(gc.get_objects()),
    }
    new = FILE.with_suffix(".new")
    new.write_text(json.dumps(counts))
    new.replace(FILE)


FILE = Path(sys.argv[1])
signal.signal(signal.SIGUSR1, count)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
