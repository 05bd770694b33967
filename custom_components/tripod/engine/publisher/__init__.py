"""A camera's video pushed to servers that take it: the way to many viewers, and to recorders that know RTSP only."""

from .publication import Publication, Sound
from .publications import Publications, named
from .publisher import Publisher
from .status import PublisherState, PublisherStatus

__all__ = ["Publication", "Publications", "Publisher", "PublisherState", "PublisherStatus", "Sound", "named"]
