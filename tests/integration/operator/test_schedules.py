"""Schedules over a real API server: with a clock that is moved, with an operator that dies, and by
the watches of one that runs.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.operator.conftest import StartOperator
from tests.integration.operator.test_crashes import (
    Crash,
    CrashingCluster,
    NamespacedLooks,
    crashing,
)
from tests.integration.operator.world import World
from weir.api import names
from weir.api.resource import JsonObject, parse_time
from weir.cluster.client import Cluster
from weir.cluster.kinds import EXECUTIONS, SCHEDULES
from weir.controllers.queue import Target

__all__ = ["crashing"]  # a fixture


class SchedulesOnly(NamespacedLooks):
    """An operator that looks at nothing else: the runs stand where tests put them."""

    async def _look(self, target: Target) -> None:
        if target.kind == "schedule":
            await super()._look(target)

    async def at(self, moment: datetime) -> None:
        """Let the clock show another time, and look at what is due."""
        self.now = self.queue.now = moment
        self.queue.look_again(Target("schedule", self._namespace, "nightly"))
        await self.settle()


async def schedule(world: World, **spec: Any) -> JsonObject:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Schedule",
        "metadata": {"name": "nightly"},
        "spec": {"flow": "hello"} | spec,
    }
    return await world.cluster.create(SCHEDULES, world.namespace, body)


async def status(world: World) -> JsonObject:
    found = await world.cluster.get(SCHEDULES, world.namespace, "nightly")
    result: JsonObject = found["status"]
    return result


async def runs(world: World) -> list[str]:
    """Return the due times of all runs."""
    listing = await world.cluster.list(EXECUTIONS, world.namespace)
    return sorted(item["metadata"]["annotations"][names.SCHEDULED_TIME] for item in listing.items)


def begin(made: JsonObject) -> datetime:
    return parse_time(made["metadata"]["creationTimestamp"])


async def test_two_changes_of_the_clocks_and_a_leap_day(cluster: Cluster, world: World) -> None:
    made = await schedule(world, cron="30 2 * * *", timeZone="Europe/Berlin")
    operator = SchedulesOnly(cluster, world.namespace)
    year = begin(made).year + 1
    while year % 4 != 3:  # the year before a leap year, in which a leap day comes after both
        year += 1
    moved = {  # the last Sundays of March and October; the API server keeps the 30 days before
        "forward": max(d for d in _days(year, 3) if d.weekday() == 6),
        "back": max(d for d in _days(year, 10) if d.weekday() == 6),
    }
    await operator.at(begin(made))
    forward, back = moved["forward"], moved["back"]
    leap = datetime(year + 1, 2, 29, tzinfo=begin(made).tzinfo)

    await operator.at(forward - timedelta(hours=12))
    before = await runs(world)
    await operator.at(forward + timedelta(minutes=59, seconds=59))
    assert await runs(world) == before
    await operator.at(forward + timedelta(hours=1))  # 02:00 is 03:00 now
    assert (await runs(world))[-1] == f"{forward:%Y-%m-%d}T01:00:00Z"

    await operator.at(back - timedelta(hours=12))
    await operator.at(back + timedelta(minutes=30))
    first = await runs(world)
    assert first[-1] == f"{back:%Y-%m-%d}T00:30:00Z"
    await operator.at(back + timedelta(hours=1, minutes=30))  # it is 02:30 once more
    assert await runs(world) == first

    await operator.at(leap - timedelta(hours=12))
    await operator.at(leap + timedelta(hours=1, minutes=30))
    assert (await runs(world))[-1] == f"{leap:%Y-%m-%d}T01:30:00Z"
    assert (await status(world))["nextLocal"] == f"{year + 1}-03-01 02:30 CET"

    days = (leap.date() - begin(made).date()).days
    made_or_missed = len(await runs(world)) + (await status(world))["missed"]
    assert abs(made_or_missed - days) <= 1  # by the hour at which the test is run
    assert set(cluster.calls) >= {"create executions", "patch schedules/status"}


def _days(year: int, month: int) -> list[datetime]:
    first = parse_time(f"{year}-{month:02}-01T00:00:00Z")
    return [
        day
        for day in (first + timedelta(days=number) for number in range(31))
        if day.month == month
    ]


async def test_a_clock_that_is_set_back_and_forth_runs_each_time_once(
    cluster: Cluster, world: World
) -> None:
    made = await schedule(world, interval="1h")
    operator = SchedulesOnly(cluster, world.namespace)
    start = begin(made)
    for minutes in (0, 61, 30, 62, 125, 59, 0, 121, 185):
        await operator.at(start + timedelta(minutes=minutes))
    hours = [start + timedelta(hours=number) for number in (1, 2, 3)]
    assert await runs(world) == [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in hours]
    assert (await status(world))["missed"] == 0


async def test_a_run_costs_three_writes_and_a_look_none(cluster: Cluster, world: World) -> None:
    made = await schedule(world, interval="1h")
    operator = SchedulesOnly(cluster, world.namespace)
    await operator.at(begin(made))
    cluster.calls.clear()
    await operator.at(begin(made) + timedelta(minutes=30))
    assert _writes(cluster) == {}
    await operator.at(begin(made) + timedelta(hours=1))
    assert _writes(cluster) == {"create executions": 1, "patch schedules/status": 1}
    name = (await status(world))["lastExecution"]
    await world.reports("Paused", name)
    await world.reports("Succeeded", name)
    cluster.calls.clear()
    await operator.at(begin(made) + timedelta(hours=1, minutes=30))
    assert _writes(cluster) == {"patch schedules/status": 1}
    assert (await status(world))["active"] == []
    assert "lastSuccessfulTime" in await status(world)
    # As an operator finds it that has just started.
    operator.build()
    await operator.settle()
    assert _writes(cluster) == {"patch schedules/status": 1}


def _writes(cluster: Cluster) -> dict[str, int]:
    return {
        call: count
        for call, count in cluster.calls.items()
        if call.startswith(("create ", "patch ", "delete ")) and "executions/status" not in call
    }


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(3))
async def test_an_operator_that_dies_at_any_write_makes_each_run_once(
    crashing: CrashingCluster, world: World, number: int, carried_out: bool
) -> None:
    made = await schedule(world, interval="1h", concurrencyPolicy="Forbid")
    crashing.crash_at, crashing.carried_out = number, carried_out
    operator = SchedulesOnly(crashing, world.namespace)
    for minutes in (0, 61):
        moment = begin(made) + timedelta(minutes=minutes)
        try:
            await operator.at(moment)
        except Crash:
            operator.build()
            await operator.at(moment)
    assert crashing.crash_at is None, "it has died"
    hour = begin(made) + timedelta(hours=1)
    assert await runs(world) == [f"{hour:%Y-%m-%dT%H:%M:%SZ}"]
    found = await status(world)
    assert (found["missed"], found["active"]) == (0, [found["lastExecution"]])


async def test_a_running_operator_starts_runs_and_sees_them_end(
    world: World, start_operator: StartOperator
) -> None:
    async with start_operator():
        await world.flow()
        await schedule(world, interval="1s", concurrencyPolicy="Forbid")
        seen = await world.until(
            SCHEDULES, "nightly", lambda item: item.get("status", {}).get("missed", 0) >= 2
        )
        (name,) = seen["status"]["active"]
        assert len(await runs(world)) == 1
        await world.finishes(name)
        seen = await world.until(
            SCHEDULES,
            "nightly",
            lambda item: (
                "lastSuccessfulTime" in item["status"] and item["status"]["lastExecution"] != name
            ),
        )
        assert name not in seen["status"]["active"]
        body = {"spec": {"cron": "61 * * * *", "interval": None}}
        await world.cluster.patch(SCHEDULES, world.namespace, "nightly", body)
        seen = await world.condition(SCHEDULES, "nightly", "False")
        assert seen["status"]["conditions"][0]["reason"] == "InvalidCron"
        assert "next" not in seen["status"]
