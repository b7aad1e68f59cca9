"""What a Schedule's spec says about when it runs, read and checked."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from weir.api import durations
from weir.api.reasons import Reason
from weir.api.schedule import Schedule, ScheduleSpec
from weir.core.due_times import CronTimes, DueTimes, IntervalTimes

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MIN_INTERVAL, MAX_INTERVAL = timedelta(seconds=1), timedelta(hours=87600)
MIN_DEADLINE = timedelta(seconds=1)

_EXAMPLE = "'30 2 * * MON-FRI' is 02:30 on weekdays"
# cronsim's words for the fields, in their order: ours, and what may stand there.
_FIELDS = {
    "minute": ("minute", "0-59"),
    "hour": ("hour", "0-23"),
    "day-of-month": ("day of month", "1-31, a day that its months have, or L for the last"),
    "month": ("month", "1-12 or JAN-DEC"),
    "day-of-week": (
        "day of week",
        "0-7 or SUN-SAT; MON#1 is the first, 5L the last of a month",
    ),
}
_NEAR_NAMES = 3
# Files beside the zones that mean another zone on each machine, or none.
_NO_ZONES = {"localtime", "posixrules", "Factory"}


class InvalidTiming(ValueError):
    """The spec says no times; `reason` and `message` are those of the Ready condition."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Timing(NamedTuple):
    """When a Schedule runs."""

    times: DueTimes
    zone: ZoneInfo
    deadline: timedelta | None  # how late a run may start
    text: str  # what the times are made of: another one is another timing


def timing_of(schedule: Schedule) -> Timing:
    """Return when a Schedule runs. Raises InvalidTiming."""
    spec = schedule.spec
    zone = zone_called(spec.time_zone)
    deadline = _deadline(spec)
    if spec.interval is not None:
        created = schedule.metadata.creation_timestamp
        if created is None:
            raise InvalidTiming(Reason.INVALID_SPEC, "spec.interval: the Schedule has no age yet")
        times = IntervalTimes(created, _interval(spec.interval))
        return Timing(times, zone, deadline, f"every {spec.interval}")
    if spec.cron is None:
        raise InvalidTiming(Reason.INVALID_SPEC, "spec has neither cron nor interval")
    fields = parse_cron(spec.cron)
    text = f"{' '.join(fields)} {spec.time_zone}"
    return Timing(CronTimes(fields, zone), zone, deadline, text)


def next_times(times: DueTimes, after: datetime, count: int) -> list[datetime]:
    """Return the next due times later than a moment."""
    return list(islice(times.after(after), count))


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment for people, as the clocks of a zone show it."""
    there = moment.astimezone(zone)
    return there.strftime("%Y-%m-%d %H:%M:%S %Z" if there.second else "%Y-%m-%d %H:%M %Z")


@lru_cache(maxsize=1024)
def parse_cron(text: str) -> tuple[str, str, str, str, str]:
    """Return the five fields of a cron expression. Raises InvalidTiming (InvalidCron)."""
    said = f"spec.cron {text!r}"
    words = text.split()
    if text.lstrip().startswith("@"):
        words = _of_alias(text.strip(), said).split()
    elif re.match(r"\s*(CRON_)?TZ\s*=", text):
        raise _invalid(f"{said}: the time zone belongs in spec.timeZone")
    if len(words) != len(_FIELDS):
        hint = "; for times below a minute use spec.interval" if len(words) == 6 else ""
        raise _invalid(
            f"{said} has {len(words)} fields, not five (minute, hour, day of month, month, day of "
            f"week){hint}; for example {_EXAMPLE}"
        )
    minute, hour, day, month, weekday = words
    try:
        first = next(CronSim(" ".join(words), datetime(2000, 1, 1)), None)
    except CronSimError as error:
        wrong = _wrong_field(str(error), words)
        raise _invalid(f"{said}: {wrong}; for example {_EXAMPLE}") from None
    if first is None:
        raise _invalid(f"{said} is never due: no day fits; for example {_EXAMPLE}")
    return minute, hour, day, month, weekday


@lru_cache(maxsize=1024)
def zone_called(name: str) -> ZoneInfo:
    """Return a time zone. Raises InvalidTiming (InvalidTimeZone), with names that are near."""
    if name not in _NO_ZONES:
        with contextlib.suppress(KeyError, ValueError, OSError):
            return ZoneInfo(name)
    near = _near_zones(name)
    hint = f"do you mean {' or '.join(near)}?" if near else "write for example Europe/Vienna"
    message = f"spec.timeZone {name!r} is no time zone that is known here; {hint}"
    raise InvalidTiming(Reason.INVALID_TIME_ZONE, message)


def _of_alias(word: str, said: str) -> str:
    if word.lower() in ALIASES:
        return ALIASES[word.lower()]
    if word.lower().startswith("@every"):
        raise _invalid(f"{said}: write spec.interval instead, such as interval: 5m")
    raise _invalid(f"{said} is none of {', '.join(ALIASES)}")


def _wrong_field(error: str, words: list[str]) -> str:
    for number, (theirs, (ours, allowed)) in enumerate(_FIELDS.items()):
        if error == f"Bad {theirs}":
            return f"the {ours} is {words[number]!r}, and may be {allowed}"
    return error


def _near_zones(name: str) -> list[str]:
    zones = sorted(available_timezones() - _NO_ZONES)
    word = name.casefold().replace(" ", "_")
    by_word: dict[str, list[str]] = {}
    for zone in zones:
        for spelling in {zone.casefold(), zone.casefold().rpartition("/")[2]}:
            by_word.setdefault(spelling, []).append(zone)
    if word in by_word:
        return by_word[word][:_NEAR_NAMES]
    close = get_close_matches(word, by_word, n=_NEAR_NAMES, cutoff=0.8)
    close += get_close_matches(word.rpartition("/")[2], by_word, n=_NEAR_NAMES, cutoff=0.8)
    found = [zone for spelling in close for zone in by_word[spelling]]
    return list(dict.fromkeys(found))[:_NEAR_NAMES]


def _interval(text: str) -> timedelta:
    length = _length(text, "spec.interval")
    if not MIN_INTERVAL <= length <= MAX_INTERVAL:
        message = f"spec.interval {text}: at least 1s and at most 87600h (ten years)"
        raise InvalidTiming(Reason.INVALID_SPEC, message)
    return length


def _deadline(spec: ScheduleSpec) -> timedelta | None:
    if spec.starting_deadline is None:
        return None
    length = _length(spec.starting_deadline, "spec.startingDeadline")
    if length < MIN_DEADLINE:
        message = (
            f"spec.startingDeadline {spec.starting_deadline}: at least 1s, or no run is in time"
        )
        raise InvalidTiming(Reason.INVALID_SPEC, message)
    return length


def _length(text: str, field: str) -> timedelta:
    try:
        return durations.parse(text)
    except ValueError as error:
        raise InvalidTiming(Reason.INVALID_SPEC, f"{field}: {error}") from None
    except OverflowError:
        raise InvalidTiming(Reason.INVALID_SPEC, f"{field} {text} is too long") from None


def _invalid(message: str) -> InvalidTiming:
    return InvalidTiming(Reason.INVALID_CRON, message)
