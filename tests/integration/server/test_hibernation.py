"""Runs that wait without a Pod: they give it back, are woken by the server, and lose nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

import weir_protocol as protocol
from tests.integration.server.conftest import (
    RunnerFor,
    Served,
    serving,
    settings_for,
    with_certificate,
)
from tests.integration.server.worlds import SCRIPT, Refused, Runner, World, until
from tests.ports import free_port
from weir.api.execution import Execution
from weir.cluster.client import Cluster
from weir.server.main import Program
from weir_protocol import Answer, Operation
from weir_protocol.arguments import (
    AcquireArguments,
    ChildArguments,
    OnceArguments,
    PauseArguments,
    SleepArguments,
    WaitArguments,
)


class Clock:
    """The server's clock, some time ahead."""

    def __init__(self, server: Served) -> None:
        self._real = server.runtime.now
        self.ahead = timedelta()
        server.runtime.now = lambda: self._real() + self.ahead


@pytest.fixture
async def flow(world: World) -> None:
    """A Flow whose runs give their Pods back soon, and one whose runs wait in them."""
    await world.flow("dozes", hibernateAfter="1s")
    await world.flow("greet")


@pytest.fixture
async def runner(world: World, flow: None, runner_for: RunnerFor) -> Runner:
    return await runner_for(await world.execution(flow="dozes"))


def uid_of(runner: Runner) -> str:
    assert runner.assignment is not None
    return runner.assignment.execution.uid


async def run_of(world: World, runner: Runner) -> Execution:
    assert runner.assignment is not None
    return await world.get(runner.assignment.execution.name)


Holds = Callable[[Execution], bool]


async def reaches(world: World, runner: Runner, holds: Holds) -> Execution:
    async def held() -> Execution | None:
        execution = await run_of(world, runner)
        return execution if holds(execution) else None

    found: Execution = await until(held)
    return found


def is_woken(execution: Execution) -> bool:
    return execution.phase == "Queued" and execution.status.reason == "Woken"


def is_asleep(execution: Execution) -> bool:
    return execution.phase == "Waiting" and execution.is_hibernated


async def woken(world: World, runner: Runner) -> Execution:
    return await reaches(world, runner, is_woken)


async def resumed(world: World, runner_for: RunnerFor, runner: Runner, attempt: int = 2) -> Runner:
    """Start a run's next attempt, as the operator does once the run is in the queue."""
    again = await runner_for(await run_of(world, runner), attempt=attempt)
    assert again.assignment is not None
    assert again.assignment.resumed
    return again


async def dozing(runner: Runner, kind: Any, arguments: Any) -> Operation:
    """Do an operation that takes so long that the run gives its Pod back in it."""
    operation = runner.operation(kind, arguments)
    answer = await runner.ask(operation)
    assert answer.state == "hibernate"
    return operation


async def again(runner: Runner, operation: Operation) -> Answer:
    """Do an operation once more, in another attempt."""
    assert runner.assignment is not None
    return await runner.ask(dataclasses.replace(operation, attempt=runner.assignment.attempt))


async def test_a_run_that_sleeps_gives_its_pod_back_and_is_woken_when_its_time_has_come(
    world: World, server: Served, runner: Runner, runner_for: RunnerFor
) -> None:
    clock = Clock(server)
    server.runtime.poll_seconds = 0.5
    await runner.save(message="going to sleep")
    operation = await dozing(runner, "sleep", SleepArguments(seconds=3 * 3600))

    asleep = await run_of(world, runner)
    assert is_asleep(asleep)
    assert asleep.status.hibernations == 1
    assert [one.kind for one in asleep.status.waiting_for or []] == ["Time"]
    assert (await runner.control()).stop == "Gone"
    with pytest.raises(Refused, match="409 Fenced"):
        await runner.ask(operation)
    with pytest.raises(Refused, match="409 Fenced"):
        await runner.end()

    clock.ahead = timedelta(hours=3)
    shown = await woken(world, runner)
    assert shown.status.waiting_for is None
    assert shown.status.message == "going to sleep"
    after = await resumed(world, runner_for, runner)
    after.sequence = 1
    assert (
        await after.ask(after.operation("sleep", operation_arguments(operation)))
    ).state == "done"
    await after.end(outputs={"slept": True})
    assert (await run_of(world, runner)).status.outputs == {"slept": True}


