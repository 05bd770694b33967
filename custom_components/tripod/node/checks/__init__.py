"""Whether a node will work as it is configured: each check looks at one thing, and says what it found."""

from __future__ import annotations

from .all import every
from .finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "every"]
