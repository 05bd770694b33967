"""Text in the picture: from a template and the capture time, drawn by ffmpeg, which never reads it as anything else.

The text travels inside each JPEG, as its description, and drawtext shows that as it is: no character of it is part of
a filter graph, a list or a command line.
"""

from __future__ import annotations

from datetime import UTC, datetime
import re

from ..ffmpeg import filter_value
from ..fonts import FONT
from ..no_signal import width_in_ems
from ..strftime import DIRECTIVE

DEFAULT_TIME = "%Y-%m-%d %H:%M"

MAX_LINES = 4

TEXT_HEIGHT = 1 / 24
"""Of the picture's height, where the lines are not too long for its width."""

SMALLEST = 8
"""Pixels that the text is high, at least: below nobody reads it."""

TEXT_WIDTH = 0.92
"""Of the picture's width that a line may take."""

WIDEST = datetime(2028, 9, 27, 22, 58, 58, tzinfo=UTC)
"""A time that takes much room, a Wednesday in September: text of the same size all year."""

_PLACEHOLDER = re.compile(r"\{(time|camera|job)(?::([^{}]*))?\}")

_JOINERS = frozenset("\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069")
"""What joins letters, or says which way they run; Python does not count it as printable."""


class Overlay:
    """One look's text, for one camera."""

    def __init__(self, template: str, *, camera: str, job: str) -> None:
        """Fill `template` in for `camera` (its name) and `job`."""
        self._template = template
        self._values = {"camera": camera, "job": job}

    def text(self, captured_at: datetime) -> str:
        """Return the text of the frame of that time; what is no placeholder stands as it is."""

        def value(placeholder: re.Match[str]) -> str:
            name, form = placeholder.groups()
            return _formatted(captured_at, form or DEFAULT_TIME) if name == "time" else self._values[name]

        filled = _PLACEHOLDER.sub(value, self._template)
        lines = ["".join(filter(_drawable, line)).strip() for line in filled.splitlines()]
        return "\n".join(lines[:MAX_LINES])

    def filter(self, width: int, height: int) -> str:
        """Return the filter that draws the description of each frame of this size."""
        widest = max([1.0, *map(width_in_ems, self.text(WIDEST).splitlines())])
        size = max(SMALLEST, round(min(height * TEXT_HEIGHT, width * TEXT_WIDTH / widest)))
        options = {
            "fontfile": str(FONT),
            "text": "%{metadata:ImageDescription}",
            "fontsize": str(size),
            "fontcolor": "white",
            "box": "1",
            "boxcolor": "black@0.5",
            "boxborderw": str(size // 3),
            "x": str(size // 2),
            "y": f"h-th-{size // 2}",
        }
        return "drawtext=" + ":".join(f"{name}={filter_value(value)}" for name, value in options.items())


def _formatted(moment: datetime, form: str) -> str:
    def value(directive: re.Match[str]) -> str:
        return moment.strftime(directive[0])

    return re.sub(DIRECTIVE, value, form)


def _drawable(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS
