"""Sleeps, pauses, functions that are called once, and what else is asked for and then kept."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Runner, World, until
from weir.cluster.errors import NotFound
from weir.cluster.kinds import FLOWS
from weir.core.revisions import revision_of
from weir_protocol import Answer, Operation
from weir_protocol.arguments import (
    ArchiveArguments,
    CachedArguments,
    ChildrenArguments,
    DeleteArguments,
    OnceArguments,
    PauseArguments,
    SleepArguments,
)


@pytest.fixture
async def runner(world: World, runner_for: RunnerFor) -> Runner:
    flow = await world.flow("greet")
    ready = {"status": {"revision": revision_of(flow.spec)}}
    await world.cluster.patch(FLOWS, world.namespace, "greet", ready, status=True)
    return await runner_for(await world.execution(script=SCRIPT))


def own_name(runner: Runner) -> str:
    assert runner.assignment is not None
    return runner.assignment.execution.name


def own_uid(runner: Runner) -> str:
    assert runner.assignment is not None
    return runner.assignment.execution.uid


async def phase_of(world: World, name: str) -> str:
    return str((await world.get(name)).phase)


class Clock:
    """The server's clock, some time ahead."""

    def __init__(self, server: Served) -> None:
        self._real = server.runtime.now
        self.ahead = timedelta()
        server.runtime.now = lambda: self._real() + self.ahead


async def test_a_sleep_of_three_hours_ends_when_they_are_over(
    world: World, server: Served, runner: Runner
) -> None:
    clock = Clock(server)
    operation = runner.operation("sleep", SleepArguments(seconds=3 * 3600))
    sleeping = asyncio.create_task(runner.ask(operation))

    async def is_shown() -> bool:
        status = (await world.get(own_name(runner))).status
        waited = status.waiting_for or []
        return status.phase == "Waiting" and [one.kind for one in waited] == ["Time"]

    await until(is_shown)
    clock.ahead = timedelta(hours=3)
    server.runtime.executions.topics.notify(own_uid(runner))
    assert (await sleeping).state == "done"
    # A resumed run is not made to sleep again.
    assert (await runner.ask(operation)).state == "done"


async def test_a_sleep_until_a_moment_that_is_over_is_none(runner: Runner) -> None:
    answer = await runner.ask(runner.operation("sleep", SleepArguments(until=1.0)))
    assert answer.state == "done"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(SleepArguments(), id="neither"),
        pytest.param(SleepArguments(seconds=1, until=1), id="both"),
        pytest.param(SleepArguments(seconds=1e300), id="for ever"),
    ],
)
async def test_a_sleep_without_an_end_is_refused(runner: Runner, arguments: Any) -> None:
    answer = await runner.ask(runner.operation("sleep", arguments))
    assert answer.error is not None
    assert answer.error.type == "InvalidInputError"


async def test_a_run_that_pauses_itself_goes_on_when_a_person_resumes_it(
    world: World, runner: Runner
) -> None:
    name = own_name(runner)
    operation = runner.operation("pause", PauseArguments(uid=own_uid(runner)))
    pausing = asyncio.create_task(runner.ask(operation))

    async def paused() -> bool:
        return await phase_of(world, name) == "Paused"

    await until(paused)
    await world.desire(name, "Running")
    assert (await pausing).state == "done"
    assert await phase_of(world, name) in ("Running", "Starting")
    # The recorded pause does not pause a resumed run again.
    assert (await runner.ask(operation)).state == "done"
    assert (await world.get(name)).spec.desired_state == "Running"


async def test_a_child_is_paused_and_resumed_from_the_script(world: World, runner: Runner) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    paused = await runner.ask(runner.operation("pause", PauseArguments(uid=child.uid)))
    assert paused.state == "done"
    assert (await world.get(child.name)).spec.desired_state == "Paused"
    await runner.run(child.uid)
    assert (await world.get(child.name)).spec.desired_state == "Running"


async def once(runner: Runner, operation: Operation | None = None, **fields: Any) -> Answer:
    arguments = OnceArguments(name="roll", **fields)
    if operation is None:
        operation = runner.operation("once", arguments)
    else:
        operation = dataclasses.replace(operation, arguments=dataclasses.asdict(arguments))
    return await runner.ask(operation)


