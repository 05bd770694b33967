"""When the disk will be full."""

from __future__ import annotations

import pytest

from custom_components.tripod.engine.archive import Archive, Governor, Kind, Limits, Retention

from .common import DAY, NOON, Clock, chunk, keep
from .test_governor import governor, with_free


def daily(archive: Archive, kind: Kind, size: int, days: int = 14) -> None:
    """Keep something each noon up to yesterday, and half of it today: it is noon."""
    for day in range(1, days):
        keep(archive, kind, NOON - day * DAY, size, job="a")
    keep(archive, kind, NOON, size // 2, job="a")


def test_nothing_kept_fills_no_disk(archive: Archive, clock: Clock) -> None:
    assert governor(archive, clock).forecast() is None


@pytest.mark.parametrize("kind", [Kind.SNAPSHOT, Kind.RECORDING, Kind.FRAME, Kind.VIDEO])
def test_a_disk_is_full_when_as_much_again_has_come(archive: Archive, clock: Clock, kind: Kind) -> None:
    daily(archive, kind, 100)
    archive.floor = 500
    with_free(archive, 500 + 3000)
    assert governor(archive, clock).forecast() == pytest.approx(30, rel=0.01)


def test_what_was_long_ago_does_not_count(archive: Archive, clock: Clock) -> None:
    daily(archive, Kind.SNAPSHOT, 100)
    with_free(archive, 3000)
    clock.set(NOON + 30 * DAY)
    assert governor(archive, clock).forecast() is None


def test_a_disk_that_is_full_is_full_now(archive: Archive, clock: Clock) -> None:
    daily(archive, Kind.SNAPSHOT, 100)
    archive.floor = 5000
    with_free(archive, 4999)
    assert governor(archive, clock).forecast() == 0


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        (Limits(max_count=14), None),  # one comes, one goes
        (Limits(max_bytes=1350 + 999), None),
        (Limits(max_bytes=1350 + 1001), 10),
        (Limits(max_age_days=20), None),
        (Limits(max_age_days=24), 10),
    ],
)
def test_what_the_limits_remove_leaves_room(archive: Archive, clock: Clock, limits: Limits, days: float | None) -> None:
    daily(archive, Kind.SNAPSHOT, 100)
    with_free(archive, 1000)
    forecast = governor(archive, clock, {Kind.SNAPSHOT: limits}).forecast()
    assert forecast == (days and pytest.approx(days, rel=0.01))


def test_limits_of_the_whole_leave_room_but_for_videos(archive: Archive, clock: Clock) -> None:
    daily(archive, Kind.SNAPSHOT, 100)
    with_free(archive, 1000)
    assert governor(archive, clock, max_bytes=1400).forecast() is None
    watch = Governor({archive: Retention()}, max_bytes=1400, clock=clock, monotonic=clock)
    assert watch.forecast() is None
    daily(archive, Kind.VIDEO, 10)
    assert governor(archive, clock, max_bytes=1350).forecast() == pytest.approx(100, rel=0.01)
    chunk(archive, "a", "2026-11-21", 1001)
    forecast = governor(archive, clock, max_bytes=1350).forecast()
    assert forecast
    assert forecast < 1
