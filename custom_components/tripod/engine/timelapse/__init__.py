"""Timelapses: when frames are taken, and how they become a video."""

from .look import Look
from .request import RenderRequest

__all__ = ["Look", "RenderRequest"]
