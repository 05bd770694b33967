"""Runs in the virtual machine: what the harness promises is there, and comes and goes.

Prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
import stat
from typing import Any

from tests.hardware.webcam import BY_ID, PATH, Webcam

TRIES = 5
"""The gadget loses a race with the kernel's driver now and then: see usbcam.py."""


def links(folder: str) -> list[str]:
    at = Path(folder)
    return sorted(link.name for link in at.iterdir()) if at.exists() else []


async def output(*command: str) -> str:
    program = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await program.communicate()
    return said.decode()


async def frames(device: Path) -> list[str]:
    """Return the size of each picture that ffmpeg reads from the device."""
    capture = ["-f", "v4l2", "-input_format", "mjpeg", "-video_size", "640x360", "-i", str(device)]
    what = ["-frames:v", "10", "-c", "copy", "-f", "framecrc", "-"]
    for _ in range(TRIES):
        said = await output("ffmpeg", "-v", "error", *capture, *what)
        if found := [line for line in said.splitlines() if not line.startswith("#")]:
            return found
    return []


async def main() -> dict[str, Any]:
    seen: dict[str, Any] = {"cards": Path("/proc/asound/cards").read_text(), "vivid": links("/dev/v4l/by-path")}
    async with Webcam() as webcam:
        seen["by_id"] = links(str(BY_ID))
        node = PATH.stat()
        seen["node"] = [stat.filemode(node.st_mode), node.st_gid]
        seen["frames"] = len(await frames(PATH))
        await webcam.unplug()
        seen["unplugged"] = links(str(BY_ID))
        await webcam.plug()
        seen["again"] = len(await frames(PATH))
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
