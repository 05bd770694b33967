"""Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Exposition:
    """Samples of any number of cameras, grouped by metric as the format wants it."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._samples: dict[str, list[str]] = {}

    def add(
        self,
        name: str,
        kind: Literal["counter", "gauge"],
        text: str,
        value: float,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Add a sample of the metric `name`, which `text` explains."""
        lines = self._samples.setdefault(name, [f"# HELP {name} {text}\n", f"# TYPE {name} {kind}\n"])
        written = ",".join(f'{key}="{label.translate(_ESCAPES)}"' for key, label in (labels or {}).items())
        lines.append(f"{name}{{{written}}} {value:.15g}\n" if written else f"{name} {value:.15g}\n")

    def __str__(self) -> str:
        """Return the text."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for lines in self._samples.values():
            yield from lines
