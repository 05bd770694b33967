"""Timelapses: when frames are taken, and how they become a video."""

from .chunk import Chunk, due_days, make_chunk
from .job import Job, JobStatus, Sun
from .jobs import Finished, Timelapses
from .look import Look
from .queue import Render, RenderQueue, RenderState
from .render import render
from .request import RenderRequest
from .zip import zipped

__all__ = [
    "Chunk",
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
    "due_days",
    "make_chunk",
    "render",
    "zipped",
]
