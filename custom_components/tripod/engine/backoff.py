"""How long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable
import random

FIRST = 1.0
LONGEST = 30.0


class Backoff:
    """Delays that double from 1 s to 30 s, each with up to a fifth taken off so that cameras do not retry in step."""

    def __init__(self, random: Callable[[], float] = random.random, *, limit: float = LONGEST) -> None:
        """Take jitter from `random`, a number from 0 to 1; no delay is longer than `limit` seconds."""
        self._random = random
        self._limit = limit
        self._next = FIRST

    def reset(self) -> None:
        """Begin again with the shortest delay."""
        self._next = FIRST

    def next(self) -> float:
        """Return the seconds to wait now."""
        delay, self._next = self._next, min(self._next * 2, self._limit)
        return delay * (1 - self._random() / 5)

    def longest(self) -> float:
        """Return the longest delay at once, for what another try will not mend."""
        self._next = self._limit
        return self.next()
