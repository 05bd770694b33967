"""The picture that connected viewers get while the camera is away: a crossed-out camera and the reason.

It never enters a feed, so it is never a snapshot.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
import logging
from pathlib import Path
import unicodedata

from .errors import TripodError
from .ffmpeg import Ffmpeg, filter_value, mjpeg_output
from .fonts import FONT

_LOGGER = logging.getLogger(__name__)

PICTURES = Path(__file__).with_name("pictures")
ICON = PICTURES / "camera-off.png"
GENERIC = PICTURES / "no-signal.jpg"
"""Without a sentence, for where ffmpeg is missing or was built without drawtext."""

KEPT = 16
"""Pictures kept: some causes, in the sizes of a camera."""

LONGEST_SIDE = 1920
SMALLEST = (160, 90)

BACKGROUND = "0x14171c"
TEXT = "0xd5dae1"
TEXT_HEIGHT = 1 / 19
"""Of the picture's height, or by its width where it is narrow."""
TEXT_WIDTH = 0.84
"""Of the picture's width that a line may take."""
MAX_LINES = 4
LINE_SPACING = 1.4


class NoSignal:
    """Draw the picture once for each sentence and size."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        """Draw with `ffmpeg`."""
        self._ffmpeg = ffmpeg
        self._drawn: OrderedDict[tuple[str, int, int], asyncio.Task[bytes]] = OrderedDict()

    async def picture(self, sentence: str, size: tuple[int, int]) -> bytes:
        """Return a JPEG that says `sentence`, in about this size, shape kept; never raises."""
        key = (sentence, *_within_limits(*size))
        if (task := self._drawn.get(key)) is None:
            task = self._drawn[key] = asyncio.create_task(self._draw(*key))
            if len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        else:
            self._drawn.move_to_end(key)
        return await asyncio.shield(task)  # other viewers wait for it, too

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._drawn.values())
        self._drawn.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _draw(self, sentence: str, width: int, height: int) -> bytes:
        try:
            return await self._ffmpeg.run(
                self._ffmpeg.argv(
                    *("-f", "lavfi", "-i", f"color=c={BACKGROUND}:s={width}x{height}:r=1", "-i", str(ICON)),
                    *("-filter_complex", drawing(sentence, width, height)),
                    *("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "2", *mjpeg_output()),
                )
            )
        except TripodError as error:
            _LOGGER.debug("Cannot draw why there is no signal: %s", error)
            return await asyncio.to_thread(GENERIC.read_bytes)


def drawing(sentence: str, width: int, height: int) -> str:
    """Return the filter graph that draws the icon (input 1) and the sentence on the background (input 0)."""
    size = max(9.0, min(height * TEXT_HEIGHT, width / 24))
    lines = wrapped(sentence, width * TEXT_WIDTH / size)
    step = size * LINE_SPACING
    icon = min(height, width) * 0.30
    gap = size * 1.4
    top = (height - icon - gap - step * len(lines)) / 2
    text_top = top + icon + gap
    texts = [
        f"drawtext=fontfile={filter_value(str(FONT))}:expansion=none:text={filter_value(line)}"
        f":fontsize={size:.0f}:fontcolor={TEXT}:x=(w-tw)/2:y={text_top + step * number:.0f}+({step:.0f}-ascent)/2"
        for number, line in enumerate(lines)
    ]
    return (
        f"[1]scale=-1:{icon:.0f}:flags=lanczos[icon];[0][icon]overlay=(W-w)/2:{top:.0f},"
        + "".join(f"{text}," for text in texts)
        + "scale=out_range=full,format=yuvj420p"
    )


def wrapped(text: str, ems: float) -> list[str]:
    """Break text into at most `MAX_LINES` lines of about `ems` widths of an em, of about the same length each."""
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    lines = _broken(words, ems)
    while len(narrower := _broken(words, ems := ems * 0.95)) == len(lines) > 1:
        lines = narrower
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES - 1], lines[MAX_LINES - 1].rstrip(" .,:;") + "…"]
    return lines


def _broken(words: list[str], ems: float) -> list[str]:
    """Fill line after line, breaking at spaces where there are some."""
    lines: list[str] = []
    line = ""
    for word in words:
        joined = f"{line} {word}" if line else word
        if width_in_ems(joined) <= ems:
            line = joined
            continue
        if line:
            lines.append(line)
        *pieces, line = _pieces(word, ems)
        lines += pieces
    return [*lines, line] if line else lines


def _pieces(word: str, ems: float) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_in_ems(pieces[-1] + letter) > ems:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def width_in_ems(text: str) -> float:
    """Return about how wide DejaVu Sans Bold sets a text."""
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF" or letter in "MW@%mw":
        return 1.0
    if letter.isupper():
        return 0.77
    return 0.38 if letter in " .,:;!'|ijlft()/-" else 0.68


def _within_limits(width: int, height: int) -> tuple[int, int]:
    """Return the size, even, its shape kept as far as a readable picture allows."""
    shrink = min(1.0, LONGEST_SIDE / max(width, height))
    return (
        max(SMALLEST[0], int(width * shrink) // 2 * 2),
        max(SMALLEST[1], int(height * shrink) // 2 * 2),
    )
