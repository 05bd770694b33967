"""Wait for what has no event to wait on: processes, files, an HTTP API."""

from collections.abc import Callable
import time

_POLL_SECONDS = 0.1


def until[T](condition: Callable[[], T], what: str, *, timeout: float = 20) -> T:
    """Return what `condition` returns once that is true; `what` says in an error what did not happen."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(_POLL_SECONDS)
    return result
