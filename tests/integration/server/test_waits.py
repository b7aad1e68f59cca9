"""Waits, and what a run that waits shows."""

import asyncio
from dataclasses import replace

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Runner, World, until


async def parent_of(world: World, runner_for: RunnerFor, children: int) -> tuple[Runner, list[str]]:
    """Return a run and its children's names; their uids follow from the answers."""
    await world.flow("greet", title="Greet")
    runner = await runner_for(await world.execution(script=SCRIPT))
    names = []
    for _ in range(children):
        names.append((await runner.child(flow="greet")).executions[0].name)
    return runner, names


async def uids_of(world: World, names: list[str]) -> list[str]:
    return [(await world.get(name)).uid for name in names]


async def test_a_failed_child_fails_the_wait_at_once_and_says_which_leaf(
    world: World, runner_for: RunnerFor
) -> None:
    runner, names = await parent_of(world, runner_for, 2)
    uids = await uids_of(world, names)
    waiting = asyncio.create_task(runner.wait(*uids))
    below = await runner_for(await world.get(names[1]))
    await below.end("error", reason="ScriptError", message="ValueError: boom (line 12)")
    answer = await waiting
    assert answer.error is not None
    assert answer.error.type == "DependencyFailedError"
    said = f"execution {names[1]} (greet) failed: ValueError: boom (line 12)"
    assert answer.error.message == said
    failed = answer.error.execution
    assert failed is not None
    assert failed.name == names[1]
    assert failed.cause is not None
    # The parent fails for it; its own parent would be told of the same leaf.
    await runner.end("error", reason="DependencyFailed", message=said, cause=failed.cause)
    assert runner.assignment is not None
    ended = await world.get(runner.assignment.execution.name)
    assert ended.status.reason == "DependencyFailed"
    assert ended.status.cause is not None
    assert ended.status.cause.execution == names[1]


async def test_all_ended_waits_for_failed_ones_too(world: World, runner_for: RunnerFor) -> None:
    runner, names = await parent_of(world, runner_for, 2)
    uids = await uids_of(world, names)
    waiting = asyncio.create_task(runner.wait(*uids, return_when="ALL_ENDED"))
    await world.end(names[0], "Failed", reason="ScriptError", message="no")
    await world.end(names[1], outputs={"a": 1})
    answer = await waiting
    assert [shown.status for shown in answer.executions] == ["ENDED_ERROR", "ENDED_SUCCESS"]
    assert [shown.output_value for shown in answer.executions] == [{}, {"a": 1}]


async def test_first_ended_is_recorded(world: World, runner_for: RunnerFor) -> None:
    runner, names = await parent_of(world, runner_for, 2)
    uids = await uids_of(world, names)
    waiting = asyncio.create_task(runner.wait(*uids, return_when="FIRST_ENDED"))
    await world.end(names[1])
    answer = await waiting
    assert [shown.uid for shown in answer.executions] == [uids[1]]
    await world.end(names[0])
    runner.sequence -= 1
    again = await runner.wait(*uids, return_when="FIRST_ENDED")
    assert [shown.uid for shown in again.executions] == [uids[1]]


