"""A CSI camera of this Raspberry Pi, through Picamera2 under the system's Python, or else rpicam-vid."""

from __future__ import annotations

from .boards import Board, board
from .camera import CsiCamera, Program
from .cameras import list_cameras
from .controls import CsiControls
from .profiles import profiles
from .source import Csi

__all__ = ["Board", "Csi", "CsiCamera", "CsiControls", "Program", "board", "list_cameras", "profiles"]
