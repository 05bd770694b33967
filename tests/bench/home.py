"""A real Home Assistant with Tripod in it, in a process of its own, for the time of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import socket
import subprocess
import tempfile
import time
from typing import Any
from uuid import uuid4

from home_assistant import REPOSITORY, Client, add_link, link_keys, prepare, start

from .processes import Process
from .wire import get

PROBE = Path(__file__).parent / "tripod_probe"

_CONFIGURATION = """\
homeassistant:
  name: Tripod
  time_zone: UTC
  media_dirs:
    local: {media}
api:
config:
frontend:
stream:
tripod_probe:
camera:
  - platform: tripod_probe
    names: [Core 1, Core 2, Core 3]
logger:
  default: warning
"""

FLOW = "/api/config/config_entries/flow"
OPTIONS_FLOW = "/api/config/config_entries/options/flow"

SETTLE = 3.0
"""Seconds after which a Home Assistant that has just started is quiet."""

RELOAD = 1.0
"""Seconds after which a camera whose options changed is being set up anew, or is so already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera of ours in it."""

    entry_id: str
    entity_id: str
    address: str
    """Where its link is: host, port and path, without a slash at the end."""

    def url(self, path: str) -> str:
        """Return the address of what the link offers under `path`."""
        return f"{self.address}/{path}"


class Home:
    """A Home Assistant that can be started again on the same configuration."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self._port = _free_port()
        self.client = Client(f"http://127.0.0.1:{self._port}")
        self._process: subprocess.Popen[bytes] | None = None
        self._log = config / "output.log"

    def start(self) -> None:
        """Start it and wait until it is quiet."""
        with self._log.open("ab") as log:
            self._process = start(self.config, cwd=self.config, stdout=log, stderr=log)
        self.client.wait_until_started(self._process)
        time.sleep(SETTLE)

    def stop(self) -> None:
        """Stop it, as a user would."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None
        return Process(self._process.pid)

    def add_camera(self, kind: str, name: str, **given: object) -> Camera:
        """Add a camera with a link, as a user does; the live check runs."""
        steps: list[dict[str, Any]] = [{"next_step_id": kind}, {"name": name, **given}, {}]
        created = self.client.flow(FLOW, "tripod", *steps)["result"]["entry_id"]
        add_link(self.client, created, "Bench")
        return self.camera(created)

    def camera(self, entry_id: str) -> Camera:
        """Return a camera that is set up."""
        key = link_keys(self.config, entry_id)["Bench"]
        entity_id = self.probe("entity", entry=entry_id)["entity_id"]
        return Camera(entry_id=entry_id, entity_id=entity_id, address=f"{self.client.url}/api/tripod/{key}")

    def set_options(self, camera: Camera, **changes: object) -> None:
        """Change a camera's options."""
        menu = self.client.request("POST", OPTIONS_FLOW, {"handler": camera.entry_id})
        form = self.client.request("POST", f"{OPTIONS_FLOW}/{menu['flow_id']}", {"next_step_id": "behaviour"})
        shown = {
            field["name"]: field["description"]["suggested_value"]
            for field in form["data_schema"]
            if "suggested_value" in field.get("description", {})
        }
        self.client.request("POST", f"{OPTIONS_FLOW}/{form['flow_id']}", {**shown, **changes})
        time.sleep(RELOAD)
        while any(entry["state"] != "loaded" for entry in self.client.entries("tripod")):
            time.sleep(0.1)

    def act(self, action: str, camera: Camera) -> None:
        """Call one of Tripod's actions on a camera."""
        self.client.request("POST", f"/api/services/tripod/{action}?return_response", {"entity_id": camera.entity_id})

    def probe(self, what: str, **query: str) -> Any:
        """Ask the probe that runs inside."""
        fields = "&".join(f"{key}={value}" for key, value in query.items())
        return self.client.request("GET", f"/api/tripod_probe/{what}?{fields}")

    def multiply(self, entry_id: str, count: int) -> None:
        """Give a Home Assistant that is stopped `count` cameras like the one with this entry."""
        store = self.config / ".storage/core.config_entries"
        content = json.loads(store.read_text())
        entries = content["data"]["entries"]
        model = next(entry for entry in entries if entry["entry_id"] == entry_id)
        for number in range(1, count):
            copy = {**model, "entry_id": uuid4().hex, "title": f"{model['title']} {number}", "subentries": []}
            entries.append(copy)
        store.write_text(json.dumps(content))


def metric(camera: Camera, name: str) -> float:
    """Return what a camera's metrics say, without labels of its own."""
    lines = get(camera.url("metrics")).decode().splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"tripod_{name}{{"))


@contextmanager
def home() -> Iterator[Home]:
    """Run a Home Assistant."""
    with tempfile.TemporaryDirectory(prefix="tripod-bench-") as folder:
        config = Path(folder)
        media = config / "media"  # in a container the default is a folder of the machine's
        media.mkdir()
        (config / "configuration.yaml").write_text(_CONFIGURATION.format(media=media))
        components = config / "custom_components"
        components.mkdir()
        (components / "tripod").symlink_to(REPOSITORY / "custom_components/tripod", target_is_directory=True)
        (components / PROBE.name).symlink_to(PROBE, target_is_directory=True)
        here = Home(config)
        prepare(config, port=here._port)
        try:
            here.start()
            yield here
        except BaseException:
            print(_tail(here._log))
            raise
        finally:
            here.stop()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:]) if log.exists() else ""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
