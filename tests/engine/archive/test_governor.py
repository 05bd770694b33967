"""The governor keeps within the limits, oldest first, and spares what must stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
import threading

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.tripod.engine.archive import (
    Archive,
    Governor,
    Item,
    Kind,
    Limits,
    Reason,
    Removal,
    Retention,
    governor as module,
)
from custom_components.tripod.engine.errors import ArchiveMissing

from .common import BERLIN, DAY, NOON, Clock, chunk, keep, reopened, visible

HOUR = timedelta(hours=1)


def governor(
    archive: Archive, clock: Clock, limits: Mapping[Kind, Limits] | None = None, max_bytes: int = 0
) -> Governor:
    return Governor({archive: Retention(limits or {}, max_bytes)}, clock=clock, monotonic=clock)


def removed(removals: list[Removal]) -> list[Item]:
    return [removal.item for removal in removals]


def with_free(archive: Archive, free: int) -> None:
    """Stand in for a disk of which so much is free: how full this machine's is, no test can say."""
    archive.free = lambda: free  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_count=3), Reason.COUNT),
        (Limits(max_bytes=39), Reason.BYTES),
        (Limits(max_age_days=2.5), Reason.AGE),
    ],
)
@pytest.mark.parametrize("kind", Kind)
def test_the_oldest_go_until_the_limit_is_kept(
    archive: Archive, clock: Clock, kind: Kind, limits: Limits, reason: Reason
) -> None:
    if kind is Kind.CHUNK:
        items = [chunk(archive, "a", f"2026-11-{21 - day}", 10) for day in range(6)]
        paths = items[::-1]
    else:
        paths = [keep(archive, kind, NOON - day * DAY, job="a").path for day in range(6)][::-1]
    watch = governor(archive, clock, {kind: limits})
    planned = watch.plan()
    assert [removal.item.path for removal in planned] == paths[:3]
    assert {removal.reason for removal in planned} == {reason}
    assert all(path.exists() for path in paths)
    assert watch.prune() == planned
    assert [path.exists() for path in paths] == [False] * 3 + [True] * 3
    assert watch.plan() == watch.prune() == []


def test_no_limit_removes_nothing(archive: Archive, clock: Clock) -> None:
    keep(archive, Kind.FRAME, NOON - 9999 * DAY, job="a")
    keep(archive, Kind.FRAME, NOON, job="a")
    assert governor(archive, clock).prune() == []


def test_limits_of_a_kind_hold_for_all_its_jobs(archive: Archive, clock: Clock) -> None:
    begin = NOON - 2 * DAY
    items = [keep(archive, Kind.FRAME, begin + step * HOUR, job="ab"[step % 2]) for step in range(8)]
    assert removed(governor(archive, clock, {Kind.FRAME: Limits(max_count=5)}).prune()) == items[:3]


def test_pinned_held_and_newest_stay(archive: Archive, clock: Clock) -> None:
    pinned, held, loose, newest = (keep(archive, Kind.RECORDING, NOON - day * DAY) for day in (9, 8, 7, 6))
    frames = [keep(archive, Kind.FRAME, NOON - 5 * DAY, job=job) for job in "ab"]
    archive.pin(pinned.key)
    limits = Limits(max_age_days=1, max_count=1, max_bytes=1)
    watch = governor(archive, clock, dict.fromkeys(Kind, limits), max_bytes=1)
    archive.floor = 1 << 60
    with archive.hold(held):
        assert removed(watch.plan()) == [loose]
        assert removed(watch.prune()) == [loose]
    assert removed(watch.prune()) == [held]
    assert all(item.path.exists() for item in (pinned, newest, *frames))


def test_what_is_pinned_is_not_counted(archive: Archive, clock: Clock) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(6)][::-1]
    for item in items[:3]:
        archive.pin(item.key)
    watch = governor(archive, clock, {Kind.SNAPSHOT: Limits(max_count=2, max_bytes=20)}, max_bytes=20)
    assert removed(watch.prune()) == [items[3]]


