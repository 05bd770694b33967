"""What a node costs: each added viewer, beside motion-in-ocean and uStreamer; its memory; how soon it shows something.

motion-in-ocean is not part of this project. Where it is at hand, `BENCH_MIO` is the command that serves its
camera with pictures of 1280x720 at 12 a second and room for ten viewers, in which `{port}` stands for the port; its
figures are left out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import select
import shlex
import socket
from statistics import median
import subprocess
import sys
from tempfile import TemporaryDirectory
import threading
import time
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from tests.hardware import machine
from tests.servers.start import http_camera

from .guest.duel import COUNTS
from .harness import Benchmark, Key, Values
from .processes import Process
from .v4l2 import GUEST, HEIGHT, LOST, RATE as GUEST_RATE, WIDTH, lost, picture, viewers

ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"
RATE = 12
FEW, MANY = 1, 10
ROUNDS = 3
WINDOW = 6.0
"""Seconds that one figure is measured over."""

SETTLE = 1.5
"""Seconds after which viewers that have just come are like those that have been there for long."""

MIO = "BENCH_MIO"


class Drain:
    """Viewers that throw away what they get, in the kernel."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for viewer in self._sockets:
            viewer.close()

    def join(self, count: int) -> None:
        for _ in range(count):
            viewer = socket.create_connection(("127.0.0.1", self._port))
            viewer.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if b" 200 " not in viewer.recv(20):
                raise RuntimeError("a viewer is not let in")
            viewer.settimeout(0)
            self._sockets.append(viewer)

    def _read(self) -> None:
        scrap = bytearray(1 << 20)
        while not self._ended.is_set():
            ready, _, _ = select.select(list(self._sockets), [], [], 0.1)
            for viewer in ready:
                viewer.recv_into(scrap, len(scrap), socket.MSG_TRUNC)


def _run() -> Values:
    with TemporaryDirectory() as folder:
        program = Path(folder) / "tripod-node.pyz"
        subprocess.run([ROOT / "scripts/build-node", program], check=True, stdout=subprocess.DEVNULL)
        with http_camera("--size", f"{WIDTH}x{HEIGHT}", "--rate", str(RATE)) as source:
            config = Path(folder) / "node.toml"
            config.write_text(_CONFIG.format(url=source.url("stream.mjpg"), folder=folder))
            ours = [_measured(lambda port: _node(program, config, port)) for _ in range(ROUNDS)]
        cost = median(each["added"] for each in ours)
        return {
            "cpu_us_per_frame": cost,
            "rss_mib": max(each["rss"] for each in ours),
            "first_frame_s": median(each["first"] for each in ours[1:]),
            **_against_mio(cost),
            **_against_ustreamer(program),
        }


_CONFIG = """\
state = "{folder}/state"
[[camera]]
id = "camera"
source = {{ kind = "url", url = "{url}", delivery = "frames" }}
"""


def _node(program: Path, config: Path, port: int) -> list[str]:
    return [PYTHON, "-I", str(program), "serve", "--config", str(config), "--listen", f"127.0.0.1:{port}"]


def _measured(command: Callable[[int], list[str]]) -> dict[str, float]:
    """Return the CPU in microseconds for each frame to each added viewer, the memory, and the time to a first frame."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    began = time.monotonic()
    with _running(command(port)) as pid, Drain(port) as viewers:
        first = _first_frame(port) - began
        process = Process(pid)
        viewers.join(FEW)
        time.sleep(SETTLE)
        few = process.core(WINDOW, process.own_cpu_seconds)
        viewers.join(MANY - FEW)
        time.sleep(SETTLE)
        many = process.core(WINDOW, process.own_cpu_seconds)
        rss = process.resident_mib()
    return {"added": (many - few) / (MANY - FEW) / RATE * 1e6, "rss": rss, "first": first}


@contextmanager
def _running(command: list[str]) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _first_frame(port: int) -> float:
    """Return when the first picture was there."""
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/snapshot.jpg", timeout=30) as answer:
                if answer.read(3) == b"\xff\xd8\xff":
                    return time.monotonic()
        except URLError, ConnectionError:
            time.sleep(0.02)


def _against_mio(ours: float) -> Values:
    if not (given := os.environ.get(MIO)):
        print(f"node: no {MIO} (see --list): motion-in-ocean is left out", file=sys.stderr)
        return {}
    rounds = [_measured(lambda port: shlex.split(given.format(port=port))) for _ in range(ROUNDS)]
    theirs = median(each["added"] for each in rounds)
    return {
        "ratio_vs_mio": ours / theirs,
        "mio_cpu_us_per_frame": theirs,
        "mio_rss_mib": max(each["rss"] for each in rounds),
    }


def _against_ustreamer(program: Path) -> Values:
    """Measure both in the virtual machine, on one device; what is compared is what added viewers cost."""
    here = machine.CACHE / "bench/tripod-node.pyz"
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_bytes(program.read_bytes())
    arguments = [str(viewers()), str(picture()), str(WIDTH), str(HEIGHT), str(GUEST_RATE), str(here)]
    found = machine.run(GUEST / "duel.py", *arguments, options=["--vivid", "none", "--loopback", "1"], seconds=900)
    ours, theirs = found["tripod"], found["ustreamer"]
    held = [count for count in COUNTS[1:] if lost(ours, count) <= LOST and lost(theirs, count) <= LOST]
    if not held:
        raise RuntimeError(f"neither held {GUEST_RATE}/s for {COUNTS[1]} viewers")
    most = str(held[-1])

    def added(rounds: list[dict[str, dict[str, float]]]) -> float:
        first = min(each[str(COUNTS[0])]["core"] for each in rounds)
        return (min(each[most]["core"] for each in rounds) - first) / (held[-1] - COUNTS[0])

    return {
        "ratio_vs_ustreamer": added(ours) / added(theirs),
        "guest_viewers": held[-1],
        "guest_core_per_viewer": added(ours),
        "guest_ustreamer_core_per_viewer": added(theirs),
    }


BENCHMARK = Benchmark(
    name="node",
    text=f"a node as it is shipped, with one camera of {WIDTH}x{HEIGHT}; motion-in-ocean by {MIO}",
    keys={
        "cpu_us_per_frame": Key(text=f"of each frame to an added viewer, {FEW} against {MANY}", unit="µs"),
        "ratio_vs_mio": Key(text="the same beside motion-in-ocean", at_most=0.5),
        "mio_cpu_us_per_frame": Key(text="motion-in-ocean's", unit="µs"),
        "mio_rss_mib": Key(text="motion-in-ocean's memory", unit="MiB"),
        "rss_mib": Key(text=f"the node's memory with {MANY} viewers", unit="MiB", at_most=45),
        "first_frame_s": Key(text="from the start of the program to a picture", unit="s"),
        "ratio_vs_ustreamer": Key(text="CPU of an added viewer, beside uStreamer in the machine", at_most=2),
        "guest_viewers": Key(text="viewers that both held there"),
        "guest_core_per_viewer": Key(text="the node's there", unit="core"),
        "guest_ustreamer_core_per_viewer": Key(text="uStreamer's there", unit="core"),
    },
    run=_run,
)
