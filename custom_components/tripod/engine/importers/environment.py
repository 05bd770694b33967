"""Settings in the environment: from a `.env` file, or from what a compose file says of its services."""

from __future__ import annotations

from collections.abc import Mapping
import re
from typing import Any

from ..errors import NotUnderstood
from . import yaml_text

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?:(:?[-?+])([^}]*))?\}|(\w+)|(\$))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def parse(text: str) -> dict[str, str]:
    """Return the variables of a `.env` file, the last of each name; raises `NotUnderstood` for a line that is none."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise NotUnderstood(f"line {number} is not NAME=value", what="an environment file")
        found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(text: str) -> str:
    if text.startswith("'") and (end := text.find("'", 1)) > 0:
        return text[1:end]
    if match := re.match(r'"((?:[^"\\]|\\.)*)"', text):
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match[1])
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].rstrip()


def read(text: str, beside: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a `.env` or of all services of a compose file, whose `${…}` come from `beside`.

    Raises `NotUnderstood`.
    """
    if re.search(r"^\s*services\s*:", text, re.MULTILINE):
        return compose(text, beside or {})
    return parse(text)


def compose(text: str, beside: Mapping[str, str]) -> dict[str, str]:
    """Return what the services of a compose file have in their environment and as build arguments."""
    data = yaml_text.load(text, "a compose file")
    services = data.get("services") if isinstance(data, Mapping) else None
    if not isinstance(services, Mapping):
        raise NotUnderstood("it has no services", what="a compose file")
    found: dict[str, str] = {}
    for service in services.values():
        if not isinstance(service, Mapping):
            continue
        build = service.get("build")
        for block in (build.get("args") if isinstance(build, Mapping) else None, service.get("environment")):
            for name, value in _pairs(block):
                found[name] = beside.get(name, "") if value is None else interpolated(value, beside)
    if not found:
        raise NotUnderstood("its services have no environment", what="a compose file")
    return found


def _pairs(block: Any) -> list[tuple[str, str | None]]:
    """Return names and values of a block in either of its two forms; None where the value comes from outside."""
    if isinstance(block, Mapping):
        return [(str(name), None if value is None else _text(value)) for name, value in block.items()]
    if isinstance(block, list):
        parts = [str(item).partition("=") for item in block]
        return [(name.strip(), value if equals else None) for name, equals, value in parts]
    return []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with `$NAME`, `${NAME}` and `${NAME:-otherwise}` filled in; what is not set is empty."""

    def value(match: re.Match[str]) -> str:
        braced, operator, operand, plain, dollar = match.groups()
        if dollar:
            return "$"
        known = variables.get(braced or plain)
        if not operator:
            return known or ""
        there = bool(known) if operator.startswith(":") else known is not None
        if operator.endswith("+"):
            return operand if there else ""
        return known or "" if there else (operand if operator.endswith("-") else "")

    return _VARIABLE.sub(value, text)
