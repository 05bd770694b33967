"""A range of time, both ends included: of days, of moments, or of one and the other. Moments are Unix time in ms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from ..errors import InvalidRange

DAY = timedelta(days=1)

SECOND = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """From the moment `first` to the moment `last`; days begin in `zone`."""

    first: int
    last: int
    zone: tzinfo

    @classmethod
    def of(cls, start: date | datetime, end: date | datetime, zone: tzinfo) -> Span:
        """Return the range; what has no zone is in `zone`, and a time of whole seconds means all of that second.

        Raises `InvalidRange` for an end before the start.
        """
        first = moment(_at(start, zone))
        last = moment(_at(end, zone)) if isinstance(end, datetime) else moment(_at(end + DAY, zone)) - 1
        if isinstance(end, datetime) and not end.microsecond:
            last += SECOND - 1
        if last < first:
            raise InvalidRange(f"{start} to {end}")
        return cls(first, last, zone)

    def touches(self, day: date) -> bool:
        """Whether frames of this day can be in it, also of a day that began in another zone."""
        return self._midnight(day + 2 * DAY) > self.first and self._midnight(day - DAY) <= self.last

    def covers(self, day: date) -> bool:
        """Whether all of this day is in it."""
        return self._midnight(day) >= self.first and self._midnight(day + DAY) - 1 <= self.last

    def has(self, captured_at: int) -> bool:
        """Whether what was captured then is in it."""
        return self.first <= captured_at <= self.last

    def _midnight(self, day: date) -> int:
        return moment(_at(day, self.zone))


def moment(at: datetime) -> int:
    """Return milliseconds of Unix time."""
    return round(at.timestamp() * 1000)


def _at(when: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time(), zone)
    return when if when.tzinfo else when.replace(tzinfo=zone)
