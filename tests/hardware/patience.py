"""Patience with an emulated machine, whose host may be busy: what just took too long is done again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from engine.errors import Stalled  # type: ignore[import-not-found]

TRIES = 6


async def patient(work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what `work` brings; begin it anew where no picture came in time."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except Stalled:
            continue
    return await work()
