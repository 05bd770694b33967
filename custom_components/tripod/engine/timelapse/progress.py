"""How much of a task is done."""

from __future__ import annotations

from collections.abc import Callable

GRAIN = 0.002
"""Of the whole: who is told more often only writes more."""


class Meter:
    """Tells how much is done, from 0 to 1, never less than before."""

    def __init__(self, total: float, tell: Callable[[float], object]) -> None:
        """Expect steps that add up to about `total`; 1 is told only when all is done."""
        self._total = max(total, 1)
        self._tell = tell
        self._steps = 0.0
        self._told = 0.0
        tell(0.0)

    def add(self, steps: float = 1) -> None:
        """Count steps that were done."""
        self._steps += steps
        part = min(self._steps / self._total, 1 - GRAIN)
        if part - self._told >= GRAIN:
            self._told = part
            self._tell(part)

    def counter(self, weight: float) -> Callable[[int], None]:
        """Return what takes a count that rises from 0, each of it so many steps."""
        before = 0

        def count(now: int) -> None:
            nonlocal before
            self.add((now - before) * weight)
            before = now

        return count

    def done(self) -> None:
        """Tell that all is done."""
        self._tell(1.0)
