"""Timelapses: when frames are taken, and how they become a video."""

from .job import Job, JobStatus, Sun
from .look import Look
from .request import RenderRequest

__all__ = ["Job", "JobStatus", "Look", "RenderRequest", "Sun"]
