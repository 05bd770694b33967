"""Which Tripod this is."""

from __future__ import annotations

import json
from pathlib import Path

MANIFEST = Path(__file__).parents[1] / "manifest.json"
"""Home Assistant's manifest, which says it once for both halves."""


def version() -> str:
    """Return the version, such as `1.2.0`; blocks."""
    return str(json.loads(MANIFEST.read_text())["version"])
