"""Commands as they come: words for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
import json
import math
from types import MappingProxyType
from typing import Any
import unicodedata

from ..errors import InvalidCommand
from ..recorder.container import Container

LARGEST = 4096
"""Bytes of a command: many settings at once fit."""

SHOWN = 200
"""Characters of a command that its reply repeats."""

DAY = 86400.0

ID = "id"
"""What a program calls its command, so that it knows the reply."""

ACTION = "action"

_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})

Parse = Callable[[Any], Any]
"""Returns a field's value; raises `ValueError` with what it should be."""


class Verb(StrEnum):
    """What can be asked for."""

    PICTURE = "picture"
    RECORD = "record"
    STOP = "stop"
    START = "start"
    STREAM = "stream"
    RESET = "reset"
    STATUS = "status"
    TIMELAPSE_START = "timelapse start"
    TIMELAPSE_STOP = "timelapse stop"
    TIMELAPSE_FRAME = "timelapse frame"
    TIMELAPSE_RENDER = "timelapse render"


ALIASES = {"snapshot": Verb.PICTURE}


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that is asked for."""

    verb: Verb
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a command is written."""

    fields: Mapping[str, Parse]
    words: tuple[str, ...] = ()
    """The fields that may follow the verb, in order, where it is written in words."""
    needed: tuple[str, ...] = ()


def number(value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a number, which may come as text; raises `ValueError`."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not (math.isfinite(found) and low <= found <= high):
        raise ValueError("a number" if low == -math.inf else f"a number from {low:g} to {high:g}")
    return found


def switch(value: Any) -> bool:
    """Return whether `value` means on; raises `ValueError`."""
    word = str(value).strip().lower()
    if word not in _ON | _OFF:
        raise ValueError("on or off")
    return word in _ON


def _between(low: float, high: float) -> Parse:
    return lambda value: number(value, low, high)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text")
    return value.strip()


def _container(value: Any) -> Container:
    if value not in list(Container):
        raise ValueError(" or ".join(Container))
    return Container(value)


def _time(value: Any) -> time:
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a time such as 07:30") from None


def _moment(value: Any) -> date | datetime:
    try:
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a day such as 2026-11-21, or a time of one") from None


_SPEED: Mapping[str, Parse] = {"fps": _between(0.1, 60), "length": _between(0.1, DAY)}

_SECONDS = _between(0.1, DAY)

FORMS: Mapping[Verb, Form] = MappingProxyType(
    {
        Verb.PICTURE: Form({"name": _text, "full_size": switch, "after_now": switch}, words=("name",)),
        Verb.RECORD: Form(
            {"duration": _SECONDS, "pre_roll": _between(0, 600), "name": _text, "container": _container},
            words=("duration",),
        ),
        Verb.STOP: Form({"recording": _text}, words=("recording",)),
        Verb.START: Form({}),
        Verb.STREAM: Form({"on": switch}, words=("on",), needed=("on",)),
        Verb.RESET: Form({}),
        Verb.STATUS: Form({}),
        Verb.TIMELAPSE_START: Form(
            {
                "job": _text,
                "interval": _between(1, DAY),
                "start_time": _time,
                "end_time": _time,
                "skip_unchanged": switch,
                "skip_dark": switch,
                "render": switch,
                **_SPEED,
            },
            words=("job", "interval"),
            needed=("job",),
        ),
        Verb.TIMELAPSE_STOP: Form({"job": _text, "render": switch}, words=("job",), needed=("job",)),
        Verb.TIMELAPSE_FRAME: Form({"job": _text}, words=("job",), needed=("job",)),
        Verb.TIMELAPSE_RENDER: Form(
            {"job": _text, "start": _moment, "end": _moment, **_SPEED}, words=("job",), needed=("job",)
        ),
    }
)


def read(payload: bytes) -> str:
    """Return a payload as text; raises `InvalidCommand`."""
    if len(payload) > LARGEST:
        raise InvalidCommand(f"it is longer than {LARGEST} bytes")
    try:
        text = payload.decode().strip().strip("\ufeff\0")
    except UnicodeDecodeError:
        text = "\0"
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r" for character in text):
        raise InvalidCommand("it is not text")
    if not text:
        raise InvalidCommand("it is empty")
    return text


def structure(text: str) -> dict[str, Any] | None:
    """Return what JSON says; None for words. Raises `InvalidCommand`."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidCommand("it begins as JSON does, and is none") from None
    assert isinstance(found, dict)  # nothing else begins so
    return found


def take_id(given: dict[str, Any] | None) -> str | None:
    """Take out of a command what its sender calls it; raises `InvalidCommand`."""
    found = None if given is None else given.pop(ID, None)
    if found is not None and (isinstance(found, bool) or not isinstance(found, str | int) or len(str(found)) > SHOWN):
        raise InvalidCommand(f"{ID} is not text of up to {SHOWN} characters")
    return None if found is None else str(found)


def action(text: str, given: dict[str, Any] | None) -> Command:
    """Return the command that `text` is, or its JSON where it is `given`; raises `InvalidCommand`."""
    if given is None:
        return _from_words(text)
    verb = _verb(str(given.pop(ACTION, "")).lower().split())
    if verb is None:
        raise _unknown()
    return _checked(verb, given)


def _from_words(text: str) -> Command:
    words = text.split()
    for length in (2, 1):
        if verb := _verb([word.lower() for word in words[:length]]):
            rest = text.split(maxsplit=length)[length:]
            form = FORMS[verb]
            if rest and not form.words:
                raise InvalidCommand(f"nothing follows {verb}")
            values = rest[0].split(maxsplit=len(form.words) - 1) if rest else []
            return _checked(verb, dict(zip(form.words, values, strict=False)))
    raise _unknown()


def _verb(words: list[str]) -> Verb | None:
    name = " ".join(words)
    return ALIASES.get(name) or (Verb(name) if name in list(Verb) else None)


def _unknown() -> InvalidCommand:
    return InvalidCommand(f"known are {', '.join(Verb)}")


def _checked(verb: Verb, given: Mapping[str, Any]) -> Command:
    form, values = FORMS[verb], dict[str, Any]()
    for key, value in given.items():
        if key not in form.fields:
            raise InvalidCommand(f"{verb} has no {key[:SHOWN]}: {', '.join(form.fields) or 'nothing'} may be given")
        try:
            values[key] = form.fields[key](value)
        except ValueError as error:
            raise InvalidCommand(f"{key} is {error}") from None
    for key in form.needed:
        if key not in values:
            raise InvalidCommand(f"{verb} needs {key}")
    return Command(verb, values)
