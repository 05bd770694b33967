"""A table of a TOML file as a frozen dataclass: every key known, every value of its type, or an error that says where.

The dataclass is the form: its annotations say what a value has to be, its defaults what may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import time
from difflib import get_close_matches
from enum import Enum
import math
from pathlib import Path
import re
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..engine.errors import InvalidConfiguration, TripodError

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")

FROM_FILE = "_file"
"""What a secret's key ends with where the file of this name holds it."""

LONGEST_SECRET = 64 * 1024
"""Bytes of a file that holds a secret."""

BYTES = frozenset({"floor", "max_size", "max_bytes", "ring_bytes"})
"""Keys whose numbers are bytes, so that they may also be written with a unit."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_UNITS = {unit: 1000**power for power, unit in enumerate(("B", "kB", "MB", "GB", "TB"))} | {
    unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)
}
_SIZE = re.compile(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})")
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def invalid(where: str, detail: str) -> InvalidConfiguration:
    """Return the error for what stands at `where`."""
    return InvalidConfiguration(detail, where=where)


class _Wrong(Exception):
    """What is wrong with a value, for people."""


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Raise as `InvalidConfiguration` at `where` what is said of a value."""
    try:
        yield
    except _Wrong as error:
        raise invalid(where, str(error)) from error
    except InvalidConfiguration as error:
        inner = error.placeholders["where"]
        raise invalid(where if inner in where else f"{where}, {inner}", error.placeholders["detail"]) from error
    except TripodError as error:
        raise invalid(where, str(error)) from error


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads tables; paths in them that are not absolute begin at `base`."""

    base: Path
    special: Mapping[Any, Callable[[Reader, Any, str], Any]]
    """How values are read whose annotation does not say it, by that annotation."""
    keys: Mapping[str, str]
    """What the file calls fields that have another name."""

    def build(self, form: type[_T], table: object, where: str, *, given: Mapping[str, Any] | None = None) -> _T:
        """Return the dataclass `form` of `table`, which stands at `where`; `given` are fields that it cannot name.

        Raises `InvalidConfiguration`.
        """
        known = {name: kind for name, kind in kinds(form).items() if name not in (given or {})}
        values = self.values(known, table, where, hidden=secret_names(form))
        with placed(where):
            missing = [name for name in required(form) if name not in values and name not in (given or {})]
            if missing:
                raise invalid(where, f"{missing[0]} is missing")
            return form(**values, **(given or {}))

    def values(
        self, known: Mapping[str, Any], table: object, where: str, *, hidden: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return the values of `table`, whose keys may be those of `known`; `hidden` ones may be in files."""
        if not isinstance(table, Mapping):
            raise invalid(where, f"this is to be a table, and not {_called(table)}")
        table = self._with_secrets(table, where, hidden)
        check_keys(table, known, where)
        return {name: self.value(known[name], value, where, name) for name, value in table.items()}

    def _with_secrets(self, table: Mapping[str, Any], where: str, hidden: Collection[str]) -> dict[str, Any]:
        filled = dict(table)
        for name in hidden:
            if (path := filled.pop(name + FROM_FILE, None)) is None:
                continue
            if name in filled:
                raise invalid(where, f"{name} and {name}{FROM_FILE} are both given")
            filled[name] = self._secret(self.value(Path, path, where, name + FROM_FILE), where)
        return filled

    def _secret(self, path: Path, where: str) -> str:
        try:
            with path.open("rb") as file:
                return file.read(LONGEST_SECRET).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise invalid(where, f"{path} cannot be read: {reason}") from error

    def value(self, kind: Any, value: Any, where: str, name: str) -> Any:
        """Return `value` as what its annotation `kind` says; raises `InvalidConfiguration`."""
        name = self.keys.get(name, name)
        if kind in self.special:
            return self.special[kind](self, value, f"{where}, {name}")
        if get_origin(kind) in (Union, UnionType):
            (kind,) = (option for option in get_args(kind) if option is not type(None))
            return self.value(kind, value, where, name)
        if is_dataclass(kind) and isinstance(kind, type):
            return self.build(kind, value, f"{where}, {name}")
        if get_origin(kind) in (tuple, frozenset):
            return self._list(kind, value, where, name)
        with placed(where):
            return self._plain(kind, value, name)

    def _list(self, kind: Any, value: Any, where: str, name: str) -> Any:
        if not isinstance(value, list):
            raise invalid(where, f"{name} is to be a list, and not {_called(value)}")
        item, *_ = get_args(kind)
        if name == "weekdays":
            with placed(where):
                return frozenset(_weekday(day) for day in value)
        several = is_dataclass(item)
        return get_origin(kind)(
            self.value(item, entry, where, f"{name} number {number}" if several else name)
            for number, entry in enumerate(value, 1)
        )

    def _plain(self, kind: Any, value: Any, name: str) -> Any:
        origin = get_origin(kind)
        if origin is Mapping:
            return _numbers(value, name)
        if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
            return _choice(kind, value, name)
        read = _PLAIN[kind]
        if kind is int and name in BYTES and isinstance(value, str):
            return _size(value, name)
        if kind is Path:
            return self.base / Path(_text(value, name)).expanduser()
        return read(value, name)