def operation_arguments(operation: Operation) -> SleepArguments:
    return SleepArguments(**operation.arguments)


async def test_a_run_that_waits_for_a_child_is_woken_by_its_end_and_told_of_it(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    operation = await dozing(runner, "wait", WaitArguments(uids=[child.uid]))
    asleep = await run_of(world, runner)
    assert [one.name for one in asleep.status.waiting_for or []] == [child.name]
    await world.end(child.name, outputs={"said": "hello"})

    await woken(world, runner)
    answer = await again(await resumed(world, runner_for, runner), operation)
    assert [one.output_value for one in answer.executions] == [{"said": "hello"}]


async def test_a_failed_child_wakes_its_parent_which_sees_the_exception(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    operation = await dozing(runner, "wait", WaitArguments(uids=[child.uid]))
    below = await runner_for(await world.get(child.name))
    await below.end("error", reason="ScriptError", message="ValueError: no")

    await woken(world, runner)
    answer = await again(await resumed(world, runner_for, runner), operation)
    assert answer.error is not None
    assert answer.error.type == "DependencyFailedError"
    assert "ValueError: no" in answer.error.message


async def test_the_timeout_of_a_wait_passes_without_a_pod(
    world: World, server: Served, runner: Runner, runner_for: RunnerFor
) -> None:
    clock = Clock(server)
    server.runtime.poll_seconds = 0.5
    child = (await runner.child(flow="greet")).executions[0]
    operation = await dozing(runner, "wait", WaitArguments(uids=[child.uid], timeout=600))
    clock.ahead = timedelta(seconds=600)

    await woken(world, runner)
    answer = await again(await resumed(world, runner_for, runner), operation)
    assert answer.error is not None
    assert answer.error.type == "DependencyTimeoutError"


async def test_a_run_gets_a_lock_without_a_pod(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    other = await runner_for(await world.execution(script=SCRIPT))
    lock = AcquireArguments(name="only one")
    assert (await other.ask(other.operation("acquire", lock))).state == "done"
    operation = await dozing(runner, "acquire", lock)
    await other.end()

    await woken(world, runner)
    answer = await again(await resumed(world, runner_for, runner), operation)
    assert answer.state == "done"


async def test_a_run_gives_its_pod_back_more_than_once(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    children = [(await runner.child(flow="greet")).executions[0] for _ in range(2)]
    first = await dozing(runner, "wait", WaitArguments(uids=[children[0].uid]))
    await world.end(children[0].name)
    await woken(world, runner)
    second = await resumed(world, runner_for, runner)
    second.sequence = first.sequence
    operation = await dozing(second, "wait", WaitArguments(uids=[children[1].uid]))
    assert (await run_of(world, runner)).status.hibernations == 2
    await world.end(children[1].name)
    await woken(world, runner)
    third = await resumed(world, runner_for, runner, attempt=3)
    assert (await again(third, operation)).state == "done"
    await third.end()


async def test_a_paused_run_gives_its_pod_back_and_goes_on_when_it_is_resumed(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    operation = await dozing(runner, "pause", PauseArguments(uid=uid_of(runner)))
    paused = await run_of(world, runner)
    assert (paused.phase, paused.is_hibernated) == ("Paused", True)
    name = paused.metadata.name
    await world.desire(name, "Running")
    await world.status(name, phase="Waiting", pausedAt=None)  # as the operator does

    await woken(world, runner)
    assert (await again(await resumed(world, runner_for, runner), operation)).state == "done"
    assert (await run_of(world, runner)).spec.desired_state == "Running"


async def test_what_ends_while_a_sleeping_run_is_paused_is_there_when_it_is_resumed(
    world: World, runner: Runner, runner_for: RunnerFor
) -> None:
    child = (await runner.child(flow="greet")).executions[0]
    operation = await dozing(runner, "wait", WaitArguments(uids=[child.uid]))
    name = (await run_of(world, runner)).metadata.name
    await world.desire(name, "Paused")
    await world.status(name, phase="Paused", pausedAt="2026-01-01T00:00:00Z")
    await world.end(child.name)
    await world.desire(name, "Running")
    assert (await run_of(world, runner)).phase == "Paused"  # nobody woke it meanwhile
    await world.status(name, phase="Waiting", pausedAt=None)

    await woken(world, runner)
    assert (await again(await resumed(world, runner_for, runner), operation)).state == "done"


async def test_a_run_whose_wait_is_short_or_whose_flow_says_nothing_keeps_its_pod(
    world: World, server: Served, flow: None, runner_for: RunnerFor
) -> None:
    clock = Clock(server)
    server.runtime.poll_seconds = 0.5
    patient = await runner_for(await world.execution(flow="greet"))
    waiting = asyncio.create_task(
        patient.ask(patient.operation("sleep", SleepArguments(seconds=3600)))
    )
    await reaches(world, patient, lambda run: run.phase == "Waiting")
    clock.ahead = timedelta(seconds=3600)
    assert (await waiting).state == "done"
    assert (await run_of(world, patient)).status.hibernations is None
    quick = await runner_for(await world.execution(flow="dozes"))
    assert (await quick.ask(quick.operation("sleep", SleepArguments(seconds=0.3)))).state == "done"


async def test_a_run_whose_script_uses_threads_never_gives_its_pod_back(
    world: World, server: Served, runner: Runner
) -> None:
    clock = Clock(server)
    server.runtime.poll_seconds = 0.5
    asked = runner.operation("save", protocol.arguments.SaveArguments(message="hi"), thread=True)
    assert (await runner.ask(asked)).state == "done"
    assert (await run_of(world, runner)).status.resumable is False
    waiting = asyncio.create_task(
        runner.ask(runner.operation("sleep", SleepArguments(seconds=3600)))
    )
    await reaches(world, runner, lambda run: run.phase == "Waiting")
    clock.ahead = timedelta(seconds=3600)
    assert (await waiting).state == "done"


async def test_a_run_that_is_to_be_cancelled_keeps_its_pod_so_that_its_script_hears_of_it(
    world: World, runner: Runner
) -> None:
    waiting = asyncio.create_task(
        runner.ask(runner.operation("sleep", SleepArguments(seconds=3600)))
    )
    await reaches(world, runner, lambda run: run.status.start_time is not None)
    await world.desire((await run_of(world, runner)).metadata.name, "Cancelled")
    assert (await runner.control()).stop == "Cancelled"
    await runner.end("cancelled", reason="Cancelled")
    with pytest.raises(Refused, match="409"):
        await waiting
    assert (await run_of(world, runner)).phase == "Cancelled"


async def test_what_a_script_computes_once_is_not_interrupted(
    world: World, server: Served, runner: Runner
) -> None:
    """A run that is paused while it reports what it computed is held, but in its Pod."""
    server.runtime.poll_seconds = 0.5
    name = (await run_of(world, runner)).metadata.name
    await world.desire(name, "Paused")
    once = runner.operation("once", OnceArguments(name="f", step="done", value=1))
    held = asyncio.create_task(runner.ask(once))
    await reaches(world, runner, lambda run: run.phase == "Paused")
    clock = Clock(server)
    clock.ahead = timedelta(hours=1)
    await world.desire(name, "Running")
    assert (await held).state == "done"
    assert (await run_of(world, runner)).status.hibernations is None


async def test_the_operator_may_take_the_pod_of_any_run_that_waits(
    world: World, flow: None, runner_for: RunnerFor
) -> None:
    """Also of one whose Flow does not say so: another run needs the place."""
    runner = await runner_for(await world.execution(flow="greet"))
    child = (await runner.child(flow="greet")).executions[0]
    operation = runner.operation("wait", WaitArguments(uids=[child.uid]))
    waiting = asyncio.create_task(runner.ask(operation))
    shown = await reaches(world, runner, lambda run: run.phase == "Waiting")
    await world.status(shown.metadata.name, runner=None, hibernations=1)

    assert (await waiting).state == "hibernate"
    await world.end(child.name)
    await woken(world, runner)
    assert (await again(await resumed(world, runner_for, runner), operation)).state == "done"


async def test_a_wait_that_ends_in_the_instant_in_which_the_pod_is_taken_loses_nothing(
    world: World, server: Served, flow: None, runner_for: RunnerFor
) -> None:
    """Result and loss of the Pod in every order: the run goes on with the same answer."""
    for number in range(8):
        runner = await runner_for(await world.execution(flow="greet"))
        child = (await runner.child(flow="greet")).executions[0]
        operation = runner.operation("wait", WaitArguments(uids=[child.uid]))
        waiting = asyncio.create_task(runner.ask(operation))
        shown = await reaches(world, runner, lambda run: run.phase == "Waiting")
        name = shown.metadata.name
        ends = functools.partial(world.end, child.name, outputs={"n": number})
        taken = functools.partial(world.status, name, runner=None, hibernations=1)
        steps: list[Callable[[], Awaitable[Execution]]] = [ends, taken]
        if number % 2:
            steps.reverse()
        if number < 4:
            await asyncio.gather(*(step() for step in steps))
        else:
            for step in steps:
                await step()
        with_answer = (await asyncio.gather(waiting, return_exceptions=True))[0]
        if isinstance(with_answer, Answer):
            assert with_answer.state in ("done", "hibernate")
        else:  # it was answered, and asked once more without a Pod
            assert isinstance(with_answer, Refused)
        await woken(world, runner)
        answer = await again(await resumed(world, runner_for, runner), operation)
        assert [one.output_value for one in answer.executions] == [{"n": number}]


async def test_a_result_that_was_recorded_before_the_pod_was_taken_wakes_the_run_at_once(
    world: World, flow: None, runner_for: RunnerFor
) -> None:
    """The answer is under way to a Pod that is not the run's any more: the next one gets it."""
    runner = await runner_for(await world.execution(flow="greet"))
    child = (await runner.child(flow="greet")).executions[0]
    operation = runner.operation("wait", WaitArguments(uids=[child.uid]))
    waiting = asyncio.create_task(runner.ask(operation))
    shown = await reaches(world, runner, lambda run: run.phase == "Waiting")
    await world.end(child.name)
    assert (await waiting).state == "done"
    await world.status(shown.metadata.name, phase="Waiting", runner=None, hibernations=1)

    with pytest.raises(Refused, match="409 Fenced"):
        await runner.end()
    await woken(world, runner)
    assert (await again(await resumed(world, runner_for, runner), operation)).state == "done"


async def test_a_run_without_anything_to_wait_for_is_woken_at_once(
    world: World, flow: None, runner_for: RunnerFor
) -> None:
    """Such as one whose Pod was lost while it was paused, between two operations."""
    runner = await runner_for(await world.execution(flow="greet"))
    await runner.save(message="computing")
    name = (await run_of(world, runner)).metadata.name
    await world.status(name, phase="Waiting", runner=None)
    await woken(world, runner)


async def test_a_run_that_was_cut_in_the_midst_of_making_a_child_is_woken_and_makes_it(
    world: World, flow: None, runner_for: RunnerFor
) -> None:
    runner = await runner_for(await world.execution(flow="greet"))
    operation = runner.operation("child", ChildArguments(flow="greet"))
    name = (await run_of(world, runner)).metadata.name
    child = await runner.ask(operation)
    await world.status(name, phase="Waiting", runner=None)
    await woken(world, runner)
    again_made = await again(await resumed(world, runner_for, runner), operation)
    assert again_made.executions[0].uid == child.executions[0].uid


# Servers come and go


@pytest.fixture
async def authority(world: World) -> str:
    return await with_certificate(world)


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(cluster: Cluster, world: World, database_url: str, authority: str) -> Serve:
    """Start a server on the test's database; several may run on PostgreSQL."""
    settings = settings_for(world, database_url)

    @asynccontextmanager
    async def started(ahead: timedelta = timedelta()) -> AsyncIterator[Served]:
        own = settings.model_copy(update={"port": free_port(), "health_port": free_port()})
        async with serving(cluster, own, authority) as served:
            if ahead:
                Clock(served).ahead = ahead
            yield served

    return started


Connect = Callable[..., Awaitable[Runner]]


@pytest.fixture
async def connect(world: World) -> AsyncIterator[Connect]:
    runners: list[Runner] = []

    async def start(server: Served, execution: Execution, attempt: int = 1) -> Runner:
        _, token = await world.start(execution, attempt=attempt)
        runner = Runner(server.url, server.authority, token)
        runners.append(runner)
        await runner.assigned()
        return runner

    yield start
    for runner in runners:
        await runner.close()


async def test_a_sleep_of_three_hours_outlives_the_server(
    world: World, flow: None, serve: Serve, connect: Connect
) -> None:
    async with serve() as first:
        runner = await connect(first, await world.execution(flow="dozes"))
        operation = await dozing(runner, "sleep", SleepArguments(seconds=3 * 3600))
    async with serve() as second:
        assert is_asleep(await run_of(world, runner))
        waking = waking_of(second.program)
        await until(lambda: _listens(waking, uid_of(runner)))
        assert is_asleep(await run_of(world, runner))
    async with serve(ahead=timedelta(hours=3)) as third:
        await woken(world, runner)
        after = await connect(third, await run_of(world, runner), 2)
        assert (await again(after, operation)).state == "done"
        await after.end()


def waking_of(program: Program) -> Any:
    assert program.waking is not None
    return program.waking


async def _listens(waking: Any, uid: str) -> bool:
    return uid in waking and waking.is_idle


async def test_what_came_while_there_was_no_server_wakes_a_run(
    world: World, flow: None, serve: Serve, connect: Connect
) -> None:
    async with serve() as first:
        runner = await connect(first, await world.execution(flow="dozes"))
        child = (await runner.child(flow="greet")).executions[0]
        operation = await dozing(runner, "wait", WaitArguments(uids=[child.uid]))
    await world.end(child.name)
    async with serve() as second:
        await woken(world, runner)
        assert (
            await again(await connect(second, await run_of(world, runner), 2), operation)
        ).state == "done"


async def test_of_two_servers_any_wakes_a_run_and_it_is_woken_once(
    world: World, flow: None, serve: Serve, connect: Connect, database_url: str
) -> None:
    async with serve() as first, serve() as second:
        runners = [await connect(first, await world.execution(flow="dozes")) for _ in range(3)]
        children = [(await runner.child(flow="greet")).executions[0] for runner in runners]
        slept = await asyncio.gather(
            *(
                dozing(runner, "wait", WaitArguments(uids=[child.uid]))
                for runner, child in zip(runners, children, strict=True)
            )
        )
        await asyncio.gather(*(world.end(child.name) for child in children))
        for runner, operation in zip(runners, slept, strict=True):
            shown = await woken(world, runner)
            assert shown.status.hibernations == 1
            after = await connect(second, shown, 2)
            assert (await again(after, operation)).state == "done"
            await after.end()
            assert (await run_of(world, runner)).phase == "Succeeded"
