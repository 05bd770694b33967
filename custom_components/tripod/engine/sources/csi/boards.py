"""Which Raspberry Pi this is."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
import re

MODEL = Path("/proc/device-tree/model")
"""The board's name, such as `Raspberry Pi Zero 2 W Rev 1.0`, with a zero byte at its end."""


class Board(StrEnum):
    """Raspberry Pis by what they can do with video."""

    ZERO = "zero"
    """One slow core and a hardware encoder: the first Pi and the first Zero."""
    PI_3 = "pi_3"
    """Four slow cores, half a gigabyte and a hardware encoder: Pi 2, Pi 3, Zero 2."""
    PI_4 = "pi_4"
    PI_5 = "pi_5"
    """No encoder, but four fast cores."""
    UNKNOWN = "unknown"


_BOARDS = {
    Board.PI_5: r"Pi (5|500|Compute Module 5)\b",
    Board.PI_4: r"Pi (4|400|Compute Module 4)\b",
    Board.PI_3: r"Pi (2|3|Zero 2|Compute Module 3)\b",
    Board.ZERO: r"Pi (Zero|Model|Compute Module)\b",
}
"""The first that matches is meant."""


async def board() -> Board:
    """Return which Raspberry Pi this is."""
    try:
        model = await asyncio.to_thread(MODEL.read_text, errors="replace")
    except OSError:
        return Board.UNKNOWN
    return next((board for board, pattern in _BOARDS.items() if re.search(pattern, model)), Board.UNKNOWN)
