"""The programs of the system, as captures and probes work with them."""

from __future__ import annotations

from ..engine.ffmpeg import Ffmpeg
from ..engine.sources import Tools
from .config import ToolPaths


def tools(paths: ToolPaths) -> Tools:
    """Return what is at `paths`."""
    return Tools(ffmpeg=Ffmpeg(paths.ffmpeg), python=paths.python, rpicam_vid=paths.rpicam_vid)
