"""Bringing over what other programs were set up with: text and paths in, cameras and an account of each setting out.

Nothing is run and nothing is written by an importer.
"""

from __future__ import annotations

from .base import Adoption, Import, Imported, Line

__all__ = ["Adoption", "Import", "Imported", "Line"]
