"""What was brought over, as a part of a node's configuration file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import json
import re
import tomllib
from typing import Any

from ..engine.errors import InvalidConfiguration
from ..engine.importers import Import, Imported
from .config import DEFAULT_HOST, DEFAULT_PORT, CameraConfig
from .writing import camera_text, value_text

MASK = "***"


@dataclass(frozen=True, slots=True)
class Brought:
    """One camera: its id, and its table; no table where the file has the camera already."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Addition:
    """What is added to a configuration file."""

    top: str
    """Stands before all else: keys of no table."""
    cameras: tuple[Brought, ...]
    bottom: str
    """Other tables."""
    kept: tuple[str, ...]
    """Keys that the file has already, and that stay as they are."""


def brought(found: Import, before: str, where: str) -> Addition:
    """Return what `found` adds to the text of a file; raises `InvalidConfiguration` where that is none."""
    known = parsed(before, where)
    there = [camera for camera in known.get("camera", []) if isinstance(camera, dict)]
    taken = [str(camera.get("id", "")) for camera in there]
    cameras = []
    for camera in found.cameras:
        if same := next((item for item in there if _is_of(item.get("source"), camera)), None):
            cameras.append(Brought(str(same.get("id", "")), ""))
            continue
        taken.append(_id(camera.title, taken))
        cameras.append(Brought(taken[-1], _camera(taken[-1], camera)))
    top: list[str] = []
    kept: list[str] = []
    for key, value in _top(found.node):
        (kept if key in known else top).append(f"{key} = {value_text(value)}")
    level = found.node.get("log_level")
    bottom = f"\n[log]\nlevel = {value_text(level)}\n" if level and "log" not in known else ""
    return Addition("".join(f"{line}\n" for line in top), tuple(cameras), bottom, tuple(kept))


def merged(before: str, added: Addition) -> str:
    """Return the text of a whole file."""
    parts = [added.top, before, *(camera.text for camera in added.cameras), added.bottom]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part.strip())


def shown(added: Addition, found: Import) -> str:
    """Return what is added, for people: without secrets."""
    kept = "".join(f"# the file says this already, and keeps it: {line}\n" for line in added.kept)
    text = kept + merged("", added)
    for camera in found.cameras:
        for secret in camera.source.secrets:
            text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], MASK)
    return text


def parsed(text: str, where: str) -> dict[str, Any]:
    """Return the tables of a file; raises `InvalidConfiguration`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfiguration(f"this is not TOML: {error}", where=where) from error


def _top(node: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if "host" in node or "port" in node:
        host = str(node.get("host", DEFAULT_HOST))
        host = f"[{host}]" if ":" in host else host
        yield "listen", f"{host}:{node.get('port', DEFAULT_PORT)}"
    if "cors" in node:
        yield "cors", node["cors"]


def _is_of(source: object, camera: Imported) -> bool:
    """Return whether a source, as it stands in a file, is that of `camera`."""
    described = camera.source.as_dict()
    keys = ("kind", *(key for key in ("url", "device", "camera") if key in described))
    return isinstance(source, dict) and all(source.get(key) == described[key] for key in keys)


def _camera(camera_id: str, camera: Imported) -> str:
    config = CameraConfig(
        id=camera_id,
        title=camera.title,
        source=camera.source,
        options=camera.options,
        retention=camera.retention,
        jobs=camera.jobs,
        controls=camera.controls,
    )
    return camera_text(config, camera.notes)


def _id(title: str, taken: Iterable[str]) -> str:
    """Return an id that is made of a title, and is nobody else's."""
    wanted = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "camera"
    names = [wanted, *(f"{wanted}_{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)
