"""A camera of a node: the same engine on another host, over HTTP."""

from .access import PORT, NodeAccess
from .client import NodeClient
from .diagnosis import Diagnosis, Step, diagnose
from .facts import CameraFacts, NodeEvent, NodeFacts, NodeItem
from .source import NodeSource

__all__ = [
    "PORT",
    "CameraFacts",
    "Diagnosis",
    "NodeAccess",
    "NodeClient",
    "NodeEvent",
    "NodeFacts",
    "NodeItem",
    "NodeSource",
    "Step",
    "diagnose",
]