def test_room_is_made_in_the_order_of_what_is_missed_least(archive: Archive, clock: Clock) -> None:
    loose = keep(archive, Kind.FRAME, NOON - 20 * DAY, job="a")
    snapshot = keep(archive, Kind.SNAPSHOT, NOON - 19 * DAY)
    recording = keep(archive, Kind.RECORDING, NOON - 18 * DAY)
    in_chunk = keep(archive, Kind.FRAME, NOON - 10 * DAY, job="a")
    chunk(archive, "a", "2026-11-11")
    video = keep(archive, Kind.VIDEO, NOON - 30 * DAY, job="a")
    for kind in (Kind.SNAPSHOT, Kind.RECORDING, Kind.VIDEO):
        keep(archive, kind, NOON)
    keep(archive, Kind.FRAME, NOON, job="a")
    expected = [in_chunk, recording, snapshot, loose]
    whole = governor(archive, clock, max_bytes=1).plan()
    assert removed(whole) == expected
    assert {removal.reason for removal in whole} == {Reason.CAMERA_BYTES}
    assert removed(governor(archive, clock, max_bytes=50).plan()) == expected[:2]
    archive.floor = 1 << 60
    floor = governor(archive, clock).prune()
    assert removed(floor) == expected
    assert {removal.reason for removal in floor} == {Reason.FLOOR}
    assert video.path.exists()


def test_the_floor_takes_what_is_needed_and_no_more(archive: Archive, clock: Clock) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY, size=100) for day in range(6)][::-1]
    archive.floor = 1000
    with_free(archive, 1250)
    assert governor(archive, clock).plan() == []
    with_free(archive, 999)
    assert removed(governor(archive, clock).plan()) == items[:3]


def test_what_a_limit_frees_counts_for_the_floor(archive: Archive, clock: Clock) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY, size=100) for day in range(6)][::-1]
    archive.floor = 1000
    with_free(archive, 1000)
    plan = governor(archive, clock, {Kind.SNAPSHOT: Limits(max_count=4)}).plan()
    assert removed(plan) == items[:3]
    assert [removal.reason for removal in plan] == [Reason.COUNT, Reason.COUNT, Reason.FLOOR]


def test_all_cameras_together_lose_the_oldest(archive: Archive, clock: Clock, tmp_path: Path) -> None:
    other = Archive(tmp_path / "other", "other", zone=BERLIN, floor=0, clock=clock)
    other.open()
    times = [NOON - day * DAY for day in range(5)]
    items = [keep(*each) for at in times for each in ((archive, Kind.SNAPSHOT, at), (other, Kind.SNAPSHOT, at - HOUR))]
    items.reverse()
    watch = Governor({archive: Retention(), other: Retention()}, max_bytes=70, clock=clock, monotonic=clock)
    removals = watch.prune()
    assert removed(removals) == items[:3]
    assert {removal.reason for removal in removals} == {Reason.TOTAL_BYTES}
    assert Counter(removal.archive for removal in removals) == {other: 2, archive: 1}


def test_a_disk_that_is_away_does_not_keep_the_others_waiting(archive: Archive, clock: Clock, tmp_path: Path) -> None:
    other = Archive(tmp_path / "other", "other", zone=BERLIN, floor=0, clock=clock)
    other.open()
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(3)][::-1]
    (tmp_path / "other").rename(tmp_path / "away")
    limits = Retention({Kind.SNAPSHOT: Limits(max_count=1)})
    watch = Governor({other: limits, archive: limits}, clock=clock, monotonic=clock)
    assert removed(watch.prune()) == items[:2]
    assert {each: type(error) for each, error in watch.errors.items()} == {other: ArchiveMissing}
    (tmp_path / "away").rename(tmp_path / "other")
    assert watch.prune() == []
    assert not watch.errors


