"""The one file, as it is copied to a machine: on the system's own Python, as a user who may nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import psutil
import pytest

REPOSITORY = Path(__file__).parents[2]
PYTHON = ("/usr/bin/python3", "-I")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()

BLOCKED = """
import asyncio, sys, time
sys.path.insert(0, {repository!r})
import tests.node
from custom_components.tripod.node.systemd import Systemd

async def main():
    systemd = Systemd()
    pings = asyncio.create_task(systemd.ping())
    await asyncio.sleep(1)
    systemd._tell("BLOCKED=1")
    time.sleep(60)

asyncio.run(main())
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that everybody may enter, as those of pytest may not be."""
    with TemporaryDirectory(prefix="tripod-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def program() -> Iterator[Path]:
    """Build the file."""
    with open_folder() as folder:
        build(folder / "tripod-node.pyz")
        yield folder / "tripod-node.pyz"


def build(target: Path) -> None:
    subprocess.run([REPOSITORY / "scripts/build-node", target], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a folder that belongs to the user who may nothing."""
    with open_folder() as folder:
        if NOBODY:
            os.chown(folder, 65534, 65534)
        yield folder


@pytest.fixture
def notified(home: Path) -> Iterator[socket.socket]:
    """Stand where systemd would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(home / "notify"))
        (home / "notify").chmod(0o777)
        manager.settimeout(30)
        yield manager


def run(program: Path, home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NOBODY, *PYTHON, program, *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def serving(program: Path, home: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*NOBODY, *PYTHON, program, *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TRIPOD_CAMERA": "test_pattern", **environment},
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def heard(manager: socket.socket, message: str) -> str:
    """Return the first datagram that begins with `message`."""
    while not (text := manager.recv(4096).decode()).startswith(message):
        pass
    return text


def test_the_same_sources_make_the_same_file(program: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == program.read_bytes()


def test_it_serves_and_stops_with_a_viewer_and_leaves_nothing(
    program: Path, home: Path, notified: socket.socket
) -> None:
    port = free_port()
    environment = {"NOTIFY_SOCKET": str(home / "notify"), "WATCHDOG_USEC": "1000000"}
    with serving(program, home, "serve", "--listen", f"127.0.0.1:{port}", **environment) as process:
        assert "1 camera" in heard(notified, "READY=1")
        assert heard(notified, "WATCHDOG=1")
        viewer = urlopen(f"http://127.0.0.1:{port}/stream.mjpg")
        assert viewer.read(1000)
        with urlopen(f"http://127.0.0.1:{port}/node") as answer:
            assert json.load(answer)["cameras"][0]["state"] == "streaming"
        process.send_signal(signal.SIGHUP)
        assert heard(notified, "WATCHDOG=1"), "it goes on"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert workers
        process.terminate()
        assert heard(notified, "STOPPING=1")
        _, log = process.communicate(timeout=10)
        assert process.returncode == 0, log
        assert "SIGHUP changes nothing" in log
        assert not [worker for worker in workers if worker.is_running()]
        viewer.close()


def test_the_watchdog_hears_nothing_of_a_loop_that_hangs(home: Path, notified: socket.socket) -> None:
    script = BLOCKED.format(repository=str(REPOSITORY))
    environment = {**os.environ, "NOTIFY_SOCKET": str(home / "notify"), "WATCHDOG_USEC": "300000"}
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        try:
            heard(notified, "WATCHDOG=1")
            heard(notified, "BLOCKED=1")
            notified.settimeout(1)
            with pytest.raises(TimeoutError):
                notified.recv(4096)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("version",), 0, "tripod-node 0."),
        (("--help",), 0, "links  "),
        (("frobnicate",), 2, "there is no frobnicate"),
        (("serve", "--config", "/nothing"), 78, "/nothing: it cannot be read: No such file or directory"),
        (("links", "--add", "cellar"), 1, "The node has no camera cellar"),
        (("links", "--remove", "0"), 1, "There is no link 0."),
        (("clients",), 0, "No client is paired"),
        (("check", "--state", "/etc/state"), 1, "PROBLEM  state folder: /etc"),
        (("check", "--listen", "127.0.0.1:1"), 1, "PROBLEM  port 1: ports below 1024 are for root"),
    ],
)
def test_what_it_says(program: Path, home: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = run(program, home, *arguments)
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said(program: Path, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(program, home, "serve", "--listen", f"127.0.0.1:{port}", TRIPOD_CAMERA="test_pattern")
        assert done.returncode == 78
        assert str(port) in done.stderr
        assert "Traceback" not in done.stderr
        done = run(program, home, "check", "--listen", f"127.0.0.1:{port}", TRIPOD_CAMERA="test_pattern")
        assert done.returncode == 1
        assert f"PROBLEM  port {port}: another program listens there" in done.stdout


def test_init_writes_once_what_check_accepts(program: Path, home: Path) -> None:
    path = home / "tripod-node.toml"
    made = run(program, home, "init", "--config", str(path))
    assert made.returncode == 0, made
    written = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    again = run(program, home, "init", "--config", str(path))
    assert again.returncode == 1
    assert "stays as it is" in again.stderr
    assert path.read_text() == written
    checked = run(program, home, "check", "--config", str(path), "--listen", f"127.0.0.1:{free_port()}")
    assert checked.returncode == 0, checked.stdout
    assert "All is well." in checked.stdout


def test_links_codes_and_clients(program: Path, home: Path) -> None:
    path = home / "tripod-node.toml"
    path.write_text('[[camera]]\nid = "hall"\nsource = { kind = "test_pattern" }\n')
    node = ("--config", str(path), "--state", str(home / "state"))
    made = run(program, home, "links", *node, "--add", "hall", "--name", "OctoPrint", "--days", "7", "--viewers", "2")
    assert "/stream.mjpg" in made.stdout
    listed = run(program, home, "links", *node).stdout.splitlines()
    assert "OctoPrint" in listed[1]
    assert run(program, home, "links", *node, "--remove", listed[1].split()[0]).returncode == 0
    assert "There is no link" in run(program, home, "links", *node).stdout
    shown = run(program, home, "code", *node).stdout
    assert len(shown.splitlines()[0]) == len("XXXX-XXXX")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can act as another user")
def test_root_acts_as_the_owner_of_the_folder(program: Path, home: Path) -> None:
    assert run(program, home, "code", "--state", str(home / "state")).returncode == 0
    subprocess.run(
        [*PYTHON, program, "code", "--state", home / "state"], check=True, capture_output=True, env={"HOME": str(home)}
    )
    assert {path.stat().st_uid for path in (home / "state").rglob("*")} == {65534}


@pytest.fixture
def unpack(program: Path, home: Path) -> Callable[[], Path]:
    """Run the program, and return the folder from which it ran."""

    def once() -> Path:
        assert run(program, home, "version").returncode == 0
        (folder,) = (home / ".cache/tripod-node").iterdir()
        return folder

    return once


def test_what_was_unpacked_is_mended(unpack: Callable[[], Path]) -> None:
    folder = unpack()
    worker = folder / "tripod/engine/picamera2_worker.py"
    inode = worker.stat().st_ino
    assert unpack() == folder
    assert worker.stat().st_ino == inode, "it is unpacked once"
    worker.unlink()
    assert unpack() == folder
    assert worker.exists()


def test_older_builds_go_unless_they_run(program: Path, home: Path, notified: socket.socket) -> None:
    older = program.with_name("older.pyz")
    older.write_bytes(program.read_bytes())
    subprocess.run([sys.executable, "-c", RENAME, older, "older"], check=True)
    with serving(older, home, "serve", "--listen", "127.0.0.1:0", NOTIFY_SOCKET=str(home / "notify")):
        heard(notified, "READY=1")
        assert run(program, home, "version").returncode == 0
        assert (home / ".cache/tripod-node/older/tripod/node/main.py").exists()
    assert run(program, home, "version").returncode == 0
    assert not (home / ".cache/tripod-node/older").exists()


RENAME = """
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old:
    files = {name: old.read(name) for name in old.namelist()}
with zipfile.ZipFile(sys.argv[1], "w") as new:
    for name, data in files.items():
        new.writestr(name, sys.argv[2] if name == "build" else data)
"""


def test_a_cache_that_others_can_write_is_not_run_from(program: Path, home: Path) -> None:
    cache = home / ".cache/tripod-node"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    before = set(Path("/tmp").glob("tripod-node-*"))  # noqa: S108 - where such a cache is made
    assert run(program, home, "version").returncode == 0
    assert not list(cache.iterdir())
    assert set(Path("/tmp").glob("tripod-node-*")) <= before, "the one that was made instead is gone"  # noqa: S108
