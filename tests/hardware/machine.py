"""The virtual machine that the hardware tests and benchmarks run in, with real devices. See with-vivid."""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".venv/vivid"
ENGINE = ROOT / "custom_components/tripod"
"""What the guest imports the engine from, alone, as a node does: Home Assistant takes a minute to import there."""


class UnavailableError(Exception):
    """No such machine can run here; says why."""


class FailedError(Exception):
    """The program in the machine failed; says what it wrote."""


def run(program: Path, *arguments: str, options: Sequence[str] = (), seconds: float = 400) -> Any:
    """Run a Python program in the machine; return the JSON value that it prints.

    `options` are with-vivid's. The program may import the engine as `engine`, and this repository's tests.
    """
    _check()
    if "--uvc" in options:
        webcam_parts()
    command: list[str | Path] = [HERE / "with-vivid", "--timeout", str(seconds), *options, "--"]
    environment = {
        **os.environ,
        "WITH_VIVID_CACHE": str(CACHE),
        "PYTHONPATH": f"{ENGINE}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [*command, sys.executable, program, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FailedError(f"{program.name} ended with {done.returncode}: {done.stderr[-4000:]}")
    return json.loads(done.stdout)


def _check() -> None:
    if platform.machine() != "x86_64":
        raise UnavailableError("its kernel is for x86-64, and it runs this machine's own programs")
    found("qemu-system-x86_64")


def found(program: str) -> str:
    """Return where a program of this machine is; raises `UnavailableError`."""
    if not (path := shutil.which(program)):
        raise UnavailableError(f"needs {program}: scripts/setup hardware")
    return path


def webcam_parts() -> tuple[Path, Path]:
    """Return the built ep0.c, and a folder of pictures, that usbcam.py needs: made once, here."""
    ep0, frames = CACHE / "webcam/ep0", CACHE / "webcam/frames"
    source = HERE / "ep0.c"
    if not ep0.exists() or ep0.stat().st_mtime < source.stat().st_mtime:
        ep0.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([found("gcc"), "-O2", "-o", ep0, source], check=True)
    for size in ("640x360", "1280x720"):
        folder = frames / size
        if not folder.exists():
            partly = frames.with_name(f"frames.{size}.part")
            partly.mkdir(parents=True, exist_ok=True)
            pattern = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15", "-t", "2"]
            output = ["-q:v", "5", "-pix_fmt", "yuvj420p", str(partly / "%03d.jpg")]
            subprocess.run([found("ffmpeg"), "-v", "error", "-y", *pattern, *output], check=True)
            frames.mkdir(exist_ok=True)
            partly.rename(folder)
    return ep0, frames
