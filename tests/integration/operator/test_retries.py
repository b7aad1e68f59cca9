"""New tries of whole runs, over a real API server; the server's part is played."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.operator.conftest import StartOperator
from tests.integration.operator.processes import OperatorThread
from tests.integration.operator.world import World
from weir.api.resource import JsonObject, render_time
from weir.cluster.kinds import EXECUTIONS

RETRY = {"limit": 2, "delay": "1s", "factor": 1}


async def begun(world: World, name: str = "run", **spec: Any) -> JsonObject:
    """Create a run and let its script begin."""
    made = await world.run(name, **spec)
    await world.phase(name, "Starting")
    await world.runs(name)
    await world.reports("Running", name)
    return made


async def tried_again(world: World, name: str = "run", *, delay: float = 1.0) -> None:
    """Write what the server makes of a script's failure."""
    status = {
        "reason": "TryFailed",
        "try": 2,
        "runner": None,
        "nextTryTime": render_time(datetime.now(UTC) + timedelta(seconds=delay), exact=True),
        "tries": [{"try": 1, "reason": "ScriptError", "message": "boom"}],
    }
    await world.reports("Queued", name, **status)


async def test_a_process_that_falls_over_is_tried_again_until_no_try_is_left(
    operator: OperatorThread, world: World
) -> None:
    await world.flow(retry=RETRY)
    await world.run()
    for number in (1, 2, 3):
        await world.phase("run", "Starting", **{"try": number, "attempt": number})
        await world.runs()
        await world.exits(9)

    ended = await world.phase("run", "Failed")
    assert ended["reason"] == "RunnerExited"
    assert [(one["try"], one["reason"]) for one in ended["tries"]] == [
        (1, "RunnerExited"),
        (2, "RunnerExited"),
    ]
    await world.no_pods()


async def test_children_of_a_failed_try_end_before_the_next_begins(
    operator: OperatorThread, world: World
) -> None:
    await world.flow(retry=RETRY)
    parent = await begun(world)
    await world.child(parent, "child")
    await world.child(parent, "orphan", orphan=True)
    await world.phase("child", "Starting")
    await world.phase("orphan", "Starting")
    await world.runs("child")
    await world.reports("Running", "child")
    await tried_again(world)

    # Its script has its grace, and the next try waits for it.
    await world.until(EXECUTIONS, "child", lambda one: one["spec"]["desiredState"] == "Cancelled")
    await world.until(
        EXECUTIONS, "run", lambda one: "earlier one started" in one["status"].get("message", "")
    )
    await world.reports("Cancelled", "child", reason="Cancelled")
    await world.phase("run", "Starting", **{"try": 2, "attempt": 2})
    await world.phase("orphan", "Starting")


async def test_a_restarted_operator_goes_by_the_object(
    start_operator: StartOperator, world: World
) -> None:
    async with start_operator():
        await world.flow(retry=RETRY)
        await begun(world)
        await tried_again(world, delay=4)
    async with start_operator():
        begin = asyncio.get_running_loop().time()
        status = await world.phase("run", "Starting", attempt=2)

    assert asyncio.get_running_loop().time() - begin > 0.5
    assert datetime.fromisoformat(status["startingTime"]) - datetime.fromisoformat(
        status["startTime"]
    ) > timedelta(seconds=3)


async def test_one_timeout_is_for_all_tries(operator: OperatorThread, world: World) -> None:
    await world.flow(retry=RETRY, timeout="3s")
    await begun(world)
    await tried_again(world, delay=600)

    assert (await world.phase("run", "Failed"))["reason"] == "TimedOut"


async def test_a_run_is_paused_and_cancelled_between_its_tries(
    operator: OperatorThread, world: World
) -> None:
    await world.flow(retry=RETRY)
    await begun(world)
    await tried_again(world, delay=600)
    await world.cluster.patch(
        EXECUTIONS, world.namespace, "run", {"spec": {"desiredState": "Paused"}}
    )
    assert (await world.phase("run", "Paused"))["message"] == "paused before try 2"
    await world.cluster.patch(
        EXECUTIONS, world.namespace, "run", {"spec": {"desiredState": "Running"}}
    )
    assert (await world.phase("run", "Queued"))["reason"] == "TryFailed"
    await world.cancel()
    assert "nextTryTime" not in await world.phase("run", "Cancelled")
