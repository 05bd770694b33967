"""Who of those that may do all is listening now: while nobody is, a camera may record on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..engine.listeners import Listeners


class Presence:
    """The paired clients that are connected."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._present: Counter[str] = Counter()
        self._listeners = Listeners()

    def __bool__(self) -> bool:
        """Whether anybody is there."""
        return bool(self._present)

    def __contains__(self, client: str) -> bool:
        """Whether the client with this token's id is there."""
        return client in self._present

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when somebody comes or goes; return a function that ends this."""
        return self._listeners.add(callback)

    @contextmanager
    def enter(self, client: str) -> Iterator[None]:
        """Be there for the time of the context."""
        self._present[client] += 1
        self._listeners.tell()
        try:
            yield
        finally:
            self._present[client] -= 1
            self._present += Counter()  # without those of 0
            self._listeners.tell()
