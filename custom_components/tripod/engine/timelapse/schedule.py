"""When frames are due: an interval on the wall clock, within a window of some days.

Everything here is a question about instants in Unix time and has no memory, so that a clock that jumps does no harm.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from .job import Job

ONE_DAY = timedelta(days=1)


def local(instant: float, zone: tzinfo) -> datetime:
    """Return Unix time as the local time of a zone."""
    return datetime.fromtimestamp(instant, zone)


def next_due(job: Job, after: float, zone: tzinfo) -> float | None:
    """Return the first instant after `after` at which a frame is due; None where the job has no interval.

    Frames are counted on the wall clock from the beginning of the window. When the clocks are put back, intervals that
    fit into the hour that comes twice go on through it, and longer ones do not count it again. When they are put
    forward, what a longer interval had due within the hour that is left out is due as it ends.
    """
    if job.interval is None:
        return None
    interval = timedelta(seconds=job.interval)
    now, wall, itself = after, _wall(after, zone), False
    while True:
        due_wall = _next_wall(job, interval, wall, itself=itself)
        due = round(now + (due_wall - wall).total_seconds(), 6)
        if change := _change(now, due, zone):
            put_forward = _offset(change, zone) - _offset(now, zone)
            if timedelta(seconds=due - change) < put_forward < interval:
                return change
            now, wall, itself = change, _wall(change, zone), True
            continue
        repeated = _repeated_by(due, zone)
        if not repeated or interval <= repeated:
            return due
        now, wall, itself = due, due_wall, False


def _next_wall(job: Job, interval: timedelta, wall: datetime, *, itself: bool) -> datetime:
    """Return the first due time of the wall clock after `wall`, or `wall` `itself`, as if clocks were never changed."""
    day = datetime.combine(wall.date(), time()) - ONE_DAY  # yesterday's window may last until today
    while True:
        if day.weekday() in job.weekdays:
            begin = datetime.combine(day.date(), job.start_time or time())
            passed = wall - begin
            count = -(-passed // interval) if itself else passed // interval + 1
            due = begin + max(count, 0) * interval
            if _within(job, begin, due):
                return due
        day += ONE_DAY


def _within(job: Job, begin: datetime, due: datetime) -> bool:
    """Return whether the window that began at `begin` still lasts."""
    if job.end_time is None:
        return due.date() == begin.date()
    end = datetime.combine(begin.date(), job.end_time)
    if end == begin:
        return due < begin + ONE_DAY
    return due <= (end if end > begin else end + ONE_DAY)


def _wall(instant: float, zone: tzinfo) -> datetime:
    return local(instant, zone).replace(tzinfo=None, fold=0)


def _offset(instant: float, zone: tzinfo) -> timedelta:
    return local(instant, zone).utcoffset() or timedelta()


def _change(now: float, until: float, zone: tzinfo) -> float | None:
    """Return the instant after `now`, and `until` at the latest, at which the clocks are changed; None without one."""
    before = _offset(now, zone)
    if _offset(until, zone) == before:
        return None
    low, high = int(now), -int(-until // 1)  # they are changed at a whole second
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return float(high)


def _repeated_by(instant: float, zone: tzinfo) -> timedelta:
    """Return by how much the clocks were put back since the wall clock showed this time before; zero if it did not."""
    at = local(instant, zone)
    if not at.fold:
        return timedelta()
    return (at.replace(fold=0).utcoffset() or timedelta()) - (at.utcoffset() or timedelta())
