"""What a finished recording is packed in."""

from __future__ import annotations

from enum import StrEnum


class Container(StrEnum):
    """A kind of file."""

    MP4 = "mp4"
    MKV = "mkv"

    @property
    def suffix(self) -> str:
        """How its names end."""
        return f".{self.value}"
