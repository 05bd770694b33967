"""The time zone of this machine, however it says so."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH

import pytest

from custom_components.tripod.node.zone import local_zone

BERLIN = Path(TZPATH[0]) / "Europe/Berlin"
SUMMER, WINTER = datetime(2026, 7, 1), datetime(2026, 12, 1)  # noqa: DTZ001 - local


def test_the_zone_is_known_by_variable_by_link_and_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, copy, nothing = tmp_path / "link", tmp_path / "copy", tmp_path / "nothing"
    link.symlink_to(BERLIN)
    copy.write_bytes(BERLIN.read_bytes())
    monkeypatch.setenv("TZ", "")
    for file in (link, copy):
        zone = local_zone(file)
        offsets = [zone.utcoffset(moment) for moment in (SUMMER, WINTER)]
        assert offsets == [timedelta(hours=2), timedelta(hours=1)]
        assert deepcopy(zone) is zone
    assert str(local_zone(link)) == "Europe/Berlin"
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert str(local_zone(link)) == "Asia/Tokyo"
    for nonsense in ("../../etc/passwd", "No/Where", "Europe"):
        monkeypatch.setenv("TZ", nonsense)
        assert str(local_zone(link)) == "Europe/Berlin"
    assert local_zone(nothing).utcoffset(None) is not None or local_zone(nothing) is UTC
