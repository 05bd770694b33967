"""Where a node's configuration comes from: flags, before the environment, before its file, before the defaults.

The file is TOML. All that stands outside of `[[camera]]` can also be said by flags and in the environment, whose names
follow from the file's: `prefix` of `[mqtt]` is `--mqtt-prefix` and `TRIPOD_MQTT_PREFIX`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import platform
import tomllib
from typing import Any
from urllib.parse import urlsplit

from ..engine import sources
from ..engine.archive import Kind, Limits, Retention
from ..engine.sources import Source
from .config import DEFAULT_PORT, Announce, Broker, CameraConfig, NodeConfig, ToolPaths
from .reading import FROM_FILE, Reader, check_keys, from_text, invalid, kinds, required, secret_names

PREFIX = "TRIPOD_"
CONFIG = "TRIPOD_CONFIG"
"""Names the configuration file."""

CAMERA = "TRIPOD_CAMERA"
"""One camera instead of those of the file, such as `v4l2:/dev/video0`."""

ONLY_CAMERA = "camera"
"""The id of a camera that has no table of its own."""

PLACES = ("~/.config/tripod-node.toml", "/etc/tripod-node.toml")
"""Where the file is looked for."""

SYSTEM_STATE = "/var/lib/tripod-node"
"""Where a node that belongs to the system remembers things."""

_SECTIONS = {
    "tls": {"certificate": "certificate", "key": "key", "client_ca": "client_ca"},
    "storage": {"archive": "archive", "floor": "floor", "max_size": "max_size"},
    "log": {"level": "log_level", "format": "log_format", "file": "log_file"},
}
"""Tables whose keys are fields of the node itself."""

_NESTED: dict[str, type] = {"announce": Announce, "mqtt": Broker, "tools": ToolPaths}
_PLACED_ELSEWHERE = frozenset({"host", "port", "cameras", *_NESTED}).union(
    *(fields.values() for fields in _SECTIONS.values())
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that can be said outside of the file, too."""

    section: str
    """Its table; empty at the top."""
    key: str
    kind: Any
    """Its annotation."""
    secret: bool = False
    """Whether it has no flag, for everybody sees the flags of a process."""

    @property
    def environment(self) -> str:
        """The variable."""
        return PREFIX + "_".join(filter(None, (self.section, self.key))).upper()

    @property
    def flag(self) -> str:
        """The flag."""
        return "--" + "-".join(filter(None, (self.section, self.key))).replace("_", "-")


def settings() -> Iterator[Setting]:
    """Return all that can be said outside of the file."""
    node = kinds(NodeConfig)
    yield Setting("", "listen", str)
    for key in node.keys() - _PLACED_ELSEWHERE:
        yield Setting("", key, node[key])
    for section, keys in _SECTIONS.items():
        for key, name in keys.items():
            yield Setting(section, key, node[name])
    for section, form in _NESTED.items():
        hidden = secret_names(form)
        for key, kind in kinds(form).items():
            yield Setting(section, key, kind, secret=key in hidden)
            if key in hidden:
                yield Setting(section, key + FROM_FILE, str)


def find(environ: Mapping[str, str], given: str | None = None) -> Path | None:
    """Return the configuration file: `given`, that of the environment, or where it usually is; None without any."""
    if named := given or environ.get(CONFIG):
        return Path(named).expanduser()
    return next((path for place in PLACES if (path := Path(place).expanduser()).exists()), None)


def load(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[Setting, str], camera: str | None = None
) -> NodeConfig:
    """Return what the file at `path`, the environment and the flags say together; `camera` is a flag's.

    Blocks. Raises `InvalidConfiguration`, which names the file, its line or table, the variable, or the flag.
    """
    table = read(path) if path else {}
    for setting, text, where in _said(environ, flags):
        _put(table, setting, _absolute(from_text(setting.kind, text, where), setting))
    if one := camera or environ.get(CAMERA):
        table["camera"] = [_one_camera(one, "--camera" if camera else CAMERA)]
    return build(table, str(path) if path else "flags and environment", path.parent if path else Path(), environ)


