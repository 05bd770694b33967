"""What a finished recording is packed in."""

from __future__ import annotations

from enum import StrEnum


class Container(StrEnum):
    """A kind of file; `options` are ffmpeg's of its muxer."""

    MP4 = "mp4"
    MKV = "mkv"

    @property
    def suffix(self) -> str:
        """How its names end."""
        return f".{self.value}"

    def options(self, codec: str | None) -> list[str]:
        """Return the output options for video of this codec (ffmpeg's name)."""
        if self is Container.MKV:
            return ["-f", "matroska"]
        # QuickTime and Safari play H.265 by this name only
        tag = ["-tag:v", "hvc1"] if codec == "hevc" else []
        # a player begins before it has the whole file
        return [*tag, "-movflags", "+faststart", "-f", "mp4"]
