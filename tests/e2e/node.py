"""A real node, of the one file that its users copy: its process, its command line and its log."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import cache, partial
import json
import os
from pathlib import Path
import re
import shutil
import signal
import socket
import subprocess
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from home_assistant import REPOSITORY
import psutil

from tests.hardware.virtual_pi import PLACE

from .network import Host
from .waiting import until

PORT = 8089
"""Where it listens."""

_HERE = Path(__file__).parent
_BUILD = REPOSITORY / "scripts/build-node"
_PROGRAM = "tripod-node.pyz"
_PYTHON = "/usr/bin/python3"
_CONFIGURATION = "tripod-node.toml"
_USER = "nobody"
"""Who runs it: a user who may do nothing else."""

_MARK = "TEST_OF_NODE"
"""The variable that tells its processes, which inherit it, from all others."""

_COUNTS = "counts.json"
_START_SECONDS = 20
_STOP_SECONDS = 20
_REQUEST_SECONDS = 20


class Node:
    """A node in a folder of its own, run by a user who may do nothing else."""

    def __init__(self, folder: Path, configuration: str, host: Host | None = None, files: Iterable[Path] = ()) -> None:
        """Install it with `files`, on a virtual Raspberry Pi in a test's network where that is given, else here.

        What it is told may name the folder as `FOLDER`, and a free port as `PORT`.
        """
        self.folder = folder
        self.host = host
        self.port = PORT if host else _free_port()
        shutil.copy(REPOSITORY / "build" / _PROGRAM, folder)
        for file in (_HERE / "pi-python", *files):
            shutil.copy(file, folder)
        told = configuration.replace("FOLDER", str(folder)).replace("PORT", str(self.port))
        (folder / _CONFIGURATION).write_text(told)
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, _USER)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host.address if self.host else '127.0.0.1'}:{self.port}"

    @property
    def log(self) -> str:
        """All that it wrote to the terminal, in all starts."""
        return (self.folder / "output.log").read_text()

    def _command(self, *arguments: str, before: tuple[str, ...] = ()) -> list[str]:
        program = (_PYTHON, *before, _PROGRAM, *arguments)
        if self.host:
            return self.host.command(str(_HERE / "on-a-pi"), str(PLACE), str(self.folder), *program)
        user = (f"--reuid={_USER}", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()
        return ["setpriv", *user, "--no-new-privs", *program]

    @property
    def _environment(self) -> dict[str, str]:
        """The variables of its processes; those that tests are told by would be settings to it."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("TRIPOD_")}
        return {**others, "HOME": str(self.folder), _MARK: str(self.folder)}

    def start(self, *, before: tuple[str, ...] = (), environment: Mapping[str, str] | None = None) -> None:
        """Start, and wait until it answers; `before` are Python's arguments before the program."""
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("serve", "--config", _CONFIGURATION, before=before),
                cwd=self.folder,
                env={**self._environment, **(environment or {})},
                start_new_session=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers, "the node answers", timeout=_START_SECONDS)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log
        with suppress(OSError):
            return bool(self.ask("/health"))
        return False

    def stop(self) -> None:
        """End as the system's shutdown does."""
        assert self._process
        self._process.terminate()
        try:
            assert self._process.wait(_STOP_SECONDS) == 0, self.log[-2000:]
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def kill(self) -> None:
        """End as by a power cut."""
        assert self._process
        self._process.kill()
        self._process.wait()

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> psutil.Process:
        """The running process."""
        assert self._process
        return psutil.Process(self._process.pid)

    def workers(self) -> list[psutil.Process]:
        """Return what it runs besides itself."""
        return self.process.children(recursive=True)

    def processes(self) -> list[psutil.Process]:
        """Return all that it ever started and that still runs, itself included, whoever is their parent now."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_MARK) == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def start_counted(self) -> None:
        """Start so that `counts` can tell."""
        shutil.copy(_HERE / "counted.py", self.folder)
        self.start(before=("counted.py", _COUNTS))

    def counts(self) -> dict[str, int]:
        """Return what its process holds now: tasks, threads, descriptors, objects, and KiB of memory."""
        (self.folder / _COUNTS).unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        text = until(partial(_read, self.folder / _COUNTS), "the node's counts")
        return {**json.loads(text), "memory": self.process.memory_info().rss // 1024}

    def tell(self, *arguments: str) -> str:
        """Run a sub-command of its command line, as the same user, and return what it prints."""
        command = self._command(arguments[0], "--config", _CONFIGURATION, *arguments[1:])
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def ask(self, path: str, data: object = None, *, method: str | None = None, token: str = "") -> Any:
        """Return what it answers on its own machine to a JSON request."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        body = None if data is None else json.dumps(data).encode()
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method=method)
        with (
            self.host.entered() if self.host else nullcontext(),
            urlopen(request, timeout=_REQUEST_SECONDS) as answer,
        ):
            return json.load(answer)

    def pair(self, name: str = "Test") -> str:
        """Pair as Home Assistant does, and return the token."""
        told: str = self.ask("/pair", {"code": self.code(), "name": name})["token"]
        return told

    def code(self) -> str:
        """Return the pairing code that its user is shown."""
        shown = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", self.tell("code"))
        assert shown
        return shown[0]

    def link(self, camera: str, name: str) -> Callable[[str], str]:
        """Make a link for an outside client; return what makes an address of a path."""
        key = self.ask("/links", {"camera": camera, "name": name}, token=self.pair(name))["key"]
        return lambda path: f"{self.url}/links/{key}/{path}"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@cache
def build() -> None:
    """Build the file; on this machine, as it may have to fetch something."""
    subprocess.run([_BUILD], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def installed(configuration: str, host: Host | None = None, files: Iterable[Path] = ()) -> Iterator[Node]:
    """Install a node; see `Node` for what it is told. What is still running in the end is killed."""
    build()
    with TemporaryDirectory(prefix="node-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        node = Node(path, configuration, host, files)
        try:
            yield node
        finally:
            if node.running:
                node.kill()


@contextmanager
def running(configuration: str, host: Host | None = None, files: Iterable[Path] = ()) -> Iterator[Node]:
    """Run a node, and see that it stops when it is told to."""
    with installed(configuration, host, files) as node:
        node.start()
        yield node
        node.stop()
