"""A real node on a free port of this machine, for every part of the tests.

`node_process(tmp_path, TOML)` starts one under the distribution's Python and ends it by its process id:

    with node_process(tmp_path, ONE_CAMERA) as node:
        urlopen(f"{node.url}/health")

By hand, from the project's folder: `.venv/node/bin/python -m tests.node_process FOLDER [TOML]` runs one on port 8089,
with a test pattern where no file is named, until Ctrl-C.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import re
import signal
import socket
import subprocess
import sys
from threading import Thread
import time
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PROJECT = Path(__file__).parents[1]
PACKAGE = PROJECT / "custom_components/tripod"
PYTHON = PROJECT / ".venv/node/bin/python"

ONE_CAMERA = """
[[camera]]
id = "door"
title = "Front door"

[camera.source]
kind = "test_pattern"
width = 320
height = 240
rate = 10
"""

READY = 30.0
"""Seconds for a node to answer: two cores are shared with other tests."""

_CODE = re.compile(r"pairing code is (\w{4}-\w{4})")


@dataclass
class NodeProcess:
    """A running node."""

    process: subprocess.Popen[str]
    url: str
    state: Path
    archive: Path
    log: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Return the pairing code that the log showed last; it does so right after the node began to listen."""
        deadline = time.monotonic() + READY
        shown: list[str] = []
        while not shown and time.monotonic() < deadline:
            shown = _CODE.findall("".join(self.log))
            time.sleep(0 if shown else 0.05)
        return shown[-1]

    def ask(self, path: str, *, method: str = "GET", body: Any = None, token: str = "") -> tuple[int, Any]:
        """Ask for JSON; return the status and the answer."""
        request = Request(f"{self.url}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urlopen(request, timeout=READY) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)

    def pair(self, name: str = "Test") -> str:
        """Return a token."""
        status, answer = self.ask("/pair", method="POST", body={"code": self.code, "name": name})
        assert status == 200, answer
        return str(answer["token"])

    def end(self) -> int:
        """Let it end as a service does, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY)


@contextmanager
def node_process(folder: Path, configuration: str = ONE_CAMERA, **given: str) -> Iterator[NodeProcess]:
    """Run a node with `configuration`, the text of a TOML file, and `given` in its environment.

    Its name, its address and its places are given it unless `given` says others.
    """
    usual = {
        "TRIPOD_NAME": "Test node",
        "TRIPOD_LISTEN": f"127.0.0.1:{free_port()}",
        "TRIPOD_STATE": str(folder / "state"),
        "TRIPOD_STORAGE_ARCHIVE": str(folder / "archive"),
        "TRIPOD_ZEROCONF": "false",
    }
    file = folder / "node.toml"
    file.write_text(configuration)
    environment = {**os.environ, "PYTHONPATH": str(_package(folder)), **usual, **given}
    port = int(environment["TRIPOD_LISTEN"].rpartition(":")[2])
    process = subprocess.Popen(
        [str(PYTHON), "-m", "tripod.node", "serve", "--config", str(file)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    scheme = "https" if "[tls]" in configuration else "http"
    node = NodeProcess(process, f"{scheme}://127.0.0.1:{port}", folder / "state", folder / "archive")
    reader = Thread(target=_read, args=(process, node.log), daemon=True)
    reader.start()
    try:
        _wait(node, port)
        yield node
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(READY)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        reader.join()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _package(folder: Path) -> Path:
    """Return a folder with engine and node alone, as the node is shipped: without Home Assistant's half."""
    root = folder / "package"
    (root / "tripod").mkdir(parents=True, exist_ok=True)
    (root / "tripod/__init__.py").touch()
    for name in ("engine", "node", "manifest.json"):
        link = root / "tripod" / name
        if not link.is_symlink():
            link.symlink_to(PACKAGE / name)
    return root


def _read(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stdout
    log.extend(process.stdout)


def _wait(node: NodeProcess, port: int) -> None:
    """Wait until it listens."""
    deadline = time.monotonic() + READY
    while node.process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the node did not start: {''.join(node.log)}")


if __name__ == "__main__":
    place = Path(sys.argv[1]).absolute()
    place.mkdir(parents=True, exist_ok=True)
    text = Path(sys.argv[2]).read_text() if len(sys.argv) > 2 else ONE_CAMERA
    with node_process(place, text, TRIPOD_LISTEN="127.0.0.1:8089") as running:
        print(f"{running.url}, pairing code {running.code}")
        signal.sigwait([signal.SIGINT, signal.SIGTERM])
