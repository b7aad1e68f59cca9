"""`weir backfill` against a fake cluster: which times, which names, what is refused."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.builders import schedule, schedule_object
from tests.unit.cli.fake import FakeCluster, execution, weir
from weir.api.resource import JsonObject
from weir.cli.backfill import moment
from weir.cli.errors import CliError
from weir.cluster.kinds import EXECUTIONS, SCHEDULES, Kind
from weir.core.schedules import run_name

WEEK = ("--from", "2026-01-01", "--to", "2026-01-03")


def item(**spec: Any) -> tuple[Kind, JsonObject]:
    made = schedule_object(**({"cron": "30 2 * * *", "timeZone": "Europe/Vienna"} | spec))
    made["metadata"]["namespace"] = "team-a"
    return SCHEDULES, made


def name_of(day: int) -> str:
    return run_name(schedule(), datetime(2026, 1, day, 1, 30, tzinfo=UTC))


def times(cluster: FakeCluster) -> list[str]:
    """Return the due times of the runs that were made, in the order in which they were."""
    return [
        body["metadata"]["annotations"]["weir.dev/scheduled-time"]
        for verb, _, body in cluster.written
        if verb == "create"
    ]


def there(name: str, phase: str) -> tuple[Kind, JsonObject]:
    kind, made = execution(name, phase)
    made["metadata"]["labels"] = {"weir.dev/schedule": "nightly"}
    return kind, made


def test_a_run_is_made_for_each_time_in_order_and_both_days_are_whole() -> None:
    cluster = FakeCluster(item(inputs={"days": 1}))
    result = weir(cluster, "backfill", "nightly", *WEEK)
    assert result.exit_code == 0
    assert times(cluster) == [f"2026-01-0{day}T01:30:00Z" for day in (1, 2, 3)]
    assert [name for _, name, _ in cluster.written] == [name_of(day) for day in (1, 2, 3)]
    body = cluster.written[0][2]
    assert body["spec"] == {"flow": "hello", "mode": "Productive", "inputs": {"days": 1}}
    assert body["metadata"]["labels"] == {"weir.dev/schedule": "nightly"}
    assert body["metadata"]["annotations"]["weir.dev/created-by"] == "ada"
    assert result.stdout.splitlines()[0] == (
        f"2026-01-01 02:30 CET  execution/{name_of(1)} created"
    )
    assert result.stderr == "3 started\n"


def test_a_time_that_has_a_run_is_left_alone() -> None:
    cluster = FakeCluster(item(), there(name_of(2), "Failed"))
    result = weir(cluster, "backfill", "nightly", *WEEK)
    assert times(cluster) == ["2026-01-01T01:30:00Z", "2026-01-03T01:30:00Z"]
    assert f"execution/{name_of(2)} is there already (Failed)" in result.stdout
    assert result.stderr == "2 started, 1 there already\n"


def test_the_latest_may_come_first() -> None:
    cluster = FakeCluster(item())
    weir(cluster, "backfill", "nightly", *WEEK, "--reverse")
    assert times(cluster) == [f"2026-01-0{day}T01:30:00Z" for day in (3, 2, 1)]


@pytest.mark.parametrize("policy", ["Allow", "Forbid"])
def test_a_dry_run_makes_nothing(policy: str) -> None:
    cluster = FakeCluster(item(concurrencyPolicy=policy), there(name_of(2), "Succeeded"))
    result = weir(cluster, "backfill", "nightly", *WEEK, "--dry-run")
    assert cluster.written == []
    assert result.stdout.splitlines() == [
        f"2026-01-01 02:30 CET  execution/{name_of(1)} would be created",
        f"2026-01-02 02:30 CET  execution/{name_of(2)} is there already (Succeeded)",
        f"2026-01-03 02:30 CET  execution/{name_of(3)} would be created",
    ]
    assert result.stderr == "2 would be started, 1 there already\n"


def test_names_only() -> None:
    cluster = FakeCluster(item(), there(name_of(2), "Succeeded"))
    result = weir(cluster, "backfill", "nightly", *WEEK, "-o", "name")
    assert result.stdout.split() == [name_of(1), name_of(3)]


def test_json() -> None:
    cluster = FakeCluster(item(), there(name_of(2), "Succeeded"))
    result = weir(cluster, "backfill", "nightly", *WEEK, "-o", "json")
    assert json.loads(result.stdout)[:2] == [
        {
            "execution": name_of(1),
            "scheduledTime": "2026-01-01T01:30:00Z",
            "state": "created",
        },
        {
            "execution": name_of(2),
            "scheduledTime": "2026-01-02T01:30:00Z",
            "state": "exists",
            "phase": "Succeeded",
        },
    ]


def test_what_has_not_come_yet_is_left_to_the_schedule() -> None:
    tomorrow = datetime.now(UTC).date().replace(year=datetime.now(UTC).year + 1)
    cluster = FakeCluster(item(cron="0 0 1 1 *"))
    result = weir(cluster, "backfill", "nightly", "--from", "2020-01-01", "--to", str(tomorrow))
    assert result.exit_code == 0
    assert all(time < datetime.now(UTC).isoformat() for time in times(cluster))


def test_a_schedule_is_called_by_its_title_too() -> None:
    cluster = FakeCluster(item(title="Nightly report"))
    assert weir(cluster, "backfill", "Nightly report", *WEEK).exit_code == 0


def test_an_interval_reaches_back_before_the_creation() -> None:
    cluster = FakeCluster(item(cron=None, interval="24h"))
    weir(cluster, "backfill", "nightly", *WEEK)
    assert times(cluster) == [f"2026-01-0{day}T12:00:00Z" for day in (1, 2, 3)]


@pytest.mark.parametrize(
    ("spec", "arguments", "message"),
    [
        ({}, ("--from", "2026-01-03", "--to", "2026-01-01"), "--from 2026-01-03 is later than"),
        ({}, ("--from", "yesterday", "--to", "2026-01-01"), "--from 'yesterday': write a day or"),
        ({}, ("--from", "2026-01-01", "--to", "32"), "--to '32': write a day or a time"),
        ({}, ("--from", "0001-01-01", "--to", "2026-01-01"), "--from"),
        ({}, ("--from", "1900-01-01", "--to", "2026-01-01"), "that is before 1970"),
        ({}, ("--from", "2999-01-01", "--to", "2999-01-02"), "has not come yet"),
        (
            {},
            ("--from", "2026-01-01T03:00", "--to", "2026-01-01T23:00"),
            "nothing is due from 2026-01-01T03:00 to 2026-01-01T23:00; the next time is "
            "2026-01-02 02:30 CET",
        ),
        (
            {"cron": "* * * * *"},
            WEEK,
            "there are 4320 due times: narrow the range, or say --yes",
        ),
        ({"cron": "61 * * * *"}, WEEK, "schedule nightly: spec.cron '61 * * * *': the minute"),
        ({"concurrencyPolicy": "Forbid"}, (*WEEK, "--max-active", "2"), "come one by one"),
        ({}, (*WEEK, "-o", "yaml"), "--output 'yaml': name or json"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_made(
    spec: dict[str, Any], arguments: tuple[str, ...], message: str
) -> None:
    cluster = FakeCluster(item(**spec))
    result = weir(cluster, "backfill", "nightly", *arguments)
    assert result.exit_code in (2, 4)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert cluster.written == []


def test_many_runs_are_made_when_that_is_said() -> None:
    cluster = FakeCluster(item(cron="0 * * * *"))
    arguments = ("--from", "2026-01-01", "--to", "2026-01-07", "--yes", "-o", "name")
    result = weir(cluster, "backfill", "nightly", *arguments)
    assert result.exit_code == 0
    assert len(result.stdout.split()) == 7 * 24


def test_an_unknown_schedule_is_told_near_ones() -> None:
    result = weir(FakeCluster(item()), "backfill", "nightl", *WEEK)
    assert result.exit_code == 2
    assert 'there is no schedule "nightl"' in result.stderr
    assert "do you mean nightly?" in result.stderr


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-03-29", False, "2026-03-28T23:00:00+00:00"),
        ("2026-03-29", True, "2026-03-29T21:59:59.999999+00:00"),
        ("2026-03-29T02:30", False, "2026-03-29T01:30:00+00:00"),
        ("2026-10-25T02:30", False, "2026-10-25T00:30:00+00:00"),
        ("2026-03-29T02:30Z", True, "2026-03-29T02:30:00+00:00"),
        ("2026-03-29T02:30+05:00", True, "2026-03-28T21:30:00+00:00"),
    ],
)
def test_a_time_is_read_in_the_zone_of_the_schedule(text: str, end: bool, expected: str) -> None:
    zone = ZoneInfo("Europe/Vienna")
    assert moment(text, zone, option="--from", end_of_day=end).isoformat() == expected


@pytest.mark.parametrize("text", ["", "9999-12-31T23:59-14:00", "2026-13-01", "12:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CliError, match="write a day or a time"):
        moment(text, ZoneInfo("UTC"), option="--to", end_of_day=True)


def test_the_same_call_twice_makes_nothing_twice() -> None:
    cluster = FakeCluster(item())
    weir(cluster, "backfill", "nightly", *WEEK)
    second = weir(cluster, "backfill", "nightly", *WEEK)
    assert second.stderr == "0 started, 3 there already\n"
    assert len([one for one in cluster.objects if one[0] == EXECUTIONS]) == 3
