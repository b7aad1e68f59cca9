"""Due times over changes of the clocks, leap days and ends of months, in tables; and counting."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weir.core.due_times import CronTimes, DueTimes, IntervalTimes, latest
from weir.core.timings import parse_cron

TICK = timedelta(microseconds=1)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",  # the clocks move at midnight
    "Pacific/Apia",
    "Asia/Kathmandu",
]
EXPRESSIONS = [
    "* * * * *",
    "*/7 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "15,45 1-3 * * *",
    "*/15 2 * * *",
    "0 */2 * * *",
    "0 0 * * *",
    "59 23 * * MON-FRI",
    "0 12 31 * *",
    "0-59/20 0-23 * * *",
    "0 3 L * *",
    "0 3 * * FRI#2",
]


def cron(expression: str, zone: str = "UTC") -> CronTimes:
    return CronTimes(parse_cron(expression), ZoneInfo(zone))


def shown(times: CronTimes, begin: str, end: str) -> list[str]:
    """Return the due times from `begin` until before `end`, both as the zone's clocks show them."""
    first, last = (
        datetime.fromisoformat(text).replace(tzinfo=times.zone).astimezone(UTC)
        for text in (begin, end)
    )
    found = takewhile(lambda due: due < last, times.after(first - TICK))
    return [due.astimezone(times.zone).isoformat(timespec="minutes")[5:] for due in found]


# Each change of the clocks twice: to summer and back.
@pytest.mark.parametrize(
    ("zone", "day", "expression", "expected"),
    [
        pytest.param(
            "Europe/Berlin", "2026-03-29", "30 2 * * *", ["03-29T03:00+02:00"],
            id="Berlin forward: a time that is left out is due at the end of the gap",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29", "0,15,45 2 * * *", ["03-29T03:00+02:00"],
            id="Berlin forward: several that are left out are due once",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29", "0 2,3 * * *", ["03-29T03:00+02:00"],
            id="Berlin forward: and not once more where one is due at the end of the gap anyway",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29", "30 1,2,3 * * *",
            ["03-29T01:30+01:00", "03-29T03:00+02:00", "03-29T03:30+02:00"],
            id="Berlin forward: others stay where they are",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29", "*/20 2 * * *", [],
            id="Berlin forward: with * for the minute nothing is made up for",
        ),
        pytest.param(
            "Europe/Berlin", "2026-03-29", "0 */2 * * *",
            ["03-29T00:00+01:00", *(f"03-29T{hour:02}:00+02:00" for hour in range(4, 24, 2))],
            id="Berlin forward: nor with * for the hour",
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25", "30 2 * * *", ["10-25T02:30+02:00"],
            id="Berlin back: a time that comes twice counts once, the first time",
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25", "0,30 2 * * *",
            ["10-25T02:00+02:00", "10-25T02:30+02:00"],
            id="Berlin back: so do several",
        ),
        pytest.param(
            "Europe/Berlin", "2026-10-25", "*/30 2 * * *",
            ["10-25T02:00+02:00", "10-25T02:30+02:00", "10-25T02:00+01:00", "10-25T02:30+01:00"],
            id="Berlin back: with * for the minute both count, in order",
        ),
        pytest.param(
            "America/New_York", "2026-03-08", "30 2 * * *", ["03-08T03:00-04:00"],
            id="New York forward: at the end of the gap",
        ),
        pytest.param(
            "America/New_York", "2026-03-08", "30 * * * *",
            [
                *(f"03-08T{hour:02}:30-05:00" for hour in (0, 1)),
                *(f"03-08T{hour:02}:30-04:00" for hour in range(3, 24)),
            ],
            id="New York forward: an hourly run has 23 hours",
        ),
        pytest.param(
            "America/New_York", "2026-11-01", "30 1 * * *", ["11-01T01:30-04:00"],
            id="New York back: the first time",
        ),
        pytest.param(
            "America/New_York", "2026-11-01", "30 * * * *",
            [
                *(f"11-01T{hour:02}:30-04:00" for hour in (0, 1)),
                *(f"11-01T{hour:02}:30-05:00" for hour in range(1, 24)),
            ],
            id="New York back: an hourly run has 25 hours",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-10-04", "15 2 * * *", ["10-04T02:30+11:00"],
            id="Lord Howe forward by half an hour: at the end of the gap",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-10-04", "45 2 * * *", ["10-04T02:45+11:00"],
            id="Lord Howe forward: what is not in the gap stays",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-10-04", "*/15 4 * * *",
            [f"10-04T04:{minute:02}+11:00" for minute in (0, 15, 30, 45)],
            id="Lord Howe forward: nothing is lost later on that day",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-04-05", "45 1 * * *", ["04-05T01:45+11:00"],
            id="Lord Howe back by half an hour: the first time",
        ),
        pytest.param(
            "Australia/Lord_Howe", "2026-04-05", "*/15 1 * * *",
            [
                *(f"04-05T01:{minute:02}+11:00" for minute in (0, 15, 30, 45)),
                *(f"04-05T01:{minute:02}+10:30" for minute in (30, 45)),
            ],
            id="Lord Howe back: with * for the minute half an hour comes twice",
        ),
        pytest.param(
            "America/Havana", "2026-03-08", "0 0 * * *", ["03-08T01:00-04:00"],
            id="Havana forward: a midnight that is left out",
        ),
        pytest.param(
            "America/Havana", "2026-11-01", "0 0 * * *", ["11-01T00:00-04:00"],
            id="Havana back: a midnight that comes twice",
        ),
    ],
)  # fmt: skip
def test_a_day_on_which_the_clocks_are_moved(
    zone: str, day: str, expression: str, expected: list[str]
) -> None:
    following = (datetime.fromisoformat(day) + timedelta(days=1)).isoformat()
    assert shown(cron(expression, zone), day, following) == expected


