"""A real OctoPrint with its own webcam plugin: the outside client that most links are for."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
import json
from pathlib import Path
import secrets
import socket
import subprocess
from typing import Any
from urllib.request import Request, urlopen

from home_assistant import REPOSITORY

from .waiting import until

EXECUTABLE = REPOSITORY / ".venv/octoprint/bin/octoprint"
USER = "operator"
API_KEY = "0123456789ABCDEF0123456789ABCDEF"

_START_SECONDS = 60
_REQUEST_SECONDS = 20

# What asks the internet, or opens a dialog about itself, over the page.
_DISABLED = (
    "achievements",
    "announcements",
    "errortracking",
    "file_check",
    "gcodeviewer",
    "health_check",
    "pluginmanager",
    "softwareupdate",
    "tracking",
)

_CONFIG: dict[str, Any] = {
    # The browser is signed in as the operator without asking, since it comes from this machine.
    "accessControl": {
        "autologinLocal": True,
        "autologinAs": USER,
        "autologinHeadsupAcknowledged": True,
        "salt": "salt",
    },
    "plugins": {
        "_disabled": list(_DISABLED),
        "discovery": {"interfaces": ["lo"]},  # Home Assistant asks it for the printer's id
        "virtual_printer": {"enabled": True},
    },
    "server": {
        "firstRun": False,
        "onlineCheck": {"enabled": False},
        "pluginBlacklist": {"enabled": False},
        "seenWizards": {"corewizard": 4, "classicwebcam": 1},
        "commands": {},
    },
    "webcam": {"ffmpeg": "/usr/bin/ffmpeg"},
}

_USERS: dict[str, Any] = {
    USER: {"password": "none", "active": True, "groups": ["users", "admins"], "permissions": [], "apikey": API_KEY}
}


class OctoPrint:
    """A running OctoPrint's HTTP API."""

    def __init__(self, url: str) -> None:
        """Keep the address."""
        self.url = url

    def request(self, path: str, data: object = None) -> Any:
        """Return the answer to a request of the operator."""
        headers = {"X-Api-Key": API_KEY, "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        with urlopen(Request(self.url + path, body, headers), timeout=_REQUEST_SECONDS) as answer:
            return None if answer.status == HTTPStatus.NO_CONTENT else json.load(answer)

    def connect(self) -> None:
        """Connect the virtual printer, which does what a printer's firmware does, but for the heat."""
        if self.state == "Operational":
            return
        self.request("/api/connection", {"command": "connect", "port": "VIRTUAL", "baudrate": 115200})
        until(lambda: self.state == "Operational", "the printer is connected")

    @property
    def state(self) -> str:
        """What the printer does, in OctoPrint's words."""
        return str(self.request("/api/connection")["current"]["state"])

    def print(self, name: str, gcode: str) -> None:
        """Upload a file and print it."""
        boundary = secrets.token_hex(16)
        fields = {'name="file"; filename="' + name + '"': gcode, 'name="print"': "true"}
        head = f"--{boundary}\r\nContent-Disposition: form-data; "
        parts = [f"{head}{name}\r\n\r\n{value}\r\n" for name, value in fields.items()]
        body = "".join([*parts, f"--{boundary}--\r\n"]).encode()
        headers = {"X-Api-Key": API_KEY, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        with urlopen(Request(f"{self.url}/api/files/local", body, headers), timeout=_REQUEST_SECONDS) as answer:
            assert json.load(answer)["effectivePrint"]

    def film(self, name: str, gcode: str) -> bytes:
        """Print a file with a timed timelapse, as frequent as OctoPrint makes them, and return the movie."""
        before = set(self._movies())
        self.request("/api/timelapse", {"type": "timed", "interval": 1, "fps": 5})
        self.print(name, gcode)
        (address,) = until(lambda: set(self._movies()) - before, "OctoPrint's movie of the print", timeout=60)
        self.request("/api/timelapse", {"type": "off"})
        with urlopen(Request(self.url + address, headers={"X-Api-Key": API_KEY}), timeout=_REQUEST_SECONDS) as answer:
            movie: bytes = answer.read()
            return movie

    def _movies(self) -> list[str]:
        return [file["url"] for file in self.request("/api/timelapse")["files"]]

    def use(self, *, stream: str, snapshot: str) -> None:
        """Set the webcam's addresses, as its settings page does."""
        self.request("/api/settings", {"plugins": {"classicwebcam": {"stream": stream, "snapshot": snapshot}}})

    def test_snapshot(self, url: str) -> dict[str, Any]:
        """Return what the button that tests a snapshot's address gets."""
        options = {"method": "GET", "response": "bytes", "timeout": 5, "validSsl": True}
        kind = {"content_type_whitelist": ["image/*"], "content_type_guess": True}
        result: dict[str, Any] = self.request("/api/util/test", {"command": "url", "url": url, **options, **kind})
        return result


@contextmanager
def running(folder: Path) -> Iterator[OctoPrint]:
    """Run OctoPrint on a configuration of its own in `folder`."""
    # YAML takes JSON
    (folder / "config.yaml").write_text(json.dumps(_CONFIG))
    (folder / "users.yaml").write_text(json.dumps(_USERS))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    options = ["--iknowwhatimdoing", "--basedir", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "output.log").open("wb") as log,
        subprocess.Popen([EXECUTABLE, "serve", *options], stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        octoprint = OctoPrint(f"http://127.0.0.1:{port}")

        def ready() -> bool:
            assert process.poll() is None, (folder / "output.log").read_text()
            try:
                return bool(octoprint.request("/api/version"))
            except HTTPException, OSError, ValueError:  # a page for people stands in until the server is up
                return False

        try:
            until(ready, "OctoPrint answers", timeout=_START_SECONDS)
            yield octoprint
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
