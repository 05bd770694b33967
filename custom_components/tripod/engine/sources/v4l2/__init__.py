"""V4L2 devices: what there is, what can be turned on it, what it costs, and capturing from it.

linuxpy is imported when a device is first asked, in the executor: it takes seconds on a small machine.
"""

from .source import V4l2

__all__ = ["V4l2"]
