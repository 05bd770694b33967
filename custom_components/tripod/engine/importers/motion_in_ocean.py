"""motion-in-ocean: a CSI camera's variables, under the names of all its versions, and the hub's list of nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import json
from typing import Any

from ..errors import InvalidSource, NotUnderstood
from ..options import Options
from ..sources import Csi, MotionInOcean, Source, TestPattern
from . import environment, values
from .account import Account
from .base import Import, Imported

PREFIXES = ("MIO_", "MOTION_IN_OCEAN_", "")
"""What names begin with, the newest first: where a setting is there twice, the first of these counts."""

ALIASES = {
    "MODE": "APP_MODE",
    "PI3_PROFILE": "PERFORMANCE_PROFILE",
    "PI3_OPTIMIZATION": "PERFORMANCE_PROFILE",
    "CAMERA_INIT_REQUIRED": "FAIL_ON_CAMERA_INIT_ERROR",
    "DISCOVERY_NODE_ID": "DISCOVERY_WEBCAM_ID",
}
"""Former names."""

DEFAULTS = {"RESOLUTION": "640x480", "FPS": "24", "JPEG_QUALITY": "90", "MAX_STREAM_CONNECTIONS": "10"}
PI3 = {"RESOLUTION": "640x480", "FPS": "12", "JPEG_QUALITY": "75", "MAX_STREAM_CONNECTIONS": "3"}
"""What holds with `PERFORMANCE_PROFILE=pi3` where nothing else is set."""

SHORTEST_STALL = 2.0
"""Seconds: below, a slow exposure counts as frozen."""

_PAIRED = "Home Assistant is paired with the node by a code, and every route is guarded"
_FOUND = "Home Assistant finds nodes by itself; where it cannot, the node's [announce] says where it is"
_LOGS = "the log is text with times, and goes to the journal"
_TESTS = "it serves that program's own tests"
_HARDWARE = "the camera's own encoders are used where they are there"
_ALWAYS = "it is always there"
_LIMITS = "links may each have a limit of viewers"
_HEALTH = "`tripod-node` answers on /health and /ready, and systemd's watchdog is told"
_CONTAINER = "there is no such container here"

_NOT_NEEDED = {
    **dict.fromkeys(("MANAGEMENT_AUTH_TOKEN", "MANAGEMENT_AUTH_REQUIRED", "WEBCAM_CONTROL_PLANE_AUTH_TOKEN"), _PAIRED),
    **dict.fromkeys(("NODE_DISCOVERY_SHARED_SECRET", "DISCOVERY_TOKEN"), _PAIRED),
    **dict.fromkeys(("DISCOVERY_ENABLED", "DISCOVERY_MANAGEMENT_URL", "DISCOVERY_INTERVAL_SECONDS"), _FOUND),
    **dict.fromkeys(("DISCOVERY_WEBCAM_ID", "BASE_URL", "ALLOW_PRIVATE_IPS"), _FOUND),
    **dict.fromkeys(("LOG_FORMAT", "LOG_INCLUDE_IDENTIFIERS", "DEBUG_LOGGING", "TRACE_LOGGING"), _LOGS),
    **dict.fromkeys(("API_TEST_MODE_ENABLED", "API_TEST_CYCLE_INTERVAL_SECONDS", "DEVELOPMENT_MODE"), _TESTS),
    **dict.fromkeys(("ALLOW_PYKMS_MOCK", "SENTRY_DSN", "PERFORMANCE_PROFILING", "REQUEST_TRACING"), _TESTS),
    **dict.fromkeys(("CHANGELOG_URL", "CHANGELOG_TIMEOUT_SECONDS", "MOCK_STREAM_STYLE"), _TESTS),
    **dict.fromkeys(("CAT_GIF", "CATAAS_API_URL", "CAT_GIF_CACHE_TTL_SECONDS"), "a test picture is drawn here"),
    **dict.fromkeys(("CAT_GIF_RETRY_BASE_SECONDS", "CAT_GIF_RETRY_MAX_SECONDS"), "a test picture is drawn here"),
    **dict.fromkeys(("PI5_OPTIMIZATION", "QUALITY_ADAPTATION", "FPS_THROTTLE_ADAPTIVE"), _HARDWARE),
    **dict.fromkeys(("FRAME_SIZE_OPTIMIZATION", "NEW_STREAMING_API", "ENHANCED_FRAME_STATS"), _HARDWARE),
    **dict.fromkeys(("OCTOPRINT_COMPATIBILITY", "PROMETHEUS_METRICS", "ALTERNATIVE_PROTOCOLS"), _ALWAYS),
    **dict.fromkeys(("HOME_ASSISTANT_INTEGRATION", "MULTI_CAMERA_SUPPORT"), _ALWAYS),
    **dict.fromkeys(("HEALTHCHECK_READY", "HEALTHCHECK_READY_WEBCAM", "HEALTHCHECK_READY_MANAGEMENT"), _HEALTH),
    **dict.fromkeys(("HEALTHCHECK_URL", "HEALTHCHECK_TIMEOUT"), _HEALTH),
    **dict.fromkeys(("IMAGE_TAG", "DOCKER_PROXY_PORT", "ENABLE_DOCKER_SOCKET_PROXY", "COMPOSE_PROFILES"), _CONTAINER),
    **dict.fromkeys(("INCLUDE_MOCK_CAMERA", "DEBIAN_SUITE"), _CONTAINER),
    "LIMITER_STORAGE_URI": _LIMITS,
    "TZ": "the system's time zone counts",
    "FAIL_ON_CAMERA_INIT_ERROR": "a missing camera is always said, and waited for",
    "NODE_REGISTRY_PATH": "bring that file over by itself: its nodes become cameras",
}

_WANTED = {
    "MOTION_DETECTION": "there is no motion detection here: Home Assistant's own starts recordings",
    "FRAME_RECORDING": "start a recording, or let a timelapse take frames",
}
"""Switches that are lost where they are on."""


@dataclass(slots=True)
class Reading:
    """What is known so far."""

    account: Account
    given: Mapping[str, str]
    """Names as they were written, by the name that this is about."""
    camera: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    node: dict[str, Any] = field(default_factory=dict)
    mock: bool = False
    hub: bool = False


def read(text: str, beside: Mapping[str, str] | None = None, *, csi: str = "") -> Import:
    """Read a `.env` or a compose file; raises `NotUnderstood`."""
    return convert(environment.read(text, beside), csi=csi)


def convert(variables: Mapping[str, str], *, csi: str = "") -> Import:
    """Return what the variables of one program become.

    `csi` is libcamera's Id of the camera to use; the variables never name it.
    """
    account = Account()
    settings, given = _canonical(variables, account)
    reading = Reading(account, given)
    profile = settings.get("PERFORMANCE_PROFILE", "").strip().lower()
    defaults = PI3 if profile == "pi3" or values.boolean(profile) else DEFAULTS
    for name, value in {**defaults, **{name: value for name, value in settings.items() if value.strip()}}.items():
        _SETTINGS.get(name, _other)(name, value, reading)
    for name, value in settings.items():
        if not value.strip():
            account.not_needed(given[name], value, "it is empty")
    if reading.hub:
        return account.result(node={})
    source = _camera(reading, csi)
    if source is None:
        return account.result(node=reading.node)
    camera = Imported(source=source, title="Motion in Ocean", options=Options(**reading.options), notes=_notes(reading))
    return account.result(camera, node=reading.node)


def _canonical(variables: Mapping[str, str], account: Account) -> tuple[dict[str, str], dict[str, str]]:
    """Return each setting under its present name without prefix, and the name that it was written under."""
    settings: dict[str, str] = {}
    given: dict[str, str] = {}

    def rank(name: str) -> tuple[int, bool]:
        prefix = next(number for number, prefix in enumerate(PREFIXES) if name.startswith(prefix))
        return prefix, name[len(PREFIXES[prefix]) :] in ALIASES

    for name in sorted(variables, key=rank):
        plain = name[len(PREFIXES[rank(name)[0]]) :]
        plain = ALIASES.get(plain, plain)
        if plain in settings:
            account.not_needed(name, variables[name], f"{given[plain]} is its newer name, and counts")
        else:
            settings[plain], given[plain] = variables[name], name
    return settings, given


def _notes(reading: Reading) -> tuple[str, ...]:
    host = reading.node.get("host", "127.0.0.1")
    if host in ("127.0.0.1", "::1", "localhost"):
        return ("The node listens on this computer only, as before: set `listen` to let Home Assistant reach it",)
    return ()


def _camera(reading: Reading, csi: str) -> Source | None:
    account, fields = reading.account, reading.camera
    size = {"width": fields["width"], "height": fields["height"]}
    if reading.mock:
        return TestPattern(**size, rate=min(60, round(fields["rate"])), format="mjpeg")
    if not csi:
        account.not_understood("the camera", "", "no CSI camera is known here: bring this over on the Pi that has it")
        return None
    try:
        return Csi(
            camera=csi,
            **size,
            rate=fields["rate"],
            lores_width=size["width"],
            lores_height=size["height"],
            jpeg_rate=min(fields.get("jpeg_rate", fields["rate"]), fields["rate"]),
            quality=fields["quality"],
        )
    except InvalidSource as error:
        raise NotUnderstood(error.placeholders["detail"], what="motion-in-ocean's settings") from error


# --- one function a setting ----------------------------------------------------------------------------------------


def _note(name: str, value: str, reading: Reading, meaning: str) -> None:
    """Note what a setting means; a default that nobody set is no line."""
    if name in reading.given:
        reading.account.understood(reading.given[name], value, meaning)


def _bad(name: str, value: str, reading: Reading, kind: str) -> None:
    reading.account.not_understood(reading.given[name], value, f"this is not {kind}; {DEFAULTS[name]} is taken")
    _SETTINGS[name](name, DEFAULTS[name], Reading(Account(), {}, reading.camera, reading.options, reading.node))


def _resolution(name: str, value: str, reading: Reading) -> None:
    found = values.size(value)
    if found is None or not all(0 < side <= 4096 for side in found):
        _bad(name, value, reading, "a size")
        return
    # encoders want even sides
    reading.camera["width"], reading.camera["height"] = (max(64, side // 2 * 2) for side in found)
    _note(name, value, reading, f"{reading.camera['width']}x{reading.camera['height']} pixels, of video and of JPEGs")


def _fps(name: str, value: str, reading: Reading) -> None:
    rate = values.number(value)
    if rate is None or not 1 <= rate <= 120:
        _bad(name, value, reading, "a rate")
        return
    reading.camera["rate"] = rate
    _note(name, value, reading, f"{rate:g} pictures a second")


def _target_fps(name: str, value: str, reading: Reading) -> None:
    rate = values.number(value)
    if rate is None or not 1 <= rate <= 120:
        reading.account.not_understood(reading.given[name], value, "this is not a rate")
        return
    reading.camera["jpeg_rate"] = rate
    _note(name, value, reading, f"{rate:g} JPEGs a second")


def _quality(name: str, value: str, reading: Reading) -> None:
    quality = values.number(value)
    if quality is None or not 1 <= quality <= 100:
        _bad(name, value, reading, "a quality")
        return
    reading.camera["quality"] = round(quality)
    _note(name, value, reading, f"JPEGs of {quality:g} % quality")


def _viewers(name: str, value: str, reading: Reading) -> None:
    viewers = values.number(value)
    if viewers is None or not 1 <= viewers <= 100:
        _bad(name, value, reading, "a number of viewers")
        return
    if name in reading.given:
        reading.options["max_viewers"] = round(viewers)
    _note(name, value, reading, f"at most {viewers:g} viewers")


def _age(name: str, value: str, reading: Reading) -> None:
    age = values.number(value)
    if age is None or age <= 0:
        reading.account.not_understood(reading.given[name], value, "this is not a number of seconds")
        return
    reading.options["stall_limit"] = max(SHORTEST_STALL, age)
    meaning = f"after {max(SHORTEST_STALL, age):g} s without a picture the camera counts as frozen, for stills as well"
    _note(name, value, reading, meaning)


def _profile(name: str, value: str, reading: Reading) -> None:
    on = value.strip().lower() == "pi3" or values.boolean(value)
    if on:
        _note(name, value, reading, "small pictures at 12 a second where nothing else is set")
    elif value.strip().lower() == "default" or on is False:
        reading.account.not_needed(reading.given[name], value, "it changes nothing")
    else:
        reading.account.not_understood(reading.given[name], value)


def _mode(name: str, value: str, reading: Reading) -> None:
    mode = value.strip().lower()
    reading.hub = mode == "management"
    if reading.hub:
        _note(name, value, reading, "Home Assistant is the hub: bring the list of nodes over, then this is not needed")
    elif mode == "webcam":
        _note(name, value, reading, "a node with a camera")
    else:
        reading.account.not_understood(reading.given[name], value)


def _mock(name: str, value: str, reading: Reading) -> None:
    reading.mock = bool(values.boolean(value))
    if reading.mock:
        _note(name, value, reading, "a test pattern that says so; a missing camera is never drawn")
    else:
        reading.account.not_needed(reading.given[name], value, "a missing camera is never drawn")


def _host(name: str, value: str, reading: Reading) -> None:
    reading.node["host"] = value.strip()
    _note(name, value, reading, f"the node listens on {value.strip()}")


def _port(name: str, value: str, reading: Reading) -> None:
    port = values.number(value)
    if port is None or port != int(port) or not 1 <= port <= 65535:
        reading.account.not_understood(reading.given[name], value, "this is not a port")
        return
    reading.node["port"] = int(port)
    _note(name, value, reading, f"the node listens on port {port:g}, where clients look for it")


def _cors(name: str, value: str, reading: Reading) -> None:
    origins = [origin.strip() for origin in value.split(",") if origin.strip()]
    reading.node["cors"] = origins
    _note(name, value, reading, f"pages of {' and '.join(origins)} may show the pictures")


def _log_level(name: str, value: str, reading: Reading) -> None:
    level = value.strip().lower()
    if level not in ("debug", "info", "warning", "error", "critical"):
        reading.account.not_understood(reading.given[name], value)
        return
    level = "error" if level == "critical" else level
    reading.node["log_level"] = level
    _note(name, value, reading, f"the log tells what is {level} and worse")


def _cors_support(name: str, value: str, reading: Reading) -> None:
    reading.account.not_needed(
        reading.given[name], value, "other pages may show the pictures where CORS_ORIGINS is set"
    )


def _saved(name: str, value: str, reading: Reading) -> None:
    why = "what was changed in its web page is in that file, and is not read: look there"
    reading.account.not_understood(reading.given[name], value, why)


def _other(name: str, value: str, reading: Reading) -> None:
    given = reading.given[name]
    if why := _WANTED.get(name):
        note = reading.account.not_understood if values.boolean(value) else reading.account.not_needed
        note(given, value, why)
    elif why := _NOT_NEEDED.get(name):
        reading.account.not_needed(given, value, why)
    else:
        reading.account.not_understood(given, value)


_SETTINGS: dict[str, Callable[[str, str, Reading], None]] = {
    "RESOLUTION": _resolution,
    "FPS": _fps,
    "TARGET_FPS": _target_fps,
    "JPEG_QUALITY": _quality,
    "MAX_STREAM_CONNECTIONS": _viewers,
    "MAX_FRAME_AGE_SECONDS": _age,
    "PERFORMANCE_PROFILE": _profile,
    "APP_MODE": _mode,
    "MOCK_CAMERA": _mock,
    "BIND_HOST": _host,
    "PORT": _port,
    "CORS_ORIGINS": _cors,
    "CORS_SUPPORT": _cors_support,
    "LOG_LEVEL": _log_level,
    "APPLICATION_SETTINGS_PATH": _saved,
}


# --- the hub's nodes -----------------------------------------------------------------------------------------------

_NODE_NOT_NEEDED = {
    "last_seen": "the camera itself is asked",
    "capabilities": "the camera itself is asked",
    "labels": "Home Assistant has labels of its own",
    "discovery": "what is in the list is brought over",
}


def read_registry(text: str) -> Import:
    """Read the hub's list of nodes, a JSON file; raises `NotUnderstood`."""
    what = "motion-in-ocean's list of nodes"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("it is no JSON", what=what) from error
    nodes = data.get("nodes", data.get("webcams")) if isinstance(data, dict) else data
    if not isinstance(nodes, list):
        raise NotUnderstood("it has no nodes", what=what)
    account = Account()
    cameras = [_node(node, number, account) for number, node in enumerate(nodes, 1)]
    return account.result(*(camera for camera in cameras if camera))


