"""Schedules that really run, and a backfill of what has passed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.given import WAIT_FOR_GO, Given, camel
from tests.e2e.history import History
from tests.e2e.run import Run
from tests.e2e.test_cli import Command
from tests.e2e.then import PATIENCE, Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.api import names
from weir.api.resource import JsonObject, parse_time
from weir.cluster.kinds import EXECUTIONS, SCHEDULES

# A Pod takes a while to come on a busy machine; until it has gone, two times pass.
OFTEN = "5s"
TELLS = """
def handler(system, this, inputs):
    return {'due': this.get('scheduled_for'), 'by': this.get('schedule_name'), 'given': inputs['a']}
"""


class Schedules:
    """Schedules of the test's namespace, and what is to be seen of them."""

    def __init__(self, world: World, when: When, history: History) -> None:
        self._world = world
        self._when = when
        self._history = history

    async def made(self, name: str, flow: str, **spec: Any) -> None:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "Schedule",
            "metadata": {"name": name},
            "spec": {"flow": flow} | camel(spec),
        }
        await self._world.cluster.create(SCHEDULES, self._world.namespace, body)

    async def suspended(self, name: str) -> None:
        body = {"spec": {"suspend": True}}
        await self._world.cluster.patch(SCHEDULES, self._world.namespace, name, body)
        await self.until(name, lambda status: "next" not in status, "to be suspended")

    async def until(self, name: str, holds: Any, what: str) -> JsonObject:
        await self._history.until(
            lambda: holds(self._status(name)), within=PATIENCE, what=f"{name} {what}"
        )
        return self._status(name)

    def runs(self, name: str) -> list[Run]:
        """Return its runs, in the order of the times that they were due."""
        found = [
            one
            for one in self._world.history.all(EXECUTIONS)
            if one["metadata"].get("labels", {}).get(names.SCHEDULE_LABEL) == name
        ]
        found.sort(key=lambda one: str(one["metadata"]["annotations"][names.SCHEDULED_TIME]))
        return [self._when.run(one) for one in found]

    def _status(self, name: str) -> JsonObject:
        found = self._history.current(SCHEDULES, name) or {}
        status: JsonObject = found.get("status") or {}
        return status


@pytest.fixture
async def schedules(world: World, when: When) -> AsyncIterator[Schedules]:
    async with History(world.cluster, world.namespace, kinds=(SCHEDULES,)) as history:
        yield Schedules(world, when, history)


async def test_runs_come_at_their_times_and_never_two_at_once(
    given: Given, when: When, then: Then, schedules: Schedules
) -> None:
    script = f"{WAIT_FOR_GO}\ndef handler(system, this):\n    wait_for_go()\n"
    await given.flow("beats", script)
    await schedules.made("beat", "beats", interval=OFTEN, concurrency_policy="Forbid")

    first = await schedules.until("beat", lambda status: status.get("active"), "to start a run")
    (run,) = schedules.runs("beat")
    assert first["lastExecution"] == run.name
    await then(run).has_a_running_pod()
    seen = await schedules.until(
        "beat", lambda status: status["missed"] >= 1, "to leave out what comes too early"
    )
    assert len(schedules.runs("beat")) == 1
    assert seen["active"] == [run.name]

    await when.told(run)
    await then(run).succeeds()
    await schedules.until("beat", lambda status: len(schedules.runs("beat")) == 2, "to go on")
    await schedules.suspended("beat")
    *_, second = schedules.runs("beat")
    await then(second).has_a_running_pod()
    await when.told(second)
    await then(second).succeeds()
    spans = [
        (parse_time(one.status["startTime"]), parse_time(one.status["completionTime"]))
        for one in schedules.runs("beat")
    ]
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), spans
    status = await schedules.until("beat", lambda status: not status["active"], "to be at rest")
    assert parse_time(status["lastSuccessfulTime"]) == spans[-1][1]


async def test_a_range_of_the_past_is_backfilled(
    given: Given, then: Then, world: World, schedules: Schedules
) -> None:
    await given.flow("tells", TELLS)
    await schedules.made(
        *("nightly", "tells"),
        cron="30 2 * * *",
        time_zone="Europe/Vienna",
        inputs={"a": 1},
        concurrency_policy="Forbid",
        suspend=True,
    )
    weir = Command(world)
    # Over the end of summer time: both nights have one run.
    span = ("nightly", "--from", "2025-10-25", "--to", "2025-10-26")
    call = await weir("backfill", *span)
    assert call.code == 0, call.err
    assert "2025-10-25 02:30 CEST" in call.out
    assert call.err.endswith("2 started\n")
    first, second = schedules.runs("nightly")
    await then(second).succeeds(
        outputs={"due": "2025-10-26T00:30:00.000000Z", "by": "nightly", "given": 1}
    )
    assert first.phase == "Succeeded"

    again = await weir("backfill", *span)
    assert again.err == "0 started, 2 there already\n"
    assert f"execution/{first.name} is there already (Succeeded)" in again.out
