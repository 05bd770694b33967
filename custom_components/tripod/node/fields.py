"""What requests say, checked by tables of which the OpenAPI document is made, too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
from typing import Any, Literal, TypeAlias

from aiohttp import web

from ..engine.errors import InvalidCommand

MAX_BODY = 64 * 1024
"""Bytes."""

PATIENCE = 10.0
"""Seconds for a body to come: they are small."""

LONGEST_TEXT = 1000
"""Characters, where nothing else is said."""

LARGEST = 1e15
"""A number that anybody means, where nothing else is said: whole ones up to it are exact."""

SHOWN = 40
"""Characters of what is wrong that the answer repeats."""

Kind: TypeAlias = Literal["string", "number", "integer", "boolean", "array", "object"]

_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value of a body or a query."""

    name: str
    kind: Kind = "string"
    text: str
    """What it means."""
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence[Any] = ()
    longest: int = LONGEST_TEXT
    """Characters of a string."""
    each: Field | None = None
    """What an array is of, and what the values of an object with any keys are."""
    fields: tuple[Field, ...] = ()
    """What an object is of."""

    def check(self, value: Any) -> Any:
        """Return a value that fits; raises `InvalidCommand`."""
        if not isinstance(value, _TYPES[self.kind]) or (isinstance(value, bool) and self.kind != "boolean"):
            raise self._wrong(f"is no {self.kind}")
        if isinstance(value, int | float):
            self._check_number(value)
        elif isinstance(value, str) and not (value.isprintable() and len(value) <= self.longest):
            raise self._wrong(f"has more than {self.longest} characters, or such as cannot be printed")
        if self.choices and value not in self.choices:
            raise self._wrong(f"is none of {', '.join(map(str, self.choices))}")
        if isinstance(value, dict):
            return self._check_object(value)
        if isinstance(value, list) and self.each:
            return [self.each.check(item) for item in value]
        return value

    def _check_number(self, value: float) -> None:
        low = -LARGEST if self.minimum is None else self.minimum
        high = LARGEST if self.maximum is None else self.maximum
        if not low <= value <= high:  # which no NaN is
            raise self._wrong(f"is not from {low:g} to {high:g}")

    def _check_object(self, value: dict[str, Any]) -> dict[str, Any]:
        if not self.fields and self.each:
            return {key: self.each.check(each) for key, each in value.items()}
        return check(self.fields, value)

    def _wrong(self, what: str) -> InvalidCommand:
        return InvalidCommand(f"{self.name} {what}")

    def schema(self) -> dict[str, Any]:
        """Return what JSON Schema says of it."""
        found: dict[str, Any] = {"type": self.kind, "description": self.text}
        if self.kind == "string" and not self.choices:
            found["maxLength"] = self.longest
        if self.minimum is not None:
            found["minimum"] = self.minimum
        if self.maximum is not None:
            found["maximum"] = self.maximum
        if self.choices:
            found["enum"] = list(self.choices)
        if self.kind == "array" and self.each:
            found["items"] = self.each.schema()
        elif self.kind == "object":
            found |= object_schema(self.fields, self.each)
        return found


Fields: TypeAlias = tuple[Field, ...]


def object_schema(fields: Fields, each: Field | None = None) -> dict[str, Any]:
    """Return what JSON Schema says of an object of these fields, or of any keys where there are none."""
    if not fields:
        return {"type": "object", "additionalProperties": each.schema() if each else False}
    found: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: field.schema() for field in fields},
        "additionalProperties": False,
    }
    if required := [field.name for field in fields if field.required]:
        found["required"] = required
    return found


def check(fields: Fields, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given, null being as good as nothing; raises `InvalidCommand`."""
    known = {field.name: field for field in fields}
    if unknown := sorted(given.keys() - known.keys()):
        raise InvalidCommand(f"{unknown[0][:SHOWN]!a} is none of {', '.join(known) or 'nothing'}")
    values = {name: known[name].check(value) for name, value in given.items() if value is not None}
    if missing := [field.name for field in fields if field.required and field.name not in values]:
        raise InvalidCommand(f"{missing[0]} is missing")
    return values


async def body(request: web.Request) -> dict[str, Any]:
    """Return the object in a request's body, empty where there is none; raises `InvalidCommand`."""
    try:
        async with asyncio.timeout(PATIENCE):
            data = await request.read()
        given = json.loads(data) if data.strip() else {}
    except TimeoutError as error:
        raise InvalidCommand(f"the body did not come within {PATIENCE:g} seconds") from error
    except (ValueError, RecursionError) as error:
        raise InvalidCommand("the body is not JSON") from error
    if not isinstance(given, dict):
        raise InvalidCommand("the body is no object")
    return given


def query(fields: Fields, request: web.Request) -> dict[str, Any]:
    """Return the values of a query, what is not known in it left out; raises `InvalidCommand`."""
    known = {field.name: field for field in fields}
    given = {name: _value(known[name], text) for name, text in request.query.items() if name in known}
    return check(fields, given)


def _value(field: Field, text: str) -> Any:
    """Return what a query's text means for a field; what it cannot mean is left for the field to refuse."""
    try:
        if field.kind == "integer":
            return int(text[:SHOWN])
        if field.kind == "number":
            return float(text[:SHOWN])
    except ValueError:
        return text
    if field.kind == "boolean":
        return {"1": True, "true": True, "0": False, "false": False}.get(text, text)
    return text
