"""What is noted of breaks in a recording."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from custom_components.tripod.engine.recorder.container import Container
from custom_components.tripod.engine.recorder.finish import _Item
from custom_components.tripod.engine.recorder.notes import Notes
from custom_components.tripod.engine.recorder.stretch import Format, Stretch

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOTES = Notes(asked_at=BEGAN, started_at=BEGAN, container=Container.MP4, name=None)


@pytest.mark.parametrize(
    ("offset", "gaps"),
    [
        (10.0, []),
        (10.0014, []),  # both names are rounded
        (9.9988, []),
        (12.5, [{"at": 10.0, "missing": 2.5}]),
        # a camera that starts is late with its first pictures, so that they last longer than the clock says
        (9.7, [{"at": 10.0, "missing": 0.0}]),
    ],
)
def test_every_break_is_noted_and_no_seam(offset: float, gaps: list[dict[str, Any]]) -> None:
    stretches = [
        Stretch(
            path=Path(f"{begins}.ts"),
            offset=begins,
            duration=10.0,
            format=Format("h264", "avc1.42c01e", 160, 120),
            audio_codec=None,
        )
        for begins in (0.0, offset)
    ]
    assert _Item(Path(), 0, NOTES, stretches, recovered=False).details()["gaps"] == gaps
