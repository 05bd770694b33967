"""Runs in the virtual machine: one camera through fault after fault, and what is left of them.

    faults.py CYCLES [SECONDS]

Ends after so many cycles, or seconds. Prints one JSON object: how often each fault was mended, how long that took, and
the descriptors, processes and memory that the first and the last cycle left behind. The engine is imported alone, as on
a node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import json
import math
import os
from pathlib import Path
import signal
import sys
import time
from typing import Any

from engine.backoff import Backoff  # type: ignore[import-not-found]
from engine.ffmpeg import Ffmpeg  # type: ignore[import-not-found]
from engine.options import Options  # type: ignore[import-not-found]
from engine.pipeline import Pipeline  # type: ignore[import-not-found]
from engine.sources.base import Tools  # type: ignore[import-not-found]
from engine.sources.v4l2 import V4l2  # type: ignore[import-not-found]

PATIENCE = 60
"""Seconds, in an emulated machine."""
STALL_LIMIT = 6
"""Seconds; with less, a machine that others use stalls by itself."""
DRIVER = Path("/sys/bus/platform/drivers/vivid")
CAMERA = V4l2(device="/dev/video0", input_format="yuyv422", width=320, height=180, rate=10)


class Quick(Backoff):  # type: ignore[misc]
    """Hundreds of faults in a row would be waited for longer and longer."""

    def next(self) -> float:
        return 0.1


class Patient:
    """A pipeline whose camera is harmed."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(CAMERA, Tools(ffmpeg=Ffmpeg()), Options(stall_limit=STALL_LIMIT), backoff=Quick())
        self.changed = asyncio.Event()
        self.pipeline.listen(self.changed.set)

    async def lost(self) -> str:
        """Wait until the camera is away; say why."""
        async with asyncio.timeout(PATIENCE):
            while self.pipeline.error is None:
                self.changed.clear()
                await self.changed.wait()
        return str(self.pipeline.error.cause)

    async def unplug(self) -> str:
        (DRIVER / "unbind").write_text("vivid.0")
        cause = await self.lost()
        (DRIVER / "bind").write_text("vivid.0")
        return cause

    async def disconnect(self) -> str:
        await control("disconnect=1")
        return await self.lost()

    async def error(self) -> str:
        await control("inject_fatal_streaming_error=1")
        return await self.lost()

    async def kill(self) -> str:
        for child in children():
            os.kill(child, signal.SIGKILL)
        return await self.lost()

    async def stall(self) -> str:
        await control("percentage_of_dropped_buffers=100")
        cause = await self.lost()
        await control("percentage_of_dropped_buffers=0")
        return cause


async def control(setting: str) -> None:
    """Set a control of the device, from outside."""
    program = await asyncio.create_subprocess_exec("v4l2-ctl", "-d", CAMERA.device, "-c", setting)
    if await program.wait():
        raise RuntimeError(setting)


def children() -> list[int]:
    """Return the processes that this one started, dead ones that nobody waited for as well."""
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def left() -> dict[str, int]:
    """Return what this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "children": len(children()),
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
        "tasks": len(asyncio.all_tasks()),
    }


async def main(cycles: int, seconds: float = math.inf) -> dict[str, Any]:
    """Harm the camera so many times, for so many seconds at most."""
    end = time.monotonic() + seconds
    patient = Patient()
    pipeline = patient.pipeline
    faults: list[Callable[[], Awaitable[str]]] = [
        patient.unplug,
        patient.disconnect,
        patient.error,
        patient.kill,
        patient.stall,
    ]
    mended: dict[str, dict[str, Any]] = {}
    before: dict[str, int] = {}
    pipeline.open()
    async with pipeline.frames() as reader:
        await anext(reader)
        for cycle in range(cycles):
            if time.monotonic() > end:
                break
            fault = faults[cycle % len(faults)]
            cause = await fault()
            began = time.monotonic()
            async with asyncio.timeout(PATIENCE):
                await anext(reader)
            entry = mended.setdefault(fault.__name__, {"times": 0, "causes": [], "seconds": []})
            entry["times"] += 1
            entry["causes"] = sorted({*entry["causes"], cause})
            entry["seconds"].append(round(time.monotonic() - began, 2))
            if cycle + 1 == len(faults):
                before = left()
        after = left()
    await pipeline.close()
    for entry in mended.values():
        entry["worst"] = max(entry.pop("seconds"))
    return {"mended": mended, "before": before, "after": after, "closed": left()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*map(int, sys.argv[1:])))))