def check_keys(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raise `InvalidConfiguration` for a key that is not `known`, and say which may have been meant."""
    for name in table:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; is {near[0]} meant?" if near else f"; there are {', '.join(sorted(known))}"
            raise invalid(where, f"there is no {name}{hint}")


def kinds(form: type) -> dict[str, Any]:
    """Return the annotations of a dataclass's fields, by name."""
    hints = get_type_hints(form)
    return {item.name: hints[item.name] for item in _fields(form) if item.init}


def required(form: type) -> list[str]:
    """Return the names of the fields that have no default."""
    return [item.name for item in _fields(form) if item.default is MISSING and item.default_factory is MISSING]


def secret_names(form: type) -> frozenset[str]:
    """Return the names of the fields that are not to be seen."""
    return frozenset(item.name for item in _fields(form) if not item.repr)


def _fields(form: type) -> tuple[Field[Any], ...]:
    return fields(form)


def from_text(kind: Any, text: str, where: str) -> Any:
    """Return `text`, of a flag or the environment, as TOML would have it for the annotation `kind`."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (option for option in get_args(kind) if option is not type(None))
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind is bool:
        if text.lower() not in _YES | _NO:
            raise invalid(where, f"{text!r} is neither yes nor no")
        return text.lower() in _YES
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text  # a size with its unit, or what the reader refuses
    return text


def _called(value: object) -> str:
    """Return what people call a value's type."""
    return {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a table",
    }.get(type(value), f"a {type(value).__name__}")


def _checked(kind: type[_T], said: str) -> Callable[[Any, str], _T]:
    def read(value: Any, name: str) -> _T:
        if type(value) is not kind:
            raise _Wrong(f"{name} is to be {said}, and not {_called(value)}")
        return value

    return read


def _number(value: Any, name: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _Wrong(f"{name} is to be a number, and not {_called(value)}")
    return float(value)


def _numbers(value: Any, name: str) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{name} is to be a table of numbers, and not {_called(value)}")
    return {key: float(item) if isinstance(item, bool) else _number(item, key) for key, item in value.items()}


def _time(value: Any, name: str) -> time:
    try:
        return value if type(value) is time else time.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _Wrong(f"{name} is to be a time of day, such as 06:30:00") from error


def _size(value: str, name: str) -> int:
    if match := _SIZE.fullmatch(value.strip()):
        return int(float(match[1]) * _UNITS[match[2]])
    raise _Wrong(f'{name} is to be a size, such as "500 MB" or "10 GiB"')


def _weekday(value: Any) -> int:
    if value not in WEEKDAYS:
        raise _Wrong(f"{value!r} is no day of the week: {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(value)


def _choice(kind: Any, value: Any, name: str) -> Any:
    options = get_args(kind) if get_origin(kind) is Literal else tuple(option.value for option in kind)
    if value not in options:
        raise _Wrong(f"{name} is {value!r}, and none of {', '.join(map(str, options))}")
    return value if get_origin(kind) is Literal else kind(value)


_text = _checked(str, "text")

_PLAIN: dict[Any, Callable[[Any, str], Any]] = {
    bool: _checked(bool, "true or false"),
    int: _checked(int, "a whole number"),
    float: _number,
    str: _text,
    Path: _text,
    time: _time,
}
