"""Lists on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print `rows` in columns below their `heads`, or what is said where there are none."""
    if not rows:
        print(empty)
        return
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def moment(when: datetime | None) -> str:
    """Return a time as people here read it; a dash for none."""
    return f"{when.astimezone():%Y-%m-%d %H:%M}" if when else "-"
