"""When frames are due, on a wall clock that is changed twice a year."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.tripod.engine.timelapse import Job
from custom_components.tripod.engine.timelapse.schedule import local, next_due

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
"""Where the clocks are changed by half an hour."""

HOUR = 3600.0


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def dues(job: Job, after: float, zone: ZoneInfo = BERLIN) -> Iterator[datetime]:
    while (due := next_due(job, after, zone)) is not None:
        assert due > after
        after = due
        yield local(due, zone)


def texts(job: Job, after: str, count: int) -> list[str]:
    return [f"{due:%a %H:%M}" for due in islice(dues(job, at(after)), count)]


def test_frames_are_aligned_to_the_clock() -> None:
    job = Job(name="garden", interval=900)
    assert texts(job, "2026-11-21 14:05:09", 3) == ["Sat 14:15", "Sat 14:30", "Sat 14:45"]
    assert texts(job, "2026-11-21 23:45:00", 2) == ["Sun 00:00", "Sun 00:15"]


def test_an_interval_that_does_not_divide_the_day_begins_anew_at_midnight() -> None:
    job = Job(name="garden", interval=7 * HOUR)
    assert texts(job, "2026-11-21 20:00", 3) == ["Sat 21:00", "Sun 00:00", "Sun 07:00"]


def test_a_window_holds_both_its_ends_and_gives_the_beat() -> None:
    job = Job(name="site", interval=HOUR, start_time=time(7, 30), end_time=time(9, 30))
    assert texts(job, "2026-11-21 08:00", 4) == ["Sat 08:30", "Sat 09:30", "Sun 07:30", "Sun 08:30"]


def test_one_picture_a_day_at_noon() -> None:
    assert texts(Job(name="site", interval=24 * HOUR, start_time=time(12)), "2026-11-21 12:00", 2) == [
        "Sun 12:00",
        "Mon 12:00",
    ]


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    job = Job(name="stars", interval=3 * HOUR, start_time=time(22), end_time=time(4), weekdays=frozenset([4, 5]))
    assert texts(job, "2026-11-16 00:00", 7) == [
        *("Fri 22:00", "Sat 01:00", "Sat 04:00"),
        *("Sat 22:00", "Sun 01:00", "Sun 04:00"),
        "Fri 22:00",
    ]


def test_a_window_that_ends_where_it_begins_is_a_whole_day() -> None:
    job = Job(name="stars", interval=12 * HOUR, start_time=time(18), end_time=time(18), weekdays=frozenset([0]))
    assert texts(job, "2026-11-16 00:00", 3) == ["Mon 18:00", "Tue 06:00", "Mon 18:00"]


def test_frames_on_request_are_never_due() -> None:
    assert next_due(Job(name="print"), 0.0, BERLIN) is None


def test_a_clock_that_begins_in_1970_has_frames_due() -> None:
    assert next_due(Job(name="garden", interval=60), 0.0, ZoneInfo("UTC")) == 60.0


def test_short_intervals_go_on_through_the_hour_that_comes_twice() -> None:
    frames = list(islice(dues(Job(name="garden", interval=900), at("2026-10-25 01:59")), 12))
    assert [due.timestamp() - frames[0].timestamp() for due in frames] == [900.0 * index for index in range(12)]
    assert [f"{due:%H:%M%z}" for due in frames[3:5]] == ["02:45+0200", "02:00+0100"]


def test_longer_intervals_do_not_count_that_hour_again() -> None:
    job = Job(name="site", interval=24 * HOUR, start_time=time(2, 30))
    assert [f"{due:%a %H:%M%z}" for due in islice(dues(job, at("2026-10-24 12:00")), 2)] == [
        "Sun 02:30+0200",
        "Mon 02:30+0100",
    ]


def test_what_is_due_in_the_hour_that_is_left_out_comes_as_it_ends() -> None:
    job = Job(name="site", interval=24 * HOUR, start_time=time(2, 30))
    assert texts(job, "2026-03-28 12:00", 2) == ["Sun 03:00", "Mon 02:30"]
    assert texts(Job(name="garden", interval=900), "2026-03-29 01:40", 3) == ["Sun 01:45", "Sun 03:00", "Sun 03:15"]


JOBS = st.builds(
    Job,
    name=st.just("any"),
    interval=st.sampled_from([1.0, 7.0, 60.0, 420.0, 900.0, 1800.0, 3600.0, 5400.0, 21600.0, 86400.0]),
    start_time=st.none() | st.times(timezones=st.none()).map(lambda value: value.replace(microsecond=0)),
    end_time=st.none() | st.times(timezones=st.none()).map(lambda value: value.replace(microsecond=0)),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
)


@settings(max_examples=60)
@given(
    job=JOBS,
    zone=st.sampled_from([BERLIN, LORD_HOWE, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")]),
    after=st.floats(0, 4e9),
)
def test_frames_are_due_in_order_within_the_window_and_on_its_beat(job: Job, zone: ZoneInfo, after: float) -> None:
    assert job.interval is not None
    for earlier, later in pairwise(islice(dues(job, after, zone), 20)):
        assert later.timestamp() > earlier.timestamp()
        begins = [datetime.combine(later.date() - timedelta(days=days), job.start_time or time()) for days in (0, 1)]
        wall = later.replace(tzinfo=None, fold=0)
        passed = [wall - begin for begin in begins if begin <= wall and begin.weekday() in job.weekdays]
        assert passed  # some window has begun
        shift = later.utcoffset() != (later - timedelta(hours=2)).astimezone(zone).utcoffset()
        assert shift or any(value % timedelta(seconds=job.interval) == timedelta() for value in passed)


@pytest.mark.parametrize("zone", [BERLIN, LORD_HOWE])
@pytest.mark.parametrize("interval", [900.0, 3600.0])
def test_a_year_of_short_intervals_leaves_nothing_out(zone: ZoneInfo, interval: float) -> None:
    after, end, frames = at("2026-01-01 00:00", zone), at("2027-01-01 00:00", zone), 0
    job = Job(name="garden", interval=interval)
    while (due := next_due(job, after, zone)) is not None and due <= end:
        assert due - after == interval or interval == 3600.0
        after, frames = due, frames + 1
    assert frames >= (end - at("2026-01-01 00:00", zone)) / interval - 1
