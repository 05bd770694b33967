"""Runs in the virtual machine: the engine and uStreamer, one after the other, on one MJPEG device, before one crowd.

    duel.py VIEWERS PICTURE WIDTH HEIGHT RATE [NODE]

VIEWERS is the built viewers.c; NODE a built tripod-node.pyz, to serve instead of the engine. Prints one JSON object:
for each server a list of rounds, each of which has by the number of viewers the cores used, what each viewer got and
missed, and the pictures' ages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
import json
from pathlib import Path
import socket
import subprocess
import sys
from tempfile import mkdtemp
import time
from typing import Any

from tests.bench.processes import Process

DEVICE = "/dev/video10"
PORT = 8090
COUNTS = (1, 8, 32)
ROUNDS = 3
WINDOW = 6.0
"""Seconds that one figure is measured over."""

SETTLE = 2.0
"""Seconds after which viewers that have just come are like those that have been there for long."""

PATIENCE = 120.0
"""Seconds that a server gets to start, in an emulated machine."""

HERE = Path(__file__).parent


def main(viewers: str, picture: str, width: str, height: str, rate: str, program: str = "") -> dict[str, Any]:
    camera = {"kind": "v4l2", "device": DEVICE, "width": int(width), "height": int(height), "rate": float(rate)}
    engine = [sys.executable, str(HERE / "serve.py"), json.dumps(camera), str(PORT)]
    servers = {
        "tripod": ("/stream.mjpg", node(program, camera) if program else engine),
        "ustreamer": (
            "/stream",
            # what it is run with for a webcam: its pictures passed on as they are
            [
                *(
                    "ustreamer",
                    f"--device={DEVICE}",
                    "--format=MJPEG",
                    "--encoder=HW",
                    f"--resolution={width}x{height}",
                ),
                *(f"--port={PORT}", "--persistent", "--log-level=0"),
            ],
        ),
    }
    rounds: dict[str, list[dict[int, Any]]] = {name: [] for name in servers}
    with running([sys.executable, str(HERE / "camera.py"), DEVICE, rate, picture, width, height]):
        until(lambda: "MJPG" in said("v4l2-ctl", "-d", DEVICE, "--list-formats"))
        for _ in range(ROUNDS):
            for name, (path, command) in servers.items():
                with running(command) as server:
                    until(answers)
                    rounds[name].append(measure(server, [viewers, "127.0.0.1", str(PORT), path]))
                until(lambda: not answers())
    return rounds


def node(program: str, camera: dict[str, Any]) -> list[str]:
    """Return the command of a node with this camera."""
    folder = Path(mkdtemp())
    source = ", ".join(f"{key} = {json.dumps(value)}" for key, value in camera.items())
    config = folder / "node.toml"
    config.write_text(f'state = "{folder}"\nzeroconf = false\n[[camera]]\nid = "camera"\nsource = {{ {source} }}\n')
    return ["/usr/bin/python3", "-I", program, "serve", "--config", str(config), "--listen", f"127.0.0.1:{PORT}"]


def measure(server: subprocess.Popen[str], crowd: list[str]) -> dict[int, Any]:
    """Return what each number of viewers costs and gets."""
    process, found, present = Process(server.pid), {}, 0
    with subprocess.Popen(crowd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as room:
        for count in COUNTS:
            tell(room, f"join {count - present}")
            present = count
            time.sleep(SETTLE)
            tell(room, "mark")
            core = process.core(WINDOW, process.cpu_seconds)
            found[count] = {"core": core, **tell(room, "read")}
        tell(room, "leave")
        room.terminate()
    return found


def tell(room: subprocess.Popen[str], command: str) -> Any:
    assert room.stdin
    assert room.stdout
    room.stdin.write(f"{command}\n")
    room.stdin.flush()
    if not (line := room.stdout.readline()):
        raise RuntimeError(f"the viewers are gone: {room.wait()}")
    return json.loads(line)


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def answers() -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", PORT), timeout=1):
        return True
    return False


def until(holds: Any) -> None:
    due = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > due:
            raise TimeoutError
        time.sleep(0.2)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
