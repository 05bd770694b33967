"""How fast commands may come."""

from __future__ import annotations

from collections.abc import Callable


class Throttle:
    """A bucket of tokens: one for each command, refilled at a rate."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        """Admit `rate` a second, and `burst` at once; `clock` counts seconds."""
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._filled_at = clock()
        self._refused = 0

    def admit(self) -> bool:
        """Return whether one more may come now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            self._refused += 1
            return False
        self._tokens -= 1
        self._refused = 0
        return True

    def told(self) -> bool:
        """Return whether somebody was told already that what comes is too much."""
        return self._refused > 1
