"""What a Schedule's spec may say about its times, and what it is told where it may not."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import schedule
from weir.api.reasons import Reason
from weir.core.timings import (
    ALIASES,
    InvalidTiming,
    parse_cron,
    timing_of,
    zone_called,
)

EXAMPLE = "; for example '30 2 * * MON-FRI' is 02:30 on weekdays"


@pytest.mark.parametrize("alias", [*ALIASES, "@Daily", " @hourly "])
def test_an_alias_means_five_fields(alias: str) -> None:
    assert parse_cron(alias) == tuple(ALIASES[alias.strip().lower()].split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("61 * * * *", "the minute is '61', and may be 0-59" + EXAMPLE, id="minute"),
        pytest.param("0 24 * * *", "the hour is '24', and may be 0-23", id="hour"),
        pytest.param("0 0 32 * *", "the day of month is '32', and may be 1-31", id="day of month"),
        pytest.param("0 0 * 13 *", "the month is '13', and may be 1-12 or JAN-DEC", id="month"),
        pytest.param("0 0 * * 8", "the day of week is '8', and may be 0-7", id="day of week"),
        pytest.param("0 0 * * FUN", "the day of week is 'FUN'", id="no day"),
        pytest.param("*/0 * * * *", "the minute is '*/0'", id="no step"),
        pytest.param("5-1 * * * *", "the minute is '5-1'", id="a range that is none"),
        pytest.param("0 0 31 2 *", "the day of month is '31'", id="February has no 31st"),
        pytest.param("0 0 */31 2 MON#5", "is never due: no day fits", id="never"),
        pytest.param("0 3 * *", "has 4 fields, not five (minute, hour, day of month", id="four"),
        pytest.param("0 0 3 * * *", "for times below a minute use spec.interval", id="six"),
        pytest.param("every day", "has 2 fields, not five", id="words"),
        pytest.param(" ", "has 0 fields, not five", id="nothing"),
        pytest.param("@every 5m", "write spec.interval instead", id="@every"),
        pytest.param("@reboot", "is none of @yearly, @annually, @monthly", id="@reboot"),
        pytest.param("TZ=Asia/Tokyo 0 3 * * *", "belongs in spec.timeZone", id="zone"),
        pytest.param("CRON_TZ=UTC 0 3 * * *", "belongs in spec.timeZone", id="cron's zone"),
    ],
)
def test_a_wrong_expression_is_told_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidTiming) as caught:
        parse_cron(text)
    assert caught.value.reason == Reason.INVALID_CRON
    assert f"spec.cron {text!r}" in caught.value.message
    assert message in caught.value.message


@given(st.text(max_size=30) | st.from_regex(r"([0-9*/,L#W-]{1,4} ){4}[0-9*/,L#A-Z-]{1,5}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidTiming):
        assert len(parse_cron(text)) == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("europe/vienna", "do you mean Europe/Vienna?"),
        ("Berlin", "do you mean Europe/Berlin?"),
        ("New York", "do you mean America/New_York?"),
        ("Europe/Viena", "Europe/Vienna"),
        ("Europe", "write for example Europe/Vienna"),
        ("../../etc/passwd", "write for example Europe/Vienna"),
        ("localtime", "write for example Europe/Vienna"),
        ("+02:00", "write for example Europe/Vienna"),
    ],
)
def test_a_wrong_time_zone_is_told_near_ones(name: str, message: str) -> None:
    with pytest.raises(InvalidTiming) as caught:
        zone_called(name)
    assert caught.value.reason == Reason.INVALID_TIME_ZONE
    assert f"spec.timeZone {name!r} is no time zone" in caught.value.message
    assert message in caught.value.message


@given(st.text(min_size=1, max_size=64))
def test_any_name_is_a_zone_or_refused(name: str) -> None:
    with contextlib.suppress(InvalidTiming):
        zone_called(name)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"interval": "0s"}, "spec.interval 0s: at least 1s"),
        ({"interval": "200ms"}, "spec.interval 200ms: at least 1s"),
        ({"interval": "87601h"}, "at most 87600h"),
        ({"interval": "9999999999999999999999h"}, "spec.interval 9999999999999999999999h is too"),
        ({"cron": "@daily", "startingDeadline": "0s"}, "spec.startingDeadline 0s: at least 1s"),
        ({"cron": "@daily", "startingDeadline": "9" * 30 + "h"}, "is too long"),
    ],
)
def test_a_length_that_makes_no_sense_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTiming, match=message) as caught:
        timing_of(schedule(**spec))
    assert caught.value.reason == Reason.INVALID_SPEC


def test_a_timing_is_another_when_its_times_are() -> None:
    texts = {
        timing_of(schedule(**spec)).text
        for spec in (
            {"cron": "@daily"},
            {"cron": "0  0 * * *"},
            {"cron": "0 0 * * *", "timeZone": "Europe/Vienna"},
            {"interval": "24h"},
            {"interval": "24h", "timeZone": "Europe/Vienna"},
        )
    }
    assert texts == {"0 0 * * * UTC", "0 0 * * * Europe/Vienna", "every 24h"}