def read(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; raises `InvalidConfiguration`."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise invalid(str(path), f"this is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise invalid(str(path), "this is not text in UTF-8") from error
    except OSError as error:
        raise invalid(str(path), f"it cannot be read: {error.strerror}") from error


def build(table: Mapping[str, Any], where: str, base: Path, environ: Mapping[str, str]) -> NodeConfig:
    """Return the node that `table` describes; its relative paths begin at `base`. Raises `InvalidConfiguration`."""
    reader = Reader(base.absolute(), _SPECIAL, {field: key for key, field in CAMERA_KEYS.items()})
    flat = {key: value for key, value in table.items() if key not in {*_SECTIONS, *_NESTED, "listen", "camera"}}
    check_keys(table, {setting.section or setting.key for setting in settings()} | {"camera"}, where)
    lifted: dict[str, Any] = dict(flat)
    for section, keys in _SECTIONS.items():
        known = {key: kinds(NodeConfig)[name] for key, name in keys.items()}
        values = table.get(section, {})
        reader.values(known, values, f"{where}, [{section}]")  # says where it is wrong
        lifted |= {keys[key]: value for key, value in values.items()}
    given: dict[str, Any] = {
        section: reader.build(form, table[section], f"{where}, [{section}]")
        for section, form in _NESTED.items()
        if section in table
    }
    given |= _address(reader.value(str, table.get("listen", ""), where, "listen"), where)
    given["cameras"] = _cameras(reader, table.get("camera", []), where)
    state = _state(environ)
    lifted.setdefault("name", platform.node() or "Tripod")
    lifted.setdefault("state", str(state))
    lifted.setdefault("archive", str(Path(lifted["state"]) / "archive") if isinstance(lifted["state"], str) else "")
    return reader.build(NodeConfig, lifted, where, given=given)


def _said(environ: Mapping[str, str], flags: Mapping[Setting, str]) -> Iterator[tuple[Setting, str, str]]:
    """Return what the environment and then the flags say."""
    known = {setting.environment: setting for setting in settings()}
    said = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    check_keys(said, {*known, CONFIG, CAMERA}, "environment")
    for name, text in said.items():
        if name in known:
            yield known[name], text, name
    for setting, text in flags.items():
        yield setting, text, setting.flag


def _absolute(value: Any, setting: Setting) -> Any:
    """Let a path of a flag or variable begin where the program was started, and not at the file's folder."""
    is_path = setting.kind in (Path, Path | None) or setting.key.endswith(FROM_FILE)
    return str(Path(value).expanduser().absolute()) if is_path and value else value


def _put(table: dict[str, Any], setting: Setting, value: Any) -> None:
    within = table.setdefault(setting.section, {}) if setting.section else table
    if isinstance(within, dict):  # what it is else is told when it is read
        within.pop(setting.key + FROM_FILE, None)
        within.pop(setting.key.removesuffix(FROM_FILE), None)
        within[setting.key] = value


def _state(environ: Mapping[str, str]) -> Path:
    """Return the usual folder for what is remembered: systemd's, else the user's own."""
    if given := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given)
    if os.geteuid() == 0:
        return Path(SYSTEM_STATE)
    return Path(environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "tripod-node"


def _address(listen: str, where: str) -> dict[str, Any]:
    if not listen:
        return {}
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.path or parts.username is not None:
        raise invalid(where, f"listen is {listen!r}, and is to be like 0.0.0.0:{DEFAULT_PORT} or [::]:{DEFAULT_PORT}")
    return {"host": host, "port": DEFAULT_PORT if port is None else port}


# --- cameras --------------------------------------------------------------------------------------------------------


def _cameras(reader: Reader, tables: object, where: str) -> tuple[CameraConfig, ...]:
    if not isinstance(tables, list):
        raise invalid(where, "cameras are written [[camera]], with two brackets")
    return tuple(_camera(reader, table, where, number) for number, table in enumerate(tables, 1))


def _camera(reader: Reader, table: object, where: str, number: int) -> CameraConfig:
    if not isinstance(table, Mapping):
        raise invalid(where, "cameras are written [[camera]], with two brackets")
    name = table.get("id")
    where = f"{where}, camera {name!r}" if isinstance(name, str) else f"{where}, [[camera]] number {number}"
    renamed = {CAMERA_KEYS.get(key, key): value for key, value in table.items()}
    fields = kinds(CameraConfig).keys() - {"learns"}
    check_keys(table, fields.difference(CAMERA_KEYS.values()) | CAMERA_KEYS.keys(), where)
    source = renamed.get("source")
    learns = isinstance(source, Mapping) and not source.keys() & LEARNED.get(str(source.get("kind")), source.keys())
    return reader.build(CameraConfig, renamed, where, given={"learns": learns})


CAMERA_KEYS = {"storage": "retention", "timelapse": "jobs", "publish": "publications"}
"""Tables whose fields are named after what they become."""

LEARNED = {"url": frozenset({"delivery"}), "v4l2": frozenset({"input_format", "width", "height", "rate"})}
"""Fields by which the user says how a source delivers, by its kind."""


def _source(reader: Reader, table: object, where: str) -> Source:
    if not isinstance(table, Mapping):
        raise invalid(where, "this is to be a table with a kind, such as url")
    forms = sources.kinds()
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in forms:
        raise invalid(where, f"kind is {kind!r}, and none of {', '.join(sorted(forms))}")
    return reader.build(forms[kind], {key: value for key, value in table.items() if key != "kind"}, where)


def _retention(reader: Reader, table: object, where: str) -> Retention:
    known: dict[str, Any] = {"max_size": int, **{kind.value: Limits for kind in Kind}}
    values = reader.values(known, table, where)
    return Retention(
        limits={kind: values[kind] for kind in Kind if kind in values}, max_bytes=values.get("max_size", 0)
    )


_SPECIAL: dict[Any, Any] = {Source: _source, Retention: _retention}


def _one_camera(text: str, where: str) -> dict[str, Any]:
    """Return the table of a camera that is given as its kind and its address."""
    kind, _, address = text.partition(":")
    forms = sources.kinds()
    if kind not in forms:
        raise invalid(where, f"it begins with one of {', '.join(f'{name}:' for name in sorted(forms))}")
    needed = next(iter(required(forms[kind])), None)
    if bool(address) != bool(needed):
        raise invalid(where, f"{kind}: has {'an address' if needed else 'no address'} after it")
    return {"id": ONLY_CAMERA, "source": {"kind": kind, **({needed: address} if needed else {})}}
