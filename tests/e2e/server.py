"""A real Home Assistant that a test may start, kill and start again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import socket
import subprocess
from typing import Any
from urllib.request import Request, urlopen

from home_assistant import PYTHON, Client, link_keys, prepare, start
import psutil

from .waiting import until

_BOUNDARY = "------------------------tripod"
_STOP_SECONDS = 20

_MARK = "TRIPOD_TEST"
"""The variable that tells this Home Assistant's processes, which inherit it, from all others."""

_SMALL = {"advanced": {"width": 640, "height": 360, "rate": 15}}
"""Small, since the machine that runs the tests encodes it and decodes it again several times over."""


@dataclass(frozen=True)
class Camera:
    """A camera of Home Assistant with the keys of its links, by the links' names."""

    url: str
    entry_id: str
    entity_id: str
    keys: dict[str, str]

    def link(self, name: str, path: str = "") -> str:
        """Return an address that the link `name` opens."""
        return f"{self.url}/api/tripod/{self.keys[name]}/{path}"


class HomeAssistant:
    """A Home Assistant on a configuration of its own."""

    def __init__(
        self,
        config: Path,
        *,
        python: Path = PYTHON,
        environment: Mapping[str, str] | None = None,
        configuration: str = "",
        host: str = "127.0.0.1",
    ) -> None:
        """Use the folder `config`, with more `configuration` in YAML, and a free port of `host`; run by `python`."""
        self.config = config
        self._python = python
        self._environment = os.environ if environment is None else environment
        with socket.create_server((host, 0)) as free:
            port = free.getsockname()[1]
        prepare(config, host=host, port=port)
        with (config / "configuration.yaml").open("a") as file:
            file.write(configuration)
        self.client = Client(f"http://{host}:{port}")
        self.url = self.client.url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All that was written to the terminal, in all starts."""
        return (self.config / "output.log").read_text()

    def start(self) -> None:
        """Start, and wait until all is set up."""
        with (self.config / "output.log").open("ab") as log:
            self._process = start(
                self.config,
                python=self._python,
                cwd=self.config,  # where its integrations come from: Python looks in the present folder first
                env={**self._environment, _MARK: str(self.config)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.client.wait_until_started(self._process)

    def stop(self) -> None:
        """End as the user's restart does."""
        assert self._process
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def kill(self) -> None:
        """End as by a power cut: without a chance to clean up."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """Return all that it ever started and that still runs, itself included, whoever is their parent now."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_MARK) == str(self.config) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def workers(self) -> list[psutil.Process]:
        """Return the ffmpeg processes that it runs."""
        assert self._process
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [child for child in children if "ffmpeg" in child.name()]

    def call(self, domain: str, action: str, entity_id: str, **data: Any) -> Any:
        """Call an action."""
        return self.client.request("POST", f"/api/services/{domain}/{action}", {"entity_id": entity_id, **data})

    def ask(self, action: str, entity_id: str, **data: Any) -> dict[str, Any]:
        """Call one of our actions on a camera and return what it answers."""
        path = f"/api/services/tripod/{action}?return_response"
        answers = self.client.request("POST", path, {"entity_id": entity_id, **data})["service_response"]
        answer: dict[str, Any] = answers[entity_id]
        return answer

    def add_broker(self, host: str, port: int, *, authority: Path, certificate: Path, key: Path) -> None:
        """Set up the `mqtt` integration over TLS, with a client certificate, as its dialog does.

        It takes the integration `file_upload`.
        """
        files = {"certificate": authority, "client_cert": certificate, "client_key": key}
        uploads = {field: self._upload(file) for field, file in files.items()}
        tls = {"set_ca_cert": "custom", "set_client_cert": True, "transport": "tcp", **uploads}
        broker = {"broker": host, "port": port, "other_settings": tls}
        self.client.flow("/api/config/config_entries/flow", "mqtt", broker)

    def _upload(self, file: Path) -> str:
        """Upload a file for a dialog, and return what the dialog is told of it."""
        body = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
            f"{file.read_text()}\r\n--{_BOUNDARY}--\r\n"
        )
        headers = {
            "Authorization": f"Bearer {self.client._token}",
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        with urlopen(Request(f"{self.url}/api/file_upload", body.encode(), headers), timeout=20) as answer:
            uploaded: str = json.load(answer)["file_id"]
            return uploaded

    def add_test_camera(self, name: str, *links: str, **fields: Any) -> Camera:
        """Add a camera on the test pattern, with `fields` of its form, and with a link for each of the names."""
        before = {state["entity_id"] for state in self.client.states("camera")}
        answers: list[dict[str, Any]] = [{"next_step_id": "test_pattern"}, {"name": name, **_SMALL, **fields}]
        created = self.client.flow("/api/config/config_entries/flow", "tripod", *answers, {})
        entry_id = created["result"]["entry_id"]
        (entity_id,) = {state["entity_id"] for state in self.client.states("camera")} - before
        return self.camera(entry_id, entity_id, *links)

    def camera(self, entry_id: str, entity_id: str, *links: str) -> Camera:
        """Return a camera that is set up, with a new link for each of the names."""
        for link in links:
            handler = [entry_id, "link"]
            self.client.flow("/api/config/config_entries/subentries/flow", handler, {"name": link}, {})
        if not links:
            return Camera(self.url, entry_id, entity_id, {})

        def keys() -> dict[str, str]:
            known = link_keys(self.config, entry_id)
            return known if set(known) >= set(links) else {}

        return Camera(self.url, entry_id, entity_id, until(keys, f"the links {links} on disk"))


@contextmanager
def running(config: Path, **options: Any) -> Iterator[HomeAssistant]:
    """Run a Home Assistant, made with `options`, whose log ends on the terminal where a test fails."""
    server = HomeAssistant(config, **options)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        if server._process and server._process.poll() is None:
            server.kill()
