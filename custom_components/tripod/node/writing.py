"""A camera's configuration as TOML: what `reading` takes back, with only that said which is not usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import time
from enum import Enum
import json
from pathlib import Path
import re
from typing import Any

from ..engine.archive import Retention
from ..engine.sources import Source
from .config import CameraConfig
from .configuration import CAMERA_KEYS, LEARNED
from .reading import WEEKDAYS

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def camera_text(camera: CameraConfig, notes: Iterable[str] = ()) -> str:
    """Return the table of `camera`, with `notes` as comments before it."""
    lines = [*(f"# {line}".rstrip() for note in notes for line in note.split("\n")), "[[camera]]"]
    return "\n".join([*lines, *_body("camera", camera)]) + "\n"


def value_text(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return value_text(value.value)
    if isinstance(value, (str, Path)):
        # TOML's strings are JSON's, but for the one control character that JSON lets through
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(value_text, value))}]"
    return repr(value)


def _body(header: str, described: Any) -> Iterator[str]:
    """Return the lines of a table: what stands in it, and then the tables within."""
    plain, within = [], []
    if isinstance(described, Source):
        plain.append(f"kind = {value_text(described.kind)}")
    for key, value in _unusual(described):
        if isinstance(value, (Mapping, Retention)) or is_dataclass(value):
            within += ["", f"[{header}.{key}]", *_table(f"{header}.{key}", value)]
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            for each in value:
                within += ["", f"[[{header}.{key}]]", *_body(f"{header}.{key}", each)]
        else:
            plain.append(f"{_key(key)} = {value_text(value)}")
    yield from plain
    yield from within


def _table(header: str, value: Any) -> Iterator[str]:
    if isinstance(value, Retention):
        if value.max_bytes:
            yield f"max_size = {value.max_bytes}"
        for kind, limits in value.limits.items():
            yield from ("", f"[{header}.{kind.value}]", *_body(f"{header}.{kind.value}", limits))
    elif isinstance(value, Mapping):
        yield from (f"{_key(name)} = {value_text(item)}" for name, item in value.items())
    else:
        yield from _body(header, value)


def _unusual(described: Any) -> Iterator[tuple[str, Any]]:
    """Return the keys and values that have to be said."""
    said = LEARNED.get(described.kind, frozenset()) if isinstance(described, Source) else frozenset()
    for item in fields(described):
        value = getattr(described, item.name)
        if item.name == "learns" or (value == _default(item) and item.name not in said):
            continue
        if item.name == "title" and isinstance(described, CameraConfig) and value == described.id:
            continue
        if item.name == "weekdays":
            value = [WEEKDAYS[day] for day in sorted(value)]
        yield _KEYS.get(item.name, item.name), value


_KEYS = {field: key for key, field in CAMERA_KEYS.items()}


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else value_text(name)
