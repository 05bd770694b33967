"""Recordings: from the ring's packets, past and to come, to finished files in the archive."""

from .container import Container
from .recorder import Recorder
from .recording import Recorded, Recording, RecordingState

__all__ = ["Container", "Recorded", "Recorder", "Recording", "RecordingState"]
