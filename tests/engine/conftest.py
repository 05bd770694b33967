"""The engine alone: real sockets on the loopback, no Home Assistant."""

from __future__ import annotations

from hypothesis import settings
import pytest

# A busy machine must not fail a property.
settings.register_profile("tripod", deadline=None)
settings.load_profile("tripod")


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """Let tests open sockets, also where the Home Assistant plugin is loaded and blocks them."""
