"""One run without children, from its assignment to its end."""

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Refused, World, until
from weir.api import names
from weir.cluster.kinds import CONTROLLER_REVISIONS
from weir.core import revisions


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


async def test_who_was_slower_looks_again_and_decides_again(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    executions = server.runtime.executions
    stale = executions.get(execution.uid)
    assert stale is not None
    written = await world.status(execution.metadata.name, description="written by another")

    async def seen() -> bool:
        known = executions.get(execution.uid)
        return known is not None and known.status.description is not None

    await until(seen)
    executions._by_uid[execution.uid] = stale  # as if the watch had not told yet
    await runner.end(message="done")
    ended = await world.get(execution.metadata.name)
    assert (ended.phase, ended.status.description) == ("Succeeded", "written by another")
    assert written.phase == "Starting"


async def test_an_illegal_move_ends_the_run(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await world.status(execution.metadata.name, phase="Queued")

    async def seen() -> bool:
        known = server.runtime.executions.get(execution.uid)
        return known is not None and known.phase == "Queued"

    await until(seen)
    await runner.end()
    ended = await world.get(execution.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Failed", "IllegalMove")


async def test_a_run_that_was_cancelled_before_it_began_is_not_begun(
    world: World, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    await world.desire(execution.metadata.name, "Cancelled")
    runner = await runner_for(execution, assigned=False)
    with pytest.raises(Refused, match="409 Ended"):
        await runner.assigned()
    ended = await world.get(execution.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Cancelled", "Cancelled")


async def test_a_run_without_its_revision_or_secret_says_so(
    world: World, runner_for: RunnerFor
) -> None:
    flow = await world.flow("lost")
    execution = await world.execution(flow="lost")
    name = names.revision_name("lost", revisions.revision_of(flow.spec))
    await world.cluster.delete(CONTROLLER_REVISIONS, world.namespace, name)
    runner = await runner_for(execution, assigned=False)
    with pytest.raises(Refused, match=r"409 Ended: revision .* is gone"):
        await runner.assigned()
    assert (await world.get(execution.metadata.name)).status.reason == "FlowNotFound"
    secret = {"input": "password", "secretKeyRef": {"name": "nowhere", "key": "password"}}
    inputs = {"repository_url": "https://example.com/r.git", "command": "get", "username": "u"}
    await world.connector("repository", type="GIT", inputs=inputs, secretInputs=[secret])
    execution = await world.execution(connection={"connector": "repository"})
    runner = await runner_for(execution, assigned=False)
    with pytest.raises(Refused, match="409 Ended: connector repository: there is no Secret"):
        await runner.assigned()
    assert (await world.get(execution.metadata.name)).status.reason == "SecretNotFound"