async def test_a_timeout_counts_from_the_first_arrival(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    server.runtime.poll_seconds = 0.2
    runner, names = await parent_of(world, runner_for, 1)
    (uid,) = await uids_of(world, names)
    answer = await runner.wait(uid, timeout=0.5)
    assert answer.error is not None
    assert answer.error.type == "DependencyTimeoutError"
    assert names[0] in answer.error.message
    assert runner.requests > 3  # it was pending meanwhile
    answer = await runner.wait(uid, timeout=0)
    assert answer.error is not None


async def test_waiting_and_running_are_shown_when_they_last(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    runner, names = await parent_of(world, runner_for, 1)
    assert runner.assignment is not None
    own = runner.assignment.execution.name
    (uid,) = await uids_of(world, names)
    waiting = asyncio.create_task(runner.wait(uid))

    async def phase(name: str = "Waiting") -> object:
        execution = await world.get(own)
        return execution if execution.phase == name else None

    shown = await until(phase)
    assert [one.name for one in shown.status.waiting_for] == names
    assert shown.status.start_time
    assert shown.status.journal == server.runtime.database.identity
    assert shown.status.children.active == 1
    await world.end(names[0])
    assert (await waiting).state == "done"
    shown = await until(lambda: phase("Running"))
    assert shown.status.waiting_for is None
    await runner.end()


async def test_a_deadline_follows_from_the_timeout(world: World, runner_for: RunnerFor) -> None:
    await world.flow("slow", timeout="1h")
    execution = await world.execution(flow="slow")
    await runner_for(execution)

    async def running() -> object:
        found = await world.get(execution.metadata.name)
        return found if found.phase == "Running" else None

    status = (await until(running)).status
    assert (status.deadline - status.start_time).total_seconds() == 3600


async def test_a_deleted_child_has_failed(world: World, runner_for: RunnerFor) -> None:
    runner, names = await parent_of(world, runner_for, 1)
    (uid,) = await uids_of(world, names)
    waiting = asyncio.create_task(runner.wait(uid))
    await world.delete(names[0])
    answer = await waiting
    assert answer.error is not None
    assert answer.error.type == "DependencyFailedError"
    assert names[0] in answer.error.message
    assert "deleted" in answer.error.message
    answer = await runner.wait(uid, return_when="ALL_ENDED")
    assert [shown.status for shown in answer.executions] == ["ENDED_ERROR"]
    assert (await runner.read(uid)).error is not None


async def test_a_cancelled_child_has_failed(world: World, runner_for: RunnerFor) -> None:
    runner, names = await parent_of(world, runner_for, 1)
    (uid,) = await uids_of(world, names)
    await world.end(names[0], "Cancelled", reason="Cancelled")
    answer = await runner.wait(uid)
    assert answer.error is not None
    assert answer.error.message == f"execution {names[0]} (greet) was cancelled"


async def test_a_paused_run_is_held_at_its_next_operation(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    server.runtime.poll_seconds = 0.3
    execution = await world.execution(script=SCRIPT, timeout="1h")
    runner = await runner_for(execution)
    name = execution.metadata.name
    await world.desire(name, "Paused")
    saving = asyncio.create_task(runner.save(message="half way"))

    async def paused() -> object:
        found = await world.get(name)
        return found if found.phase == "Paused" else None

    assert (await until(paused)).status.paused_at
    assert not saving.done()
    await world.desire(name, "Running")
    assert (await saving).state == "done"
    found = await world.get(name)
    assert (found.phase, found.status.message) == ("Running", "half way")
    assert found.status.paused_at is None
    await runner.end()


async def test_a_script_may_end_while_it_is_paused(world: World, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await world.status(execution.metadata.name, phase="Paused")
    await runner.end()
    assert (await world.get(execution.metadata.name)).phase == "Succeeded"


async def test_control_tells_why_to_stop(world: World, runner_for: RunnerFor) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    polling = asyncio.create_task(runner.control())
    await world.end(execution.metadata.name, "Failed", reason="TimedOut")
    assert (await polling).stop == "TimedOut"


@pytest.mark.parametrize("kind", ["other kind", "other target"])
async def test_a_resumed_run_that_asks_for_something_else_ends(
    world: World, runner_for: RunnerFor, kind: str
) -> None:
    from tests.integration.server.worlds import Refused

    await world.flow("greet")
    await world.flow("part")
    execution = await world.execution(script=SCRIPT)
    first = await runner_for(execution)
    operation = first.operation("child", _child(flow="greet"), line=3)
    await first.ask(operation)
    second = await runner_for(execution, attempt=2)
    assert second.assignment is not None
    assert second.assignment.resumed
    changed = second.operation("child", _child(flow="part"), line=4)
    if kind == "other kind":
        changed = replace(changed, kind="save", arguments={"message": "x"})
    with pytest.raises(Refused, match="409 Diverged") as caught:
        await second.ask(changed)
    assert "line 3" in caught.value.message
    assert "line 4" in caught.value.message
    ended = await world.get(execution.metadata.name)
    assert (ended.phase, ended.status.reason) == ("Failed", "Diverged")


def _child(**arguments: object) -> object:
    from weir_protocol.arguments import ChildArguments

    return ChildArguments(**arguments)  # type: ignore[arg-type]


async def test_a_resumed_run_gets_what_was_recorded(world: World, runner_for: RunnerFor) -> None:
    await world.flow("greet")
    execution = await world.execution(script=SCRIPT)
    first = await runner_for(execution)
    child = (await first.child(flow="greet", inputs={"n": 1})).executions[0]
    await world.end(child.name, outputs={"a": 1})
    waited = await first.wait(child.uid)
    await first.save(message="half way", outputs={"part": 1})
    second = await runner_for(execution, attempt=2)
    assert (await second.child(flow="greet", inputs={"n": 2})).executions[0] == child
    assert await second.wait(child.uid) == waited
    await second.save(message="half way", outputs={"part": 1})
    await second.end()
    ended = await world.get(execution.metadata.name)
    assert ended.phase == "Succeeded"
    assert ended.status.outputs == {"part": 1}
    assert len(await world.executions()) == 2
