"""Patience with an emulated machine, whose host may be busy: what just took too long is done again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from engine.errors import TripodError  # type: ignore[import-not-found]

TRIES = 6


async def patient(work: Callable[[], Awaitable[Any]], *passing: str) -> Any:
    """Return what `work` brings; begin it anew after no picture came in time, or for the causes in `passing`."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except TripodError as error:
            if error.cause not in ("stalled", *passing):
                raise
    return await work()
