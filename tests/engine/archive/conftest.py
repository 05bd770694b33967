"""Archives on real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from custom_components.tripod.engine.archive import Archive

from .common import BERLIN, NOON, Clock

OpenArchive: TypeAlias = Callable[..., Archive]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON.timestamp())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "media" / "tripod" / "garden"


@pytest.fixture
def archive(root: Path, clock: Clock) -> Archive:
    archive = Archive(root, "garden", zone=BERLIN, floor=0, clock=clock)
    archive.open()
    return archive
