"""When a Schedule is due: by cron in a time zone, or at intervals. Pure: no clock.

cronsim says which wall-clock times a cron expression means. What becomes of those that a change of
the clocks leaves out or brings twice is decided here: cronsim's own answer loses times where clocks
move by half an hour.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)
# Clocks move by less than this.
_NEAR = timedelta(hours=3)


class DueTimes(Protocol):
    """The due times of a Schedule: moments in UTC."""

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield those later than a moment, in order."""
        ...

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many are later than `after` and not later than `until`."""
        ...


@dataclass(frozen=True)
class IntervalTimes:
    """Every so often, counted from `start`, which is no due time of a Schedule itself."""

    start: datetime
    length: timedelta

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield those later than a moment, in order."""
        number = (moment - self.start) // self.length
        while True:
            number += 1
            yield self.start + number * self.length

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many are later than `after` and not later than `until`."""
        if until <= after:
            return 0
        return (until - self.start) // self.length - (after - self.start) // self.length


@dataclass(frozen=True)
class CronTimes:
    """The wall-clock times of five cron fields, in a time zone.

    Where minute and hour are both fixed (neither field begins with `*`), a time that the clocks
    leave out is made up for at the end of the gap, once, and one that comes twice counts the first
    time. Otherwise real time counts: what is left out is left out, and what comes twice is due
    twice. That is the rule of Debian's cron.
    """

    fields: tuple[str, str, str, str, str]
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Yield those later than a moment, in order."""
        # Clocks that are about to go back show some wall-clock times once more.
        lowest = min(self._offset(moment), self._offset(moment + _DAY))
        wall = moment.astimezone(UTC).replace(tzinfo=None) + lowest
        before = moment
        for due in self._from(wall):
            if due > before:  # several that one gap has left out are due at once
                yield due
                before = due

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many are later than `after` and not later than `until`.

        Days on which no clock is moved are not counted time by time: years take milliseconds.
        """
        first = after.astimezone(self.zone).date() + _DAY
        last = until.astimezone(self.zone).date()
        if first >= last:
            return self._between(after + _TICK, until + _TICK)
        total = self._between(after + _TICK, self._midnight(first))
        due_days = self._days(first, last)
        each = len(self._parsed.hours) * len(self._parsed.minutes)
        day = first
        while day < last:
            begin, end = self._midnight(day), self._midnight(day + _DAY)
            if self._offset(begin - _NEAR) != self._offset(end + _NEAR):
                total += self._between(begin, end)
            elif day in due_days:
                total += each
            day += _DAY
        return total + self._between(self._midnight(last), until + _TICK)

    @cached_property
    def _is_fixed(self) -> bool:
        return not (self.fields[0].startswith("*") or self.fields[1].startswith("*"))

    @cached_property
    def _parsed(self) -> CronSim:
        return CronSim(" ".join(self.fields), datetime(2000, 1, 1))

    def _from(self, wall: datetime) -> Iterator[datetime]:
        """Yield the moments of all wall-clock times from `wall` on, in order."""
        second_time: deque[datetime] = deque()
        for shown in CronSim(" ".join(self.fields), wall - timedelta(seconds=1)):
            first, second = self._moment(shown, fold=0), self._moment(shown, fold=1)
            while second_time and second_time[0] < first:
                yield second_time.popleft()
            if second < first:  # no clock shows it
                if self._is_fixed:
                    yield self._end_of_gap(second, first)
                continue
            yield first
            if second > first and not self._is_fixed:
                second_time.append(second)
        yield from second_time

    def _end_of_gap(self, before: datetime, after: datetime) -> datetime:
        """Return the first moment at which the clocks have been moved."""
        offset = self._offset(before)
        seconds = range(int((after - before).total_seconds()) + 1)
        number = bisect_left(
            seconds,
            True,
            key=lambda second: self._offset(before + timedelta(seconds=second)) != offset,
        )
        return before + timedelta(seconds=number)

    def _between(self, begin: datetime, end: datetime) -> int:
        """Return how many are not earlier than `begin` and earlier than `end`."""
        return sum(1 for _ in takewhile(lambda due: due < end, self.after(begin - _TICK)))

    def _days(self, first: date, last: date) -> set[date]:
        """Return the days that have due times, from `first` to the one before `last`."""
        begin = datetime(first.year, first.month, first.day) - timedelta(seconds=1)
        midnights = CronSim(" ".join(("0", "0", *self.fields[2:])), begin)
        return set(takewhile(lambda day: day < last, (one.date() for one in midnights)))

    def _midnight(self, day: date) -> datetime:
        return self._moment(datetime(day.year, day.month, day.day), fold=0)

    def _moment(self, wall: datetime, *, fold: int) -> datetime:
        return wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).utcoffset() or timedelta(0)


def latest(times: DueTimes, after: datetime, until: datetime) -> datetime | None:
    """Return the last due time that is later than `after` and not later than `until`.

    Found by halving: of a year of minutes some twenty are looked at.
    """
    found = next(times.after(after), None)
    if found is None or found > until:
        return None
    none_later = until
    while True:
        following = next(times.after(found), None)
        if following is None or following > until:
            return found
        found = following
        middle = found + (none_later - found) / 2
        later = next(times.after(middle), None)
        if later is not None and later <= until:
            found = later
        else:
            none_later = middle
