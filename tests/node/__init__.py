"""The node as it runs: on the distribution's Python, without Home Assistant."""

from __future__ import annotations

from pathlib import Path
import sys
from types import ModuleType

import custom_components

_PACKAGE = Path(__file__).parents[2] / "custom_components/tripod"

# A node ships engine/ and node/ alone: what stands beside them is Home Assistant's half, in a newer Python's syntax.
_tripod = ModuleType("custom_components.tripod")
_tripod.__path__ = [str(_PACKAGE)]
sys.modules["custom_components.tripod"] = _tripod
setattr(custom_components, "tripod", _tripod)  # noqa: B010  # an import would have done it, too