@pytest.mark.parametrize(
    ("expression", "begin", "end", "expected"),
    [
        pytest.param(
            "0 12 29 2 *", "2026-01-01", "2033-01-01", ["02-29T12:00+00:00"] * 2,
            id="a leap day comes each four years",
        ),
        pytest.param(
            "0 12 31 * *", "2026-01-01", "2027-01-01",
            [f"{month:02}-31T12:00+00:00" for month in (1, 3, 5, 7, 8, 10, 12)],
            id="seven months have a 31st",
        ),
        pytest.param(
            "0 12 L * *", "2028-01-01", "2028-05-01",
            ["01-31T12:00+00:00", "02-29T12:00+00:00", "03-31T12:00+00:00", "04-30T12:00+00:00"],
            id="L is the last day of a month",
        ),
        pytest.param(
            "0 12 LW * *", "2026-05-01", "2026-07-01", ["05-29T12:00+00:00", "06-30T12:00+00:00"],
            id="LW is the last weekday of a month",
        ),
        pytest.param(
            "0 12 * * MON#1", "2026-11-01", "2027-01-01",
            ["11-02T12:00+00:00", "12-07T12:00+00:00"],
            id="MON#1 is the first Monday of a month",
        ),
        pytest.param(
            "0 12 * * 5L", "2026-11-01", "2027-01-01", ["11-27T12:00+00:00", "12-25T12:00+00:00"],
            id="5L is the last Friday of a month",
        ),
        pytest.param(
            "0 12 13 * FRI", "2026-11-12", "2026-11-21",
            ["11-13T12:00+00:00", "11-20T12:00+00:00"],
            id="where day and weekday are both said, either will do",
        ),
    ],
)  # fmt: skip
def test_days_that_not_every_month_has(
    expression: str, begin: str, end: str, expected: list[str]
) -> None:
    assert shown(cron(expression), begin, end) == expected


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    second = draw(st.integers(0, 4 * 365 * 86400))
    near_change = draw(st.sampled_from([None, "2026-03-29T01:00", "2026-10-25T01:00"]))
    if near_change is not None:
        start = datetime.fromisoformat(near_change).replace(tzinfo=UTC)
        return start + timedelta(seconds=draw(st.integers(-7200, 7200)))
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


crons = st.builds(cron, st.sampled_from(EXPRESSIONS), st.sampled_from(ZONES))
intervals = st.builds(
    IntervalTimes,
    st.just(datetime(2025, 6, 1, 12, 0, 7, tzinfo=UTC)),
    st.sampled_from([timedelta(seconds=1), timedelta(seconds=90), timedelta(hours=5)]),
)


@given(crons, moments())
def test_due_times_are_in_order_and_none_comes_twice(times: CronTimes, moment: datetime) -> None:
    found = list(islice(times.after(moment), 20))
    assert found == sorted(set(found))
    assert all(due > moment for due in found)


@given(crons, moments())
def test_it_does_not_matter_where_one_begins(times: CronTimes, moment: datetime) -> None:
    found = list(islice(times.after(moment), 12))
    for index in (1, 5, 9):
        if index < len(found):
            assert list(islice(times.after(found[index - 1]), 3)) == found[index : index + 3]
            assert list(islice(times.after(found[index] - TICK), 3)) == found[index : index + 3]


@given(crons | intervals, moments(), st.integers(0, 6 * 86400))
@settings(deadline=None)
def test_the_count_is_the_number_of_due_times(
    times: DueTimes, after: datetime, seconds: int
) -> None:
    until = after + timedelta(seconds=min(seconds, 7200) if _is_dense(times) else seconds)
    found = list(takewhile(lambda due: due <= until, times.after(after)))
    assert times.count(after, until) == len(found)
    assert latest(times, after, until) == (found[-1] if found else None)


def _is_dense(times: DueTimes) -> bool:
    return isinstance(times, IntervalTimes) and times.length < timedelta(seconds=60)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("expression", ["* * * * *", "0-59 0-23 * * *", "0 */2 * * *"])
def test_days_that_are_not_counted_time_by_time_are_counted_right(
    zone: str, expression: str
) -> None:
    times = cron(expression, zone)
    after = datetime(2026, 10, 1, 5, 17, tzinfo=UTC)
    until = datetime(2026, 11, 3, 22, 1, 30, tzinfo=UTC)
    counted = sum(1 for _ in takewhile(lambda due: due <= until, times.after(after)))
    assert times.count(after, until) == counted


def test_a_year_of_minutes_is_counted_in_a_moment() -> None:
    times = cron("* * * * *", "Europe/Berlin")
    after = datetime(2025, 11, 24, 12, 0, 30, tzinfo=UTC)
    until = after + timedelta(days=365)
    began = time.process_time()
    assert times.count(after, until) == 365 * 1440
    assert latest(times, after, until) == until.replace(second=0)
    assert time.process_time() - began < 1.0  # thirty times what it takes
