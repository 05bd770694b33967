"""Notes what becomes of each setting while it is read."""

from __future__ import annotations

from collections.abc import Mapping
import re
from typing import Any

from .base import Import, Imported, Line

MASK = "***"

LONGEST_VALUE = 200
"""Characters of a value that are shown: a table of settings must stay readable."""

_SECRET_NAME = re.compile(r"token|secret|passw|dsn|credential|api_?key|private_?key", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/@\s\"']+(?=@)")
_SECRET_FIELD = re.compile(r"((?:pass|pwd|token|secret|auth|sig|key|user|usr|login)\w*=)[^&\s\"',;]+", re.IGNORECASE)


def shown(name: str, value: object) -> str:
    """Return a setting's value for people: without passwords, and not longer than a line or two."""
    text = " ".join(str(value).split())
    if text and _SECRET_NAME.search(name):
        return MASK
    text = _SECRET_FIELD.sub(rf"\1{MASK}", _USERINFO.sub(MASK, text))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


class Account:
    """Takes each setting exactly once."""

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self._understood: list[Line] = []
        self._not_needed: list[Line] = []
        self._not_understood: list[Line] = []

    def understood(self, name: str, value: object, meaning: str) -> None:
        """Note what a setting becomes."""
        self._understood.append(Line(name=name, value=shown(name, value), meaning=meaning))

    def not_needed(self, name: str, value: object, why: str) -> None:
        """Note a setting that has no counterpart, because nothing here needs it."""
        self._not_needed.append(Line(name=name, value=shown(name, value), meaning=why))

    def not_understood(self, name: str, value: object, why: str = "it is not known here") -> None:
        """Note a setting that is lost unless the user sees to it."""
        self._not_understood.append(Line(name=name, value=shown(name, value), meaning=why))

    def result(self, *cameras: Imported, node: Mapping[str, Any] | None = None) -> Import:
        """Return the import of `cameras`."""
        return Import(
            cameras=cameras,
            understood=tuple(self._understood),
            not_needed=tuple(self._not_needed),
            not_understood=tuple(self._not_understood),
            node=node or {},
        )
