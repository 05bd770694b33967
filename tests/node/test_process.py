"""A node as it is shipped: a process of its own, beside its command line, killed and ended."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import time
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

from tests.node_process import ONE_CAMERA, PYTHON, NodeProcess, node_process

ALWAYS = f'{ONE_CAMERA}\n[camera.options]\nstart = "always"\n'


def command(node: NodeProcess, *arguments: str) -> str:
    """Run the command line beside a node, with its environment; return what it prints."""
    environment = psutil.Process(node.process.pid).environ()
    file = ("--config", environment["CONFIG"])
    done = subprocess.run(
        [str(PYTHON), "-m", "tripod.node", arguments[0], *file, *arguments[1:]],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def fetch(url: str) -> bytes:
    """Return what is at an address; a running node knows what the command line did within two seconds."""
    deadline = time.monotonic() + 3
    while True:
        try:
            with urlopen(url, timeout=20) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if error.code != 404 or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def gone(processes: list[psutil.Process]) -> bool:
    """Wait until these have ended."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


def test_it_lives_beside_its_command_line_and_dies_without_a_trace(tmp_path: Path) -> None:
    given = {"CONFIG": str(tmp_path / "node.toml")}
    with node_process(tmp_path, ALWAYS, **given) as node:
        node_id = node.ask("/node")[1]["id"]
        token = node.pair("Home")
        assert "Home" in command(node, "clients")
        code = command(node, "code").split()[0]
        status, paired = node.ask("/pair", method="POST", body={"code": code, "name": "Second"})
        assert (status, paired["node"]["id"]) == (200, node_id)
        made = command(node, "links", "--add", "door", "--name", "TV")
        snapshot = next(word for word in made.split() if word.endswith("/snapshot.jpg"))
        assert fetch(snapshot)[:2] == b"\xff\xd8"
        workers = psutil.Process(node.process.pid).children(recursive=True)
        assert any("ffmpeg" in worker.name() for worker in workers)
        node.process.kill()
        assert gone(workers)
    with node_process(tmp_path, ALWAYS, **given) as again:
        assert again.ask("/node", token=token)[1]["id"] == node_id
        assert "pairing code" not in "".join(again.log)
        workers = psutil.Process(again.process.pid).children(recursive=True)
        with urlopen(f"{again.url}/stream.mjpg", timeout=20) as stream, urlopen(f"{again.url}/events", timeout=20):
            stream.read(1000)
            began = time.monotonic()
            assert again.end() == 0
            assert time.monotonic() - began < 8
        assert gone(workers)
        said = "".join([*node.log, *again.log])
        for secret in (token, paired["token"], snapshot.split("/")[-2]):
            assert secret not in said
    assert os.listdir(tmp_path / "archive") == ["door"]  # noqa: PTH208 - names
