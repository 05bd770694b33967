"""A device for tests where there is none."""

from __future__ import annotations

from collections.abc import Iterator
import os

import pytest


@pytest.fixture
def terminal() -> Iterator[str]:
    """A character device that nobody else has open."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    os.close(theirs)
    yield name
    os.close(ours)
