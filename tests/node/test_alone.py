"""Without Home Assistant."""

from __future__ import annotations

import sys

from custom_components.tripod.engine import errors


def test_a_node_knows_nothing_of_home_assistant() -> None:
    assert errors.NotANode("x").cause == "not_a_node"
    assert "homeassistant" not in sys.modules
