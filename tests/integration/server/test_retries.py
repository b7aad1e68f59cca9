"""Runs that fail and are tried again: what the server makes of a report, and of the next try."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Refused, World
from weir_protocol.arguments import WaitArguments

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

RETRY: dict[str, Any] = {"limit": 1, "delay": "10s"}


async def test_a_failed_try_is_put_off_and_leaves_only_its_story(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("flaky", retry=RETRY)
    execution = await world.execution(flow="flaky")
    runner = await runner_for(execution)
    assert runner.assignment is not None
    assert runner.assignment.execution.try_number == 1
    await runner.child(flow="flaky")
    await runner.save(outputs={"half": "done"}, message="working")
    await runner.log("first")
    await runner.end("error", reason="ScriptError", message="boom", outputs={"half": "done"})

    status = (await world.get(execution.metadata.name)).status
    assert (status.phase, status.reason, status.try_number) == ("Queued", "TryFailed", 2)
    assert status.message is not None
    assert status.message.startswith("try 1 failed (ScriptError: boom); try 2 begins at ")
    assert status.runner is None
    assert status.outputs is None
    assert status.journal is None
    assert status.start_time is not None
    assert status.completion_time is None
    assert status.next_try_time is not None
    assert status.tries is not None
    (failed,) = status.tries
    assert (failed.try_number, failed.reason, failed.message) == (1, "ScriptError", "boom")
    assert failed.end_time is not None
    assert status.next_try_time - failed.end_time == timedelta(seconds=10)
    for late in (runner.save(message="late"), runner.log("late"), runner.end()):
        with pytest.raises(Refused, match="409 Fenced: try 1 of"):
            await late


async def test_the_next_try_begins_with_a_fresh_journal_and_fails_for_good(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("flaky", retry=RETRY)
    execution = await world.execution(flow="flaky")
    first = await runner_for(execution)
    old = (await first.child(script=SCRIPT)).executions[0]
    await first.end("error", reason="ScriptEnded", message="not today")
    second = await runner_for(execution, attempt=2, try_number=2)

    assert second.assignment is not None
    assert (second.assignment.try_number, second.assignment.resumed) == (2, False)
    assert second.assignment.execution.try_number == 2
    # Another operation than the first try's: no divergence, and another child.
    await second.save(message="again")
    fresh = (await second.child(script=SCRIPT)).executions[0]
    assert fresh.uid != old.uid
    await second.end("error", reason="ScriptError", message="never")
    status = (await world.get(execution.metadata.name)).status
    assert (status.phase, status.reason, status.message) == ("Failed", "ScriptError", "never")
    assert [one.try_number for one in status.tries or []] == [1]
    made = {one.metadata.name: one.spec.parent for one in await world.executions()}
    tries = {name: parent.try_number for name, parent in made.items() if parent}
    assert tries == {old.name: 1, fresh.name: 2}


async def test_a_pod_lost_in_the_second_try_is_resumed_in_it(
    world: World, runner_for: RunnerFor
) -> None:
    await world.flow("flaky", retry=RETRY)
    execution = await world.execution(flow="flaky")
    await (await runner_for(execution)).end("error", reason="ScriptError", message="boom")
    second = await runner_for(execution, attempt=2, try_number=2)
    child = (await second.child(script=SCRIPT)).executions[0]
    third = await runner_for(execution, attempt=3, try_number=2)

    assert third.assignment is not None
    assert third.assignment.resumed
    assert (await third.child(script=SCRIPT)).executions[0].uid == child.uid
    await third.end(outputs={"n": 1})
    status = (await world.get(execution.metadata.name)).status
    assert (status.phase, status.outputs, status.try_number) == ("Succeeded", {"n": 1}, 2)


@pytest.mark.parametrize(
    ("retry", "spec", "end"),
    [
        pytest.param({}, {}, {"reason": "ScriptError"}, id="a Flow without retries"),
        pytest.param(RETRY, {}, {"reason": "TimedOut"}, id="it was told to stop"),
        pytest.param(RETRY, {}, {"reason": "NoHandler"}, id="it would be the same again"),
        pytest.param(RETRY, {"timeout": "8s"}, {"reason": "ScriptError"}, id="no time is left"),
    ],
)
async def test_what_fails_at_once(
    world: World,
    runner_for: RunnerFor,
    retry: dict[str, Any],
    spec: dict[str, Any],
    end: dict[str, Any],
) -> None:
    await world.flow("flaky", retry=retry or None)
    execution = await world.execution(flow="flaky", **spec)
    await (await runner_for(execution)).end("error", message="boom", **end)

    assert (await world.get(execution.metadata.name)).phase == "Failed"


async def test_wrong_outputs_are_a_failed_try(world: World, runner_for: RunnerFor) -> None:
    await world.flow("strict", retry=RETRY, timeout="1h", outputSchema={"required": ["n"]})
    execution = await world.execution(flow="strict")
    await (await runner_for(execution)).end(outputs={"m": 1})

    status = (await world.get(execution.metadata.name)).status
    assert (status.phase, status.outputs) == ("Queued", None)
    assert status.tries is not None
    assert status.tries[0].reason == "InvalidOutputs"
    assert status.start_time is not None
    assert status.deadline == status.start_time + timedelta(hours=1)


async def test_a_cancelled_run_is_not_tried_again(world: World, runner_for: RunnerFor) -> None:
    await world.flow("flaky", retry=RETRY)
    execution = await world.execution(flow="flaky")
    runner = await runner_for(execution)
    await world.desire(execution.metadata.name, "Cancelled")
    await runner.control()  # the server knows of it
    await runner.end("error", reason="ScriptError", message="boom")

    assert (await world.get(execution.metadata.name)).phase == "Failed"


async def test_a_parent_goes_on_waiting_for_a_child_that_is_tried_again(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    server.runtime.poll_seconds = 0.2
    await world.flow("flaky", retry=RETRY)
    parent = await runner_for(await world.execution(script=SCRIPT))
    child = (await parent.child(flow="flaky")).executions[0]
    made = await world.get(child.name)
    await (await runner_for(made)).end("error", reason="ScriptError", message="boom")
    wait = parent.operation("wait", WaitArguments(uids=[child.uid]))
    answer = await parent.post("operations", wait)
    assert answer is not None
    assert answer["state"] == "pending"

    await (await runner_for(made, attempt=2, try_number=2)).end(outputs={"n": 2})
    assert (await parent.ask(wait)).executions[0].output_value == {"n": 2}
