"""Rates over the last seconds: frames per second, bits per second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time

WINDOW = 5.0
"""Seconds a rate looks back: long enough to be calm, short enough to show a freeze."""


class RateMeter:
    """Amount per second over a sliding window."""

    def __init__(self, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        """Measure over `window` seconds of `clock`."""
        self._window = window
        self._clock = clock
        self._events: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._since: float | None = None

    def add(self, amount: float = 1.0) -> None:
        """Count `amount` now."""
        now = self._clock()
        if self._since is None:
            self._since = now
        self._events.append((now, amount))
        self._sum += amount
        self._forget(now)

    def reset(self) -> None:
        """Forget everything, as after a restart of what is measured."""
        self._events.clear()
        self._sum = 0.0
        self._since = None

    @property
    def rate(self) -> float:
        """The rate per second; 0 while nothing was counted in the window."""
        now = self._clock()
        self._forget(now)
        if self._since is None or not self._events:
            return 0.0
        return self._sum / min(self._window, max(now - self._since, 1.0))

    def _forget(self, now: float) -> None:
        while self._events and self._events[0][0] <= now - self._window:
            self._sum -= self._events.popleft()[1]
