"""Everything that the outside sees of a camera, over HTTP."""

from .camera import CameraEndpoints
from .hls import HlsEndpoints
from .scope import Scope
from .timing import Timing

__all__ = ["CameraEndpoints", "HlsEndpoints", "Scope", "Timing"]
