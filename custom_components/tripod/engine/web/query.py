"""Query values, checked."""

from __future__ import annotations

import math
import re

from aiohttp import web

from ..errors import InvalidRequest
from .answers import Refusal

_NUMBER = re.compile(r"\d{1,12}(\.\d{0,9})?", re.ASCII)
SHOWN = 40
"""Characters of a wrong value that the answer repeats."""


def number(request: web.Request, name: str, low: float, high: float) -> float | None:
    """Return the query value `name`, None where it is not given; refuse what is no number from `low` to `high`."""
    text = request.query.get(name)
    if text is None:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not low <= value <= high:
        raise invalid(f"{name}={text[:SHOWN]} is not a number from {low:g} to {high:g}")
    return value


def whole(request: web.Request, name: str, low: int, high: int) -> int | None:
    """Return the query value `name` as a whole number, None where it is not given."""
    value = number(request, name, low, high)
    if value is not None and value != int(value):
        raise invalid(f"{name}={value:g} is not a whole number")
    return None if value is None else int(value)


def invalid(detail: str) -> Refusal:
    """Return the refusal of a value, as a sentence."""
    return Refusal(400, InvalidRequest(detail))
