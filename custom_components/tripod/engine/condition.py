"""What a pipeline is doing and what went wrong, while it runs; `Status` is what it publishes of this."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import logging
import time

from .errors import TripodError
from .status import State

_LOGGER = logging.getLogger(__name__)


class Condition:
    """The running state of one camera; tells its listeners of each change, and the log of each new failure once."""

    def __init__(self, name: str, state: State, clock: Callable[[], float] = time.time) -> None:
        """Begin in `state`; `name` is the camera's in the log, `clock` tells Unix time."""
        self.state = state
        self.error: TripodError | None = None
        self.last_error: TripodError | None = None
        self.last_error_at: float | None = None
        self.retry_at: float | None = None
        self.restarts = 0
        self._name = name
        self._clock = clock
        self._logged: str | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change; return a function that ends this."""
        self._listeners.append(callback)

        def unlisten() -> None:
            with suppress(ValueError):
                self._listeners.remove(callback)

        return unlisten

    def unlisten_all(self) -> None:
        """Tell nobody of anything any more."""
        self._listeners.clear()

    def set(self, state: State) -> None:
        """Enter `state`; what kept the camera away no longer does once it streams or rests."""
        self.retry_at = None
        if state is not State.STARTING:
            self.error = None
        if state is State.STREAMING and self._logged:
            _LOGGER.info("%s: streaming again", self._name)
            self._logged = None
        self._change(state)

    def failed(self, error: TripodError, retry_in: float) -> None:
        """Note that the capture failed with `error` and tries again in so many seconds."""
        self.restarts += 1
        self.error = error
        self.retry_at = self._clock() + retry_in
        self.note(error)
        self._change(State.RETRYING)

    def note(self, error: TripodError) -> None:
        """Remember a failure, and log it unless it is the one logged last."""
        self.last_error, self.last_error_at = error, self._clock()
        if error.cause != self._logged:
            self._logged = error.cause
            _LOGGER.warning("%s: %s", self._name, error)

    def tell(self) -> None:
        """Tell the listeners of a change beside the state."""
        self._change(self.state)

    def _change(self, state: State) -> None:
        self.state = state
        for listener in list(self._listeners):
            listener()