def test_one_run_removes_only_so_many(archive: Archive, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMOVALS", 4)
    for step in range(10):
        keep(archive, Kind.FRAME, NOON - step * HOUR, job="a")
    limits = {Kind.FRAME: Limits(max_count=1, max_age_days=0.01, max_bytes=1)}
    watch = governor(archive, clock, limits, max_bytes=1)
    assert [len(watch.prune()) for _ in range(4)] == [4, 4, 1, 0]


def test_a_clock_that_was_set_forward_makes_nothing_old(archive: Archive, clock: Clock) -> None:
    passed = Clock(0)
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(3)][::-1]
    limits = Retention({Kind.SNAPSHOT: Limits(max_age_days=30)})
    watch = Governor({archive: limits}, clock=clock, monotonic=passed)
    clock.now += 3650 * 86400
    assert watch.prune() == []
    clock.now += 3600
    passed.now += 3600
    assert watch.prune() == []
    clock.set(NOON)
    passed.now += 86400
    assert watch.prune() == []
    clock.now += 40 * 86400
    passed.now += 40 * 86400
    assert removed(watch.prune()) == items[:2]


def test_files_that_are_not_ours_stay(archive: Archive, clock: Clock) -> None:
    items = [keep(archive, Kind.SNAPSHOT, NOON - day * DAY) for day in range(4)]
    foreign = [item.path.with_name("holiday.jpg") for item in items]
    foreign.append(archive.root / "notes.txt")
    for path in foreign:
        path.write_bytes(bytes(1000))
    limits = Limits(max_count=1, max_bytes=1, max_age_days=0.1)
    gone = removed(governor(archive, clock, dict.fromkeys(Kind, limits), max_bytes=1).prune())
    assert len(gone) == 3
    assert all(path.exists() for path in foreign)


def test_pruning_while_others_publish(archive: Archive, clock: Clock) -> None:
    watch = governor(archive, clock, {Kind.FRAME: Limits(max_count=20)})
    done = threading.Event()

    def publish(number: int) -> None:
        for step in range(60):
            keep(archive, Kind.FRAME, NOON - (step % 4) * DAY, job="ab"[number % 2])

    def prune() -> int:
        gone = 0
        while not done.is_set():
            gone += len(watch.prune())
        return gone

    with ThreadPoolExecutor(5) as pool:
        pruning = pool.submit(prune)
        list(pool.map(publish, range(4)))
        done.set()
        gone = pruning.result() + len(watch.prune())
    assert gone == 4 * 60 - 20
    assert len(visible(archive.root)) == 20
    assert sum(usage.count for usage in reopened(archive).usage().values()) == 20


@settings(max_examples=30)
@given(
    ages=st.lists(st.integers(0, 60), max_size=12),
    limits=st.builds(Limits, st.integers(0, 40), st.integers(0, 8), st.integers(0, 90)),
    pinned=st.sets(st.integers(0, 11)),
)
def test_whatever_the_limits_only_the_oldest_go(
    tmp_path_factory: pytest.TempPathFactory, ages: list[int], limits: Limits, pinned: set[int]
) -> None:
    clock = Clock(NOON.timestamp())
    archive = Archive(tmp_path_factory.mktemp("archive"), "garden", zone=BERLIN, floor=0, clock=clock)
    archive.open()
    items = [keep(archive, Kind.SNAPSHOT, NOON - age * DAY) for age in ages]
    for number in pinned:
        if number < len(items):
            archive.pin(items[number].key)
    governor(archive, clock, {Kind.SNAPSHOT: limits}).prune()
    loose = sorted((item for item in items if not archive.pinned(item.key)), key=lambda item: item.captured_at)
    left = [item for item in loose if item.path.exists()]
    assert left == loose[len(loose) - len(left) :]
    assert all(item.path.exists() for item in items if archive.pinned(item.key))
    newest = max(items, key=lambda item: item.captured_at, default=None)
    spared = [item for item in left if item is not newest]
    assert newest is None or newest.path.exists()
    assert not limits.max_count or len(left) <= limits.max_count or not spared
    assert not limits.max_bytes or sum(item.size for item in left) <= limits.max_bytes or not spared
    assert not limits.max_age_days or all(item.captured_at >= NOON - limits.max_age_days * DAY for item in spared)
