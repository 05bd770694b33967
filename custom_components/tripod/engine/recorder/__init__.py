"""Recordings: from the ring's packets, past and to come, to finished files in the archive."""

from .container import Container
from .finish import Recorded
from .recorder import Recorder
from .recording import Recording, RecordingState

__all__ = ["Container", "Recorded", "Recorder", "Recording", "RecordingState"]
