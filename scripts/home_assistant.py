"""A real Home Assistant as its user meets it: a configuration folder, a process, and the HTTP API.

For `scripts/develop`, the end-to-end tests and the benchmarks. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import subprocess
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

REPOSITORY = Path(__file__).resolve().parent.parent
PYTHON = REPOSITORY / ".venv/develop/bin/python"
USER = PASSWORD = "dev"  # noqa: S105 - it listens on the loopback only, unless asked otherwise

_START_SECONDS = 120
_REQUEST_SECONDS = 60
"""A config flow's live check may take 15 s."""
_POLL_SECONDS = 0.1

_CONFIGURATION = """\
# Written once by scripts/develop; yours to edit. Little is loaded, so that it starts fast.
homeassistant:
  name: Tripod
  country: CH
  currency: CHF
  language: en
  time_zone: UTC
  unit_system: metric
  media_dirs:
    local: {media}
history:
logbook:
media_source:
lovelace:
  dashboards:
    tripod-cameras:
      mode: yaml
      title: Cameras
      icon: mdi:cctv
      filename: cameras.yaml
logger:
  default: info
  logs:
    homeassistant: warning
    custom_components.tripod: debug
    custom_components.tripod.coordinator: info  # its debug log has a line for each reading
"""


class HomeAssistantError(RuntimeError):
    """Home Assistant did not do what was asked; `str()` says why."""


def prepare(config: Path, *, host: str = "127.0.0.1", port: int = 8123) -> None:
    """Make `config` a configuration that listens on `host` and `port`, with this repository's integration in it.

    What is there already is kept, apart from the address.
    """
    storage = config / ".storage"
    storage.mkdir(parents=True, exist_ok=True)
    if not (config / "configuration.yaml").exists():
        media = config / "media"
        media.mkdir(exist_ok=True)
        (config / "configuration.yaml").write_text(_CONFIGURATION.format(media=json.dumps(str(media))))
    integrations = config / "custom_components"
    if not integrations.exists():
        integrations.symlink_to(REPOSITORY / "custom_components", target_is_directory=True)
    # The settings in YAML are moved to this store and taken back after five minutes unless confirmed in a browser.
    # The first format of the store is the one that every version reads.
    _store(storage / "http", 1, {"server_host": [host], "server_port": port})
    if not (storage / "onboarding").exists():
        # All but the user: the other steps set up weather, radio and more that nobody asked for here.
        _store(storage / "onboarding", 4, {"done": ["core_config", "analytics", "integration"]})


def _store(path: Path, version: int, data: dict[str, Any]) -> None:
    path.write_text(json.dumps({"version": version, "minor_version": 1, "key": path.name, "data": data}))


def write_dashboard(config: Path, cameras: list[str]) -> None:
    """Give `config` a dashboard with a live card for each of the camera entities, unless it has one."""
    if (config / "cameras.yaml").exists():
        return
    cards = [
        {"type": "picture-entity", "entity": camera, "camera_view": "live", "show_state": False} for camera in cameras
    ]
    view = {"title": "Cameras", "path": "live", "cards": cards}
    (config / "cameras.yaml").write_text(json.dumps({"views": [view]}, indent=2) + "\n")


def start(config: Path, *, python: Path = PYTHON, **streams: Any) -> subprocess.Popen[bytes]:
    """Start Home Assistant on `config`; `streams` are those of `Popen`."""
    arguments = ["-m", "homeassistant", "--config", str(config), "--skip-pip"]
    # A session of its own, or a terminal's Ctrl-C reaches it as well as us, and its second signal cuts its stop short.
    return subprocess.Popen([python, *arguments], start_new_session=True, **streams)


