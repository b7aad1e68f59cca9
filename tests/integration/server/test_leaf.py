"""One run without children, from its assignment to its end."""

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Refused, World


async def test_a_leaf_costs_two_requests_and_one_status_write(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("hello", title="Say hello")
    execution = await world.execution(flow="hello", inputs={"name": "Ada"})
    runner = await runner_for(execution)
    assert runner.assignment is not None
    assert runner.assignment.script == SCRIPT
    assert runner.assignment.inputs == {"name": "Ada"}
    assert runner.assignment.execution.status == "NEW"
    before = dict(server.runtime.cluster.calls)
    await runner.end(message="all done", outputs={"greeting": "Hello, Ada"})
    calls = server.runtime.cluster.calls - type(server.runtime.cluster.calls)(before)
    assert {call: n for call, n in calls.items() if n > 0} == {"patch executions/status": 1}
    assert runner.requests == 2
    ended = (await world.get(execution.metadata.name)).status
    assert ended.phase == "Succeeded"
    assert ended.message == "all done"
    assert ended.outputs == {"greeting": "Hello, Ada"}
    assert ended.start_time
    assert ended.completion_time
    assert ended.duration == "0.0s" or ended.duration
    assert {one.type: one.status for one in ended.conditions} == {
        "Succeeded": "True",
        "Ended": "True",
    }
    assert ended.journal == server.runtime.database.identity


async def test_the_same_end_is_acknowledged_again_and_another_is_refused(
    world: World, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await runner.end(message="done")
    await runner.end(message="done")
    with pytest.raises(Refused, match="409 Ended"):
        await runner.end("error", reason="ScriptError", message="no")
    assert (await world.get(execution.metadata.name)).phase == "Succeeded"
