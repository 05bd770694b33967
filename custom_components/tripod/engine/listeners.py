"""Those who want to be told of a change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress


class Listeners:
    """Callbacks without arguments, told in the order in which they came."""

    def __init__(self) -> None:
        """Begin with none."""
        self._callbacks: list[Callable[[], None]] = []

    def add(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` at each change; return a function that ends this, and may be called again."""
        self._callbacks.append(callback)

        def remove() -> None:
            with suppress(ValueError):
                self._callbacks.remove(callback)

        return remove

    def clear(self) -> None:
        """Tell nobody of anything any more."""
        self._callbacks.clear()

    def tell(self) -> None:
        """Call all; one may add or remove others meanwhile."""
        for callback in list(self._callbacks):
            callback()
