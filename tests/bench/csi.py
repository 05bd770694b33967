"""What a CSI camera costs above Picamera2 alone: the real Picamera2, on libcamera's virtual cameras."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import json
import os
from pathlib import Path
import socket
from statistics import median
import subprocess
import sys
import time

from tests.hardware import machine, virtual_pi

from .harness import Benchmark, Key, Values
from .processes import Process
from .wire import read_until, watching

SOURCE = {
    "camera": virtual_pi.IMX708,
    "width": 1280,
    "height": 720,
    "rate": 30,
    "bit_rate": 3_000_000,
    "lores_width": 640,
    "lores_height": 360,
    "jpeg_rate": 10,
    "quality": 80,
}
GUEST = Path(__file__).parent / "guest"
ROUNDS = 3
WINDOW = 10.0
"""Seconds that one figure is measured over."""

SETTLE = 3.0
"""Seconds until the encoders have taken up their pace."""

PATIENCE = 60.0
"""Seconds for a program to start."""

_JPEG = b"\xff\xd8\xff"
_PARAMETERS = b"\x00\x00\x01\x67"
"""What a key frame begins with: the sequence parameter set."""


def _run() -> Values:
    python = virtual_pi.tools().python
    first_picture = _first(python, "stream.mjpg", _JPEG)
    first_video = _first(python, "stream.ts", _PARAMETERS)
    # in turns, so that what else the machine does meets both
    rounds = [(_bare(python), *_ours(python)) for _ in range(ROUNDS)]
    bare, parent, worker = (median(each[part] for each in rounds) for part in range(3))
    return {
        "overhead_core": median(ours + works - alone for alone, ours, works in rounds),
        "engine_core": parent,
        "worker_core": worker,
        "bare_core": bare,
        "first_picture_s": first_picture,
        "first_video_s": first_video,
    }


def _bare(python: str) -> float:
    """Return the cores that Picamera2 takes alone."""
    command = [python, str(GUEST / "bare_picamera2.py"), json.dumps(SOURCE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=machine.ROOT) as program:
        assert program.stdout
        assert program.stdin
        while line := program.stdout.readline():
            if line.strip() == b"running":
                break
        else:
            raise RuntimeError(f"Picamera2 alone does not run: {program.wait()}")
        time.sleep(SETTLE)
        process = Process(program.pid)
        used = process.core(WINDOW, process.cpu_seconds)
        program.stdin.close()
    return used


def _ours(python: str) -> tuple[float, float]:
    """Return the cores that the engine takes with a viewer of each medium, and those of its worker."""
    with _engine(python) as (process, url), watching(f"{url}stream.mjpg", f"{url}stream.ts"):
        time.sleep(SETTLE)
        own, everything = process.own_cpu_seconds(), process.cpu_seconds()
        began = time.monotonic()
        time.sleep(WINDOW)
        seconds = time.monotonic() - began
        parent = (process.own_cpu_seconds() - own) / seconds
        return parent, (process.cpu_seconds() - everything) / seconds - parent


@contextmanager
def _engine(python: str) -> Iterator[tuple[Process, str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(GUEST / "serve.py"), json.dumps({"kind": "csi", **SOURCE}), str(port), python]
    environment = {**os.environ, "PYTHONPATH": f"{machine.ENGINE}"}
    with subprocess.Popen(command, env=environment, cwd=machine.ROOT) as program:
        try:
            _until_answers(port)
            yield Process(program.pid), f"http://127.0.0.1:{port}/"
        finally:
            program.terminate()


def _until_answers(port: int) -> None:
    due = time.monotonic() + PATIENCE
    while time.monotonic() < due:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the engine does not answer")


def _first(python: str, path: str, wanted: bytes) -> float:
    """Return the seconds from asking for the stream, the camera being off, to its first picture."""
    with _engine(python) as (_, url):
        began = time.monotonic()
        read_until(f"{url}{path}", lambda data: wanted in data)
        return time.monotonic() - began


BENCHMARK = Benchmark(
    name="csi",
    text="a CSI camera, H.264 of 1280x720 at 30/s and JPEGs of 640x360 at 10/s, the real Picamera2",
    keys={
        "overhead_core": Key(text="above Picamera2 alone, with a viewer of each", unit="core", at_most=0.03),
        "engine_core": Key(text="the engine's process", unit="core"),
        "worker_core": Key(text="its worker", unit="core"),
        "bare_core": Key(text="Picamera2 alone with the same encodes", unit="core"),
        "first_picture_s": Key(text="from asking to the first JPEG, the camera being off", unit="s"),
        "first_video_s": Key(text="from asking to the first video", unit="s"),
    },
    run=_run,
)
