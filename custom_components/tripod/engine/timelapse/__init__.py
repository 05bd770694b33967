"""Timelapses: when frames are taken, and how they become a video."""

from .job import Job, JobStatus, Sun
from .jobs import Finished, Timelapses
from .look import Look
from .queue import Render, RenderQueue, RenderState
from .request import RenderRequest

__all__ = [
    "Finished",
    "Job",
    "JobStatus",
    "Look",
    "Render",
    "RenderQueue",
    "RenderRequest",
    "RenderState",
    "Sun",
    "Timelapses",
]