async def test_what_a_function_returned_is_kept(runner: Runner) -> None:
    asked = runner.operation("once", OnceArguments(name="roll", step="ask"))
    assert (await runner.ask(asked)).state == "open"
    # The Pod may be lost while the function runs: then it is asked again.
    assert (await runner.ask(asked)).state == "open"
    assert (await once(runner, asked, step="done", value={"dice": [6, 6]})).state == "done"
    assert (await runner.ask(asked)).value == {"dice": [6, 6]}
    # The first result stays.
    assert (await once(runner, asked, step="done", value=1)).value == {"dice": [6, 6]}


async def test_a_result_that_is_too_large_is_refused(runner: Runner) -> None:
    answer = await once(runner, step="done", value="x" * 2**21)
    assert answer.error is not None
    assert "save a file" in answer.error.message


async def test_children_are_listed_as_they_were(runner: Runner, world: World) -> None:
    first = (await runner.child(flow="greet", title="first")).executions[0]
    await runner.child(flow="greet", title="second")
    operation = runner.operation("children", ChildrenArguments(uid=own_uid(runner)))
    listed = await runner.ask(operation)
    assert [one.title for one in listed.executions] == ["first", "second"]
    await world.delete(first.name)
    await runner.child(flow="greet", title="third")
    again = await runner.ask(operation)
    assert [one.title for one in again.executions] == ["first", "second"]


async def test_an_ended_child_is_archived_and_a_running_one_is_not(
    runner: Runner, world: World
) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    early = await runner.ask(runner.operation("archive", ArchiveArguments(uid=child.uid)))
    assert early.error is not None
    assert "only ended ones" in early.error.message
    await world.end(child.name)
    await runner.wait(child.uid)
    assert (
        await runner.ask(runner.operation("archive", ArchiveArguments(uid=child.uid)))
    ).state == "done"
    assert (await world.get(child.name)).metadata.labels["weir.dev/archived"] == "true"


async def test_a_run_deletes_what_stands_below_it_and_nothing_else(
    runner: Runner, world: World, runner_for: RunnerFor
) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    below = await runner_for(await world.get(child.name))
    up = await below.ask(below.operation("delete", DeleteArguments(uid=own_uid(runner))))
    assert up.error is not None
    assert up.error.type == "PermissionDenied"
    operation = runner.operation("delete", DeleteArguments(uid=child.uid))
    assert (await runner.ask(operation)).state == "done"
    with pytest.raises(NotFound):
        await world.get(child.name)
    assert (await runner.ask(operation)).state == "done"


async def test_a_former_success_with_the_same_inputs_is_found(
    runner: Runner, world: World, runner_for: RunnerFor
) -> None:
    def cached(**inputs: Any) -> Operation:
        return runner.operation(
            "cached", CachedArguments(flow="greet", inputs=inputs, max_age=3600)
        )

    assert (await runner.ask(cached(person="Ada"))).executions == []
    child = (await runner.child(flow="greet", inputs={"person": "Ada"})).executions[0]
    below = await runner_for(await world.get(child.name))
    await below.end(outputs={"greeting": "Hello, Ada"})
    await runner.wait(child.uid)
    operation = cached(person="Ada")
    found = await runner.ask(operation)
    assert [one.uid for one in found.executions] == [child.uid]
    assert found.value == {"greeting": "Hello, Ada"}
    assert (await runner.ask(cached(person="Grace"))).executions == []
    # The record holds the outputs: the execution itself may be gone when the run is resumed.
    await world.delete(child.name)
    assert (await runner.ask(operation)).value == {"greeting": "Hello, Ada"}


async def test_what_protects_its_values_is_not_found(
    runner: Runner, world: World, runner_for: RunnerFor
) -> None:
    child = (await runner.child(flow="greet", protect_outputs=["greeting"])).executions[0]
    below = await runner_for(await world.get(child.name))
    await below.end(outputs={"greeting": "secret"})
    await runner.wait(child.uid)
    asked = CachedArguments(flow="greet", max_age=3600)
    assert (await runner.ask(runner.operation("cached", asked))).executions == []


async def test_outputs_keep_what_is_none(
    runner: Runner, world: World, runner_for: RunnerFor
) -> None:
    outputs = {"nothing": None, "deep": {"inside": {"nothing": None}, "list": [None, {"a": None}]}}
    await runner.save(outputs={"nothing": 1, "gone": None})
    await runner.end(outputs=outputs, message="done")
    ended = await world.get(own_name(runner))
    assert (ended.status.phase, ended.status.message) == ("Succeeded", "done")
    assert ended.status.outputs == outputs
