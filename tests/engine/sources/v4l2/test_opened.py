"""Opening nodes, on files that every machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom_components.tripod.engine.errors import (
    DeviceBusy,
    DeviceMissing,
    FormatNotSupported,
    NoPermission,
    SourceFailed,
    TripodError,
)
from custom_components.tripod.engine.sources.v4l2.opened import explain, open_node


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_node_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing), open_node(str(tmp_path / "video0")):
        pass


def test_what_is_no_v4l2_device() -> None:
    before = descriptors()
    with pytest.raises(FormatNotSupported), open_node("/dev/null") as node:
        node.capability()
    assert descriptors() == before


def test_a_node_that_may_not_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NoPermission), open_node("/dev/null"):
        pass


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (FileNotFoundError(2, "No such file or directory"), DeviceMissing),
        (OSError(16, "Device or resource busy"), DeviceBusy),
        (OSError(19, "No such device"), DeviceMissing),
        (OSError(5, "Input/output error"), SourceFailed),
        (OSError("without a number"), SourceFailed),
    ],
)
def test_errors_of_the_system_have_one_meaning(error: OSError, cause: type[TripodError]) -> None:
    assert type(explain(error, "/dev/video0")) is cause
