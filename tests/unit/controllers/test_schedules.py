"""The operator and its Schedules: what is written when, and what a crash leaves behind."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, execution_object, flow_object, schedule_object
from tests.unit.controllers.fake_cluster import Crash
from tests.unit.controllers.harness import Harness
from weir.api.resource import JsonObject, parse_time, render_time
from weir.cluster.errors import Refused
from weir.cluster.kinds import EXECUTIONS, FLOWS, SCHEDULES
from weir.controllers.queue import Target

START, STATUS = "create executions", "patch schedules/status"


class SchedulesOnly(Harness):
    """An operator that looks at nothing else: the runs stand where tests put them."""

    async def _look(self, target: Target) -> None:
        if target.kind == "schedule":
            await super()._look(target)


def operator_with(**spec: Any) -> Harness:
    """Return an operator, a Flow `hello`, and a Schedule of it; its clock shows 12:00."""
    made = SchedulesOnly()
    made.cluster.put(FLOWS, flow_object())
    made.cluster.put(SCHEDULES, schedule_object(**spec))
    return made


def status(operator: Harness, name: str = "nightly") -> JsonObject:
    found: JsonObject = operator.cluster.find(SCHEDULES, name)["status"]
    return found


def ready(operator: Harness, name: str = "nightly") -> JsonObject:
    (found,) = status(operator, name)["conditions"]
    result: JsonObject = found
    return result


def runs(operator: Harness) -> list[str]:
    """Return the times of all runs that were ever made and are there, as clocks show them."""
    times = [
        parse_time(item["metadata"]["annotations"]["weir.dev/scheduled-time"])
        for item in operator.cluster.all(EXECUTIONS)
        if "annotations" in item["metadata"]
    ]
    return [f"{time:%H:%M:%S}" for time in sorted(times)]


def writes(operator: Harness) -> list[str]:
    """Return the writes for Schedules since the last call."""
    found = [one for one in operator.cluster.writes if one in (START, STATUS)]
    operator.cluster.writes.clear()
    return found


def ends(operator: Harness, phase: str = "Succeeded") -> None:
    """All runs come to an end."""
    for item in operator.cluster.all(EXECUTIONS):
        if item.get("status", {}).get("phase") not in ("Succeeded", "Failed", "Cancelled"):
            operator.reports(phase, item["metadata"]["name"])


async def test_a_run_costs_a_create_and_two_patches_and_nothing_else_is_written() -> None:
    operator = operator_with()
    await operator.settle()
    assert writes(operator) == [STATUS]
    assert status(operator)["next"][0] == "2026-11-24T13:00:00.000000Z"
    assert status(operator)["nextLocal"] == "2026-11-24 13:00 UTC"

    await operator.settle(3599)
    assert writes(operator) == []
    await operator.settle(1)
    assert writes(operator) == [START, STATUS]
    assert runs(operator) == ["13:00:00"]
    assert status(operator)["active"] == [status(operator)["lastExecution"]]
    await operator.settle(10)
    ends(operator)
    await operator.settle(600)
    assert writes(operator) == [STATUS]
    assert status(operator)["active"] == []
    assert status(operator)["lastSuccessfulTime"] == "2026-11-24T13:00:10.000000Z"
    assert status(operator)["lastScheduleTime"] == "2026-11-24T13:00:00.000000Z"
    assert status(operator)["missed"] == 0


async def test_times_come_on_time_and_one_by_one() -> None:
    operator = operator_with(interval="10s")
    await operator.settle(65)
    assert runs(operator) == [f"12:00:{second}" for second in (10, 20, 30, 40, 50)] + ["12:01:00"]
    assert status(operator)["missed"] == 0
    assert len(status(operator)["active"]) == 6


async def test_forbid_leaves_out_what_comes_too_early() -> None:
    operator = operator_with(interval="10s", concurrencyPolicy="Forbid")
    await operator.settle(35)
    assert runs(operator) == ["12:00:10"]
    assert status(operator)["missed"] == 2
    assert status(operator)["lastMissedTime"] == "2026-11-24T12:00:30.000000Z"
    ends(operator)
    await operator.settle(10)
    assert runs(operator) == ["12:00:10", "12:00:40"]


async def test_replace_cancels_the_earlier_run_and_starts_at_its_end() -> None:
    operator = operator_with(interval="10s", concurrencyPolicy="Replace")
    await operator.settle(12)
    first = status(operator)["lastExecution"]
    operator.reports("Running", first)
    await operator.settle(15)
    assert operator.cluster.find(EXECUTIONS, first)["spec"]["desiredState"] == "Cancelled"
    assert runs(operator) == ["12:00:10"]

    operator.reports("Cancelled", first)
    await operator.settle()
    assert runs(operator) == ["12:00:10", "12:00:20"]
    assert operator.cluster.calls["patch executions"] == 1
    assert status(operator)["missed"] == 0


async def test_of_what_waits_to_replace_only_the_last_starts() -> None:
    operator = operator_with(interval="10s", concurrencyPolicy="Replace")
    await operator.settle(12)
    first = status(operator)["lastExecution"]
    operator.reports("Running", first)
    await operator.settle(35)
    operator.reports("Cancelled", first)
    await operator.settle()
    assert runs(operator) == ["12:00:10", "12:00:40"]
    assert status(operator)["missed"] == 2


async def test_children_never_count_as_earlier_runs() -> None:
    operator = operator_with(interval="10s", concurrencyPolicy="Forbid")
    labels = {"labels": {"weir.dev/schedule": "nightly"}}
    parent = {"name": "other", "uid": "other", "sequence": 1}
    operator.cluster.put(EXECUTIONS, execution_object("child", metadata=labels, parent=parent))
    await operator.settle(11)
    assert runs(operator) == ["12:00:10"]


async def test_a_run_of_the_label_counts_whoever_made_it() -> None:
    operator = operator_with(interval="10s", concurrencyPolicy="Forbid")
    labels = {"labels": {"weir.dev/schedule": "nightly"}}
    operator.cluster.put(EXECUTIONS, execution_object("other", metadata=labels))
    await operator.settle(11)
    assert runs(operator) == []
    assert status(operator)["active"] == ["other"]
    operator.cluster.take(EXECUTIONS, "other")
    await operator.settle(10)
    assert runs(operator) == ["12:00:20"]


async def test_nothing_is_made_up_for_after_a_suspension() -> None:
    operator = operator_with(interval="10s", suspend=True)
    await operator.settle(35)
    assert ready(operator)["reason"] == "Suspended"
    assert "next" not in status(operator)
    operator.cluster.change(
        SCHEDULES, "nightly", {"spec": {"suspend": False}, "metadata": {"generation": 2}}
    )
    await operator.settle()
    assert runs(operator) == []
    await operator.settle(6)
    assert runs(operator) == ["12:00:40"]
    assert status(operator)["missed"] == 0


async def test_new_times_begin_when_they_are_seen() -> None:
    operator = operator_with(cron="0 13 * * *")
    await operator.settle(600)
    spec = {"cron": "5 12 * * *", "inputs": {"a": 1}}
    operator.cluster.change(SCHEDULES, "nightly", {"spec": spec, "metadata": {"generation": 2}})
    await operator.settle()
    assert runs(operator) == []
    assert status(operator)["next"][0] == "2026-11-25T12:05:00.000000Z"
    assert status(operator)["observedGeneration"] == 2


async def test_new_inputs_lose_no_due_time() -> None:
    operator = operator_with(interval="10s")
    await operator.settle(9)
    operator.now += timedelta(seconds=1.5)
    operator.queue.now = operator.now
    operator.cluster.change(
        SCHEDULES, "nightly", {"spec": {"inputs": {"a": 1}}, "metadata": {"generation": 2}}
    )
    await operator.settle()
    assert runs(operator) == ["12:00:10"]
    (run,) = operator.cluster.all(EXECUTIONS)
    assert run["spec"]["inputs"] == {"a": 1}


async def test_a_clock_that_is_set_back_runs_nothing_twice() -> None:
    operator = operator_with(interval="10s")
    await operator.settle(31)
    operator.now = operator.queue.now = NOW + timedelta(seconds=5)
    operator.queue.due.clear()
    await operator.restart()
    await operator.settle(30)
    assert runs(operator) == ["12:00:10", "12:00:20", "12:00:30"]
    assert operator.cluster.calls[START] == 3


async def test_a_clock_that_is_set_forward_is_noticed_within_a_minute() -> None:
    operator = operator_with(cron="0 15 * * *")
    await operator.settle(5)
    (at,) = [due for target, due in operator.queue.due.items() if target.kind == "schedule"]
    assert at - operator.now <= timedelta(seconds=60)
    # The timers go on as they were; the clock shows three hours more.
    operator.now = operator.queue.now = NOW + timedelta(hours=3, seconds=20)
    await operator.settle()
    assert runs(operator) == ["15:00:00"]


async def test_a_year_away_is_one_run() -> None:
    operator = operator_with(cron="* * * * *")
    await operator.settle()
    operator.now = operator.queue.now = NOW + timedelta(days=365)
    await operator.restart()
    await operator.settle()
    assert runs(operator) == ["12:00:00"]
    assert status(operator)["missed"] == 365 * 1440 - 1
    assert writes(operator)[1:] == [START, STATUS]


@pytest.mark.parametrize("policy", ["Allow", "Forbid", "Replace"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(4))
async def test_an_operator_that_dies_at_any_write_doubles_and_loses_nothing(
    number: int, after: bool, policy: str
) -> None:
    operator = operator_with(interval="10s", concurrencyPolicy=policy)
    operator.cluster.crash_at, operator.cluster.crash_after = number, after
    try:
        await operator.settle(15)
    except Crash:
        await operator.restart()
        await operator.settle(15 - (operator.now - NOW).total_seconds())
    assert runs(operator) == ["12:00:10"]
    assert status(operator)["lastScheduleTime"] == "2026-11-24T12:00:10.000000Z"
    assert status(operator)["missed"] == 0
    (run,) = operator.cluster.all(EXECUTIONS)
    assert run["spec"].get("desiredState", "Running") == "Running"


async def test_a_run_that_ended_before_it_was_written_down_is_not_made_again() -> None:
    operator = operator_with(interval="10s")
    operator.cluster.crash_at, operator.cluster.crash_after = 1, True
    with pytest.raises(Crash):
        await operator.settle(15)
    ends(operator)
    await operator.restart()
    await operator.settle(5)
    assert runs(operator) == ["12:00:10"]
    assert status(operator)["missed"] == 0


async def test_a_flow_that_is_missing_is_said_and_its_run_is_made() -> None:
    operator = Harness()
    operator.cluster.put(SCHEDULES, schedule_object(interval="1h"))
    await operator.settle()
    assert ready(operator)["status"] == "True"
    assert "there is no Flow called 'hello'" in ready(operator)["message"]
    await operator.settle(3700)
    (run,) = operator.cluster.all(EXECUTIONS)
    assert run["status"]["reason"] == "FlowNotFound"

    operator.cluster.put(FLOWS, flow_object())
    await operator.settle()
    assert ready(operator)["message"] == "starts runs when they are due"
    operator.cluster.take(FLOWS, "hello")
    await operator.settle()
    assert "there is no Flow called 'hello'" in ready(operator)["message"]


async def test_a_schedule_that_is_wrong_says_why_and_starts_nothing() -> None:
    operator = operator_with(cron="61 * * * *")
    await operator.settle(7200)
    assert ready(operator)["reason"] == "InvalidCron"
    assert "the minute is '61'" in ready(operator)["message"]
    assert runs(operator) == []
    assert writes(operator) == [STATUS]


async def test_a_title_is_free_when_the_older_schedule_is_gone() -> None:
    operator = operator_with(title="report", interval="10s")
    younger = {"uid": "second", "creationTimestamp": render_time(NOW + timedelta(seconds=1))}
    operator.cluster.put(
        SCHEDULES, schedule_object("second", title="report", interval="10s", metadata=younger)
    )
    await operator.settle(5)
    assert ready(operator, "second")["reason"] == "TitleTaken"
    operator.cluster.take(SCHEDULES, "nightly")
    await operator.settle(30)
    assert ready(operator, "second")["reason"] == "Ready"
    assert runs(operator) == ["12:00:11", "12:00:21", "12:00:31"]


async def test_runs_stay_when_their_schedule_is_deleted() -> None:
    operator = operator_with(interval="10s")
    await operator.settle(11)
    operator.cluster.take(SCHEDULES, "nightly")
    await operator.settle(60)
    assert runs(operator) == ["12:00:10"]
    (run,) = operator.cluster.all(EXECUTIONS)
    assert "desiredState" not in run["spec"]


async def test_a_name_that_is_somebody_elses_is_a_missed_run() -> None:
    operator = operator_with(interval="10s")
    await operator.settle(11)
    name = status(operator)["lastExecution"]
    operator = operator_with(interval="10s")
    operator.cluster.put(EXECUTIONS, execution_object(name))
    await operator.settle(11)
    assert status(operator)["missed"] == 1
    assert "lastExecution" not in status(operator)
    await operator.settle(10)
    assert runs(operator) == ["12:00:20"]


async def test_a_run_that_is_refused_is_tried_again_and_an_event_says_why() -> None:
    operator = operator_with(interval="10s")
    operator.cluster.refusals[START] = Refused("exceeded quota: runs", status=403)
    with pytest.raises(Refused):
        await operator.settle(11)
    assert operator.events._backlog.qsize() == 1
    event = operator.events._backlog.get_nowait()
    assert (event["reason"], event["message"]) == (
        "Refused",
        "no run can be made: exceeded quota: runs",
    )
    del operator.cluster.refusals[START]
    operator.now = operator.queue.now = NOW + timedelta(seconds=35)
    await operator.restart()
    await operator.settle()
    assert runs(operator) == ["12:00:30"]
    assert status(operator)["missed"] == 2
