"""Bringing over what other programs were set up with: text and paths in, cameras and an account of each setting out.

Nothing is run and nothing is written by an importer. `Adopter` is what then takes over pictures of before.
"""

from __future__ import annotations

from .adopt import Adopted, Adopter
from .base import Adoption, Import, Imported, Line
from .environment import read as read_environment
from .formats import FORMATS, Around, read, recognise

__all__ = [
    "FORMATS",
    "Adopted",
    "Adopter",
    "Adoption",
    "Around",
    "Import",
    "Imported",
    "Line",
    "read",
    "read_environment",
    "recognise",
]