def _node(node: object, number: int, account: Account) -> Imported | None:
    if not isinstance(node, dict):
        account.not_understood(f"node {number}", node, "this describes no node")
        return None
    name = str(node.get("name") or node.get("id") or f"Node {number}")
    for key, value in node.items():
        if key in _NODE_NOT_NEEDED:
            account.not_needed(f"{name}: {key}", value, _NODE_NOT_NEEDED[key])
        elif key not in ("id", "name", "base_url", "auth", "transport"):
            account.not_understood(f"{name}: {key}", value)
    url = str(node.get("base_url", ""))
    if node.get("transport", "http") != "http" or not url.startswith(("http://", "https://")):
        why = "a container is not reached through Docker here: add the camera by its own address"
        account.not_understood(f"{name}: base_url", url, why)
        return None
    token = _token(node.get("auth"), name, account)
    try:
        source = MotionInOcean(url=url, token=token)
    except InvalidSource as error:
        account.not_understood(f"{name}: base_url", url, error.placeholders["detail"])
        return None
    account.understood(f"{name}: base_url", source.address, f"a camera called {name}, taken from that node")
    return Imported(source=source, title=name[:60])


def _token(auth: object, name: str, account: Account) -> str:
    """Return the token of a node, also of one that an older version wrote."""
    fields = auth if isinstance(auth, dict) else {}
    encoded = str(fields.get("encoded", ""))
    token = str(fields.get("token") or (encoded[7:] if encoded.lower().startswith("bearer ") else "")).strip()
    kind = str(fields.get("type", "none"))
    if token:
        account.understood(f"{name}: token", token, "the token that the node wants")
    elif kind != "none" or fields.get("username") or fields.get("password"):
        account.not_understood(f"{name}: auth", kind, "that node wants a token, which is not in the list")
    return token