class Client:
    """The owner's HTTP client of one Home Assistant. Every call raises `HomeAssistantError` where it fails."""

    def __init__(self, url: str) -> None:
        """Keep the address, such as `http://127.0.0.1:8123`."""
        self.url = url
        self._token: str | None = None

    def request(self, method: str, path: str, data: object = None, *, form: dict[str, str] | None = None) -> Any:
        """Return what Home Assistant answers to a JSON request, or to a `form`."""
        headers = {"Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        if form is not None:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(form).encode()
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(self.url + path, body, headers, method=method)  # noqa: S310 - http, by __init__
        try:
            with urlopen(request, timeout=_REQUEST_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            text = error.read().decode(errors="replace")
            raise HomeAssistantError(f"{method} {path}: {error.code} {text}") from error

    def wait_until_started(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until all is set up, and sign in."""
        self._wait_for(process, self.sign_in)
        self._wait_for(process, self._check_running)

    def sign_in(self) -> None:
        """Sign in as the owner, who is created first where there is none."""
        if not self._onboarded():
            person = {"name": "Developer", "username": USER, "password": PASSWORD, "language": "en"}
            code = self.request("POST", "/api/onboarding/users", {**person, "client_id": self._id})["auth_code"]
        else:
            handler = {"handler": ["homeassistant", None], "redirect_uri": f"{self._id}?auth_callback=1"}
            flow = self.request("POST", "/auth/login_flow", {**handler, "client_id": self._id})
            answer = {"username": USER, "password": PASSWORD, "client_id": self._id}
            code = self.request("POST", f"/auth/login_flow/{flow['flow_id']}", answer)["result"]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": self._id}
        self._token = self.request("POST", "/auth/token", form=grant)["access_token"]

    def entries(self, domain: str) -> list[dict[str, Any]]:
        """Return the config entries of an integration."""
        entries: list[dict[str, Any]] = self.request("GET", f"/api/config/config_entries/entry?domain={domain}")
        return entries

    def states(self, domain: str) -> list[dict[str, Any]]:
        """Return the states of all entities of `domain`, such as `camera`."""
        states: list[dict[str, Any]] = self.request("GET", "/api/states")
        return [state for state in states if state["entity_id"].startswith(f"{domain}.")]

    def flow(self, path: str, handler: object, *answers: dict[str, Any]) -> dict[str, Any]:
        """Walk a flow as the frontend does, a form's own defaults filled in, and return what it created."""
        step = self.request("POST", path, {"handler": handler})
        for answer in answers:
            defaults = {
                field["name"]: field["default"] for field in step.get("data_schema") or () if "default" in field
            }
            step = self._settled(path, self.request("POST", f"{path}/{step['flow_id']}", {**defaults, **answer}))
            if step.get("errors"):
                raise HomeAssistantError(f"The step {step['step_id']} says {step['errors']}")
        if step["type"] != "create_entry":
            raise HomeAssistantError(f"Nothing was created: {step}")
        result: dict[str, Any] = step
        return result

    def _settled(self, path: str, step: dict[str, Any]) -> dict[str, Any]:
        """Return the step that follows once work in progress is done."""
        while step["type"] == "progress":
            time.sleep(_POLL_SECONDS)
            step = self.request("GET", f"{path}/{step['flow_id']}")
        return step

    @property
    def _id(self) -> str:
        """OAuth's client id: as the frontend's, the address itself."""
        return f"{self.url}/"

    def _onboarded(self) -> bool:
        try:
            steps = self.request("GET", "/api/onboarding")
        except HomeAssistantError:
            return True  # the API is gone once all is done
        return any(step["done"] for step in steps if step["step"] == "user")

    def _check_running(self) -> None:
        if (state := self.request("GET", "/api/config")["state"]) != "RUNNING":
            raise HomeAssistantError(f"Home Assistant is {state}")

    def _wait_for(self, process: subprocess.Popen[bytes], step: Callable[[], None]) -> None:
        """Try `step` until it works, as long as the process lives."""
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None:
            try:
                return step()
            except (HomeAssistantError, OSError) as error:
                if time.monotonic() > deadline:
                    raise HomeAssistantError(f"Home Assistant did not start within {_START_SECONDS} s") from error
            time.sleep(_POLL_SECONDS)
        raise HomeAssistantError(f"Home Assistant ended with status {process.returncode}")


def add_test_camera(client: Client, name: str = "Test pattern") -> str:
    """Add a camera on the test pattern, seen to work by the live check, and return its config entry's id."""
    answers: list[dict[str, str]] = [{"next_step_id": "test_pattern"}, {"name": name}, {}]
    entry_id: str = client.flow("/api/config/config_entries/flow", "tripod", *answers)["result"]["entry_id"]
    return entry_id


def add_link(client: Client, entry_id: str, name: str) -> None:
    """Add a link to a camera, for the outside client `name`."""
    client.flow("/api/config/config_entries/subentries/flow", [entry_id, "link"], {"name": name}, {})


def link_keys(config: Path, entry_id: str) -> dict[str, str]:
    """Return the links of a camera, name to key, from the files: the API never gives out a key unasked."""
    store = config / ".storage/core.config_entries"
    deadline = time.monotonic() + 10  # Home Assistant writes its stores a second late
    while time.monotonic() < deadline:
        entries = json.loads(store.read_text())["data"]["entries"] if store.exists() else []
        for entry in entries:
            subentries = entry["subentries"]
            links = {link["title"]: link["data"]["key"] for link in subentries if link["subentry_type"] == "link"}
            if entry["entry_id"] == entry_id and links:
                return links
        time.sleep(_POLL_SECONDS)
    raise HomeAssistantError("The camera has no link")
