"""Locks over a real API server: two runs that race, and every way in which a holder ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import Connection

import weir_protocol as protocol
from tests.cluster.apiserver import ApiServer
from tests.integration.server.conftest import (
    RunnerFor,
    Served,
    settings_for,
    with_certificate,
)
from tests.integration.server.processes import running
from tests.integration.server.worlds import Runner, World, until
from weir.api.setting import Setting
from weir.cluster.kinds import SETTINGS
from weir.storage.tables import operations
from weir_protocol.arguments import (
    AcquireArguments,
    DeleteRecordArguments,
    GetRecordArguments,
    ReleaseArguments,
    SaveRecordArguments,
)

Asked = asyncio.Task[protocol.Answer]


async def acquire(runner: Runner, name: str = "printer", timeout: float | None = None) -> Asked:
    """Ask for a lock and return the answer to come."""
    operation = runner.operation("acquire", AcquireArguments(name=name, timeout=timeout))
    return asyncio.create_task(runner.ask(operation))


async def release(runner: Runner, name: str = "printer") -> protocol.Answer:
    return await runner.ask(runner.operation("release", ReleaseArguments(name=name)))


async def setting(world: World, name: str = "printer") -> Setting:
    return Setting.model_validate(await world.cluster.get(SETTINGS, world.namespace, name))


async def holder(world: World, name: str = "printer") -> str | None:
    holding = (await setting(world, name)).status.holder
    return holding.execution if holding else None


async def waits(server: Served, *runners: Runner, name: str = "printer") -> None:
    """Wait until these stand in line for a lock, and the server has looked at it for them."""

    async def in_line() -> bool:
        uids = {one.assignment.execution.uid for one in runners if one.assignment}
        waiting = server.runtime.executions.topics._waiting
        return f"lock/{next(iter(runners)).assignment.namespace}/{name}" in waiting and (  # type: ignore[union-attr]
            uids <= waiting.keys()
        )

    await until(in_line)


@pytest.fixture
async def runner(world: World, runner_for: RunnerFor) -> Callable[[], Awaitable[Runner]]:
    """Start a run of a script."""

    async def start() -> Runner:
        return await runner_for(await world.execution(script="# driven by the test"))

    return start


Start = Callable[[], Awaitable[Runner]]


async def test_a_free_lock_is_taken_at_once_and_names_its_holder(
    world: World, runner: Start
) -> None:
    one = await runner()
    answer = await (await acquire(one, "The Printer"))
    assert answer.state == "done"
    made = await setting(world, "the-printer")
    assert made.spec.title == "The Printer"
    assert made.status.holder is not None
    assert one.assignment is not None
    assert made.status.holder.uid == one.assignment.execution.uid
    assert made.status.since is not None


async def test_of_two_that_race_one_gets_it_and_the_other_after_it(
    world: World, runner: Start
) -> None:
    runners = [await runner(), await runner()]
    asked = {await acquire(one): one for one in runners}
    done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    first = asked[next(iter(done))]
    assert first.assignment is not None
    assert await holder(world) == first.assignment.execution.name
    await release(first)
    second = next(iter(waiting))
    assert (await second).state == "done"
    assert await holder(world) == asked[second].assignment.execution.name  # type: ignore[union-attr]


async def test_many_that_race_have_it_one_after_the_other(runner: Start) -> None:
    inside: list[int] = []
    most = 0

    async def one_of_many(number: int) -> None:
        nonlocal most
        one = await runner()
        for _ in range(2):
            assert (await (await acquire(one))).state == "done"
            inside.append(number)
            most = max(most, len(inside))
            await one.save(message="has it")
            inside.remove(number)
            await release(one)

    await asyncio.gather(*(one_of_many(number) for number in range(6)))
    assert most == 1


async def test_who_came_first_gets_it_first(server: Served, runner: Start) -> None:
    holding = await runner()
    await (await acquire(holding))
    order: list[int] = []

    async def in_turn(number: int, one: Runner, asked: Asked) -> None:
        await asked
        order.append(number)
        await release(one)

    tasks = []
    for number in range(4):
        one = await runner()
        asked = await acquire(one)
        await waits(server, one)
        tasks.append(asyncio.create_task(in_turn(number, one, asked)))
    await release(holding)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3]


@pytest.mark.parametrize("end", ["Succeeded", "Failed", "Cancelled", "deleted", "its next try"])
async def test_a_lock_is_free_when_its_holder_has_ended_however(
    world: World, server: Served, runner: Start, end: str
) -> None:
    first, second = await runner(), await runner()
    await (await acquire(first))
    waiting = await acquire(second)
    await waits(server, second)
    assert not waiting.done()
    assert first.assignment is not None
    name = first.assignment.execution.name
    if end == "deleted":
        await world.delete(name)
    elif end == "its next try":
        await world.status(name, phase="Queued", **{"try": 2}, runner=None)
    else:
        await world.end(name, end)
    assert (await waiting).state == "done"


async def test_who_has_it_may_take_it_again(runner: Start) -> None:
    one = await runner()
    await (await acquire(one))
    assert (await (await acquire(one, timeout=0))).state == "done"


async def test_a_timeout_says_who_has_it(runner: Start) -> None:
    first, second = await runner(), await runner()
    await (await acquire(first))
    for timeout in (0, 0.3):
        answer = await (await acquire(second, timeout=timeout))
        assert answer.error is not None
        assert answer.error.type == "LockTimeoutError"
        assert first.assignment is not None
        assert f"held by execution {first.assignment.execution.name}" in answer.error.message


async def test_waiting_shows_what_it_is_for(world: World, server: Served, runner: Start) -> None:
    first, second = await runner(), await runner()
    await (await acquire(first))
    waiting = await acquire(second)
    assert second.assignment is not None
    name = second.assignment.execution.name

    async def shown() -> bool:
        execution = await world.get(name)
        return execution.phase == "Waiting"

    await until(shown)
    (waited,) = (await world.get(name)).status.waiting_for or []
    assert (waited.kind, waited.name) == ("Lock", "printer")
    await release(first)
    await waiting


async def test_a_lock_of_another_tree_is_not_freed(world: World, runner: Start) -> None:
    first, second = await runner(), await runner()
    await (await acquire(first))
    answer = await release(second)
    assert answer.error is not None
    assert answer.error.type == "PermissionDenied"
    gone = second.operation("delete_record", DeleteRecordArguments(kind="setting", name="printer"))
    answer = await second.ask(gone)
    assert answer.error is not None
    assert answer.error.type == "PermissionDenied"
    assert first.assignment is not None
    assert await holder(world) == first.assignment.execution.name


async def test_a_run_of_the_same_tree_may_free_a_lock(
    world: World, runner: Start, runner_for: RunnerFor
) -> None:
    parent = await runner()
    made = await parent.child(script="# a child")
    child = await runner_for(await world.get(made.executions[0].name))
    await (await acquire(parent))
    assert (await release(child)).state == "done"
    assert await holder(world) is None
    assert (await release(child)).state == "done"


async def test_a_release_asked_for_again_does_not_free_what_was_taken_since(
    world: World, server: Served, runner: Start, runner_for: RunnerFor
) -> None:
    parent = await runner()
    made = await parent.child(script="# a child")
    child = await runner_for(await world.get(made.executions[0].name))
    await (await acquire(parent))
    freed = parent.operation("release", ReleaseArguments(name="printer"))
    await parent.ask(freed)
    await (await acquire(child))
    # As if the server had died after the effect and before the record of it.

    def forget(sql: Connection) -> None:
        change = operations.update().where(
            operations.c.uid == freed.uid, operations.c.sequence == freed.sequence
        )
        sql.execute(change.values(result=None))

    await server.runtime.database.write(forget)
    assert (await parent.ask(freed)).state == "done"
    assert child.assignment is not None
    assert await holder(world) == child.assignment.execution.name


async def test_a_repeated_request_that_comes_late_does_not_take_the_lock_again(
    world: World, server: Served, runner: Start
) -> None:
    first, second = await runner(), await runner()
    await (await acquire(first))
    operation = second.operation("acquire", AcquireArguments(name="printer"))
    # Two requests of one operation, as after a broken connection: both wait in the server.
    both = [asyncio.create_task(second.ask(operation)) for _ in range(2)]
    await waits(server, second)
    await release(first)
    await asyncio.gather(*both)
    await release(second)
    assert await holder(world) is None


async def test_a_resumed_run_still_has_its_lock(
    world: World, runner: Start, runner_for: RunnerFor
) -> None:
    first = await runner()
    await (await acquire(first))
    assert first.assignment is not None
    execution = await world.get(first.assignment.execution.name)
    again = await runner_for(execution, attempt=2)
    assert (await (await acquire(again))).state == "done"
    assert again.sequence == 1
    assert await holder(world) == execution.metadata.name
    assert (await release(again)).state == "done"


async def test_a_wait_goes_on_at_a_server_that_was_started_anew(
    world: World, api_server: ApiServer, database_url: str, tmp_path: Path
) -> None:
    settings, authority = settings_for(world, database_url), await with_certificate(world)
    kubeconfig, log = api_server.kubeconfig, tmp_path / "log"
    runners = []
    async with running(settings, kubeconfig, log) as first_server:
        for _ in range(2):
            execution = await world.execution(script="# driven by the test")
            _, token = await world.start(execution)
            runners.append(Runner(f"https://127.0.0.1:{settings.port}", authority, token))
            await runners[-1].assigned()
        first, second = runners
        await (await acquire(first))
        operation = second.operation("acquire", AcquireArguments(name="printer"))
        waiting = asyncio.create_task(second.ask(operation))
        assert second.assignment is not None
        name = second.assignment.execution.name

        async def shown() -> bool:
            return (await world.get(name)).phase == "Waiting"

        await until(shown)
        await first_server.kill()
        with pytest.raises(httpx.TransportError):
            await waiting
    async with running(settings, kubeconfig, log) as second_server:
        waiting = asyncio.create_task(second.ask(operation))
        assert (await release(first)).state == "done"
        assert (await waiting).state == "done"
        assert await holder(world) == name
        for one in runners:
            await one.close()
        assert await second_server.terminate() == 0


async def test_a_lock_shows_in_the_setting_that_it_is(runner: Start) -> None:
    one = await runner()
    await (await acquire(one))
    asked = one.operation("get_record", GetRecordArguments(kind="setting", name="printer"))
    assert one.assignment is not None
    assert (await one.ask(asked)).value["locked_by"] == one.assignment.execution.name


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_runs_at_two_servers_have_a_lock_one_after_the_other(
    world: World, api_server: ApiServer, database_url: str, tmp_path: Path
) -> None:
    authority = await with_certificate(world)
    settings = [settings_for(world, database_url) for _ in range(2)]
    inside: list[str] = []
    most = 0

    async def counts(port: int) -> None:
        nonlocal most
        execution = await world.execution(script="# driven by the test")
        _, token = await world.start(execution)
        one = Runner(f"https://127.0.0.1:{port}", authority, token)
        await one.assigned()
        for _ in range(3):
            assert (await (await acquire(one))).state == "done"
            inside.append(execution.metadata.name)
            most = max(most, len(inside))
            read = GetRecordArguments(kind="setting", name="printer")
            value = (await one.ask(one.operation("get_record", read))).value["value"] or 0
            save = SaveRecordArguments(kind="setting", name="printer", fields={"value": value + 1})
            assert (await one.ask(one.operation("save_record", save))).state == "done"
            inside.remove(execution.metadata.name)
            await release(one)
        await one.close()

    async with (
        running(settings[0], api_server.kubeconfig, tmp_path / "first"),
        running(settings[1], api_server.kubeconfig, tmp_path / "second"),
    ):
        await asyncio.gather(*(counts(settings[number % 2].port) for number in range(6)))
    assert most == 1
    assert (await setting(world)).spec.value == 18
