"""What is kept, and for how long."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.engine import Connection

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, World, until
from weir.server.retention import Retention
from weir.storage import archive, logs
from weir.storage.archive import Archived
from weir.storage.errors import StorageUnavailable

# Whichever the database is, the code that is tried here is the same.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ENDED = datetime(2026, 1, 1, tzinfo=UTC)  # when `World.end` says that things ended


def at(server: Served, moment: datetime) -> Retention:
    server.runtime.now = lambda: moment
    return Retention(server.runtime)


async def settled(server: Served, world: World, ended: int) -> None:
    """Wait until the server has seen so many ended Executions."""

    async def seen() -> bool:
        return sum(one.phase.is_final for one in server.runtime.executions) == ended

    await until(seen)


async def test_a_tree_goes_as_one_when_the_last_of_it_has_been_kept_long_enough(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    await world.flow("greet", ttlAfterFinished="1h")
    root = await world.execution(flow="greet")
    runner = await runner_for(root)
    child = (await runner.child(flow="greet")).executions[0]
    await runner.log("hello")
    await world.end(root.metadata.name)
    await settled(server, world, 1)
    assert await at(server, ENDED + timedelta(days=9)).sweep() == 0  # the child still runs
    await world.end(child.name)
    await settled(server, world, 2)
    assert await at(server, ENDED + timedelta(minutes=59)).sweep() == 0
    assert await at(server, ENDED + timedelta(minutes=61)).sweep() == 1
    # Descendants are the garbage collector's, which these tests do not run.
    assert [one.metadata.name for one in await world.executions()] == [child.name]
    database = server.runtime.database
    for uid in (root.uid, child.uid):
        row = await database.read(partial(_archived, uid))
        assert row is not None
        assert (row.root_uid, row.phase) == (root.uid, "Succeeded")
    assert len(await database.read(lambda sql: logs.read(sql, root.uid))) == 1
    # The archive's own time.
    await world.delete(child.name)

    async def gone() -> bool:
        return len(server.runtime.executions) == 0

    await until(gone)
    assert await at(server, ENDED + timedelta(days=14)).purge() == 0
    assert await at(server, ENDED + timedelta(days=15)).purge() == 2
    assert await database.read(lambda sql: logs.read(sql, root.uid)) == []
    assert await database.read(lambda sql: archive.get(sql, root.uid)) is None


def _archived(uid: str, sql: Connection) -> Archived | None:
    return archive.get(sql, uid)


async def test_the_oldest_trees_go_when_there_are_too_many(world: World, server: Served) -> None:
    server.settings.max_ended_trees = 2
    names = [(await world.execution(script=SCRIPT)).metadata.name for _ in range(4)]
    for hour, name in enumerate(names):
        await world.status(name, phase="Starting")
        await world.status(name, phase="Succeeded", completionTime=f"2026-01-01T0{hour}:00:00Z")
    await settled(server, world, 4)
    assert await at(server, ENDED + timedelta(hours=4)).sweep() == 2
    assert sorted(one.metadata.name for one in await world.executions()) == sorted(names[2:])


async def test_nothing_is_deleted_that_is_not_archived(
    world: World, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = await world.execution(script=SCRIPT)
    await world.end(execution.metadata.name)
    await settled(server, world, 1)

    def refuse(*_: object) -> None:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(archive, "put", refuse)
    with pytest.raises(StorageUnavailable):
        await at(server, ENDED + timedelta(days=9)).sweep()
    assert (await world.get(execution.metadata.name)).phase == "Succeeded"


async def test_runs_deleted_by_people_are_forgotten_too(
    world: World, server: Served, runner_for: RunnerFor
) -> None:
    execution = await world.execution(script=SCRIPT)
    runner = await runner_for(execution)
    await runner.log("hello")
    await world.delete(execution.metadata.name)

    async def gone() -> bool:
        return server.runtime.executions.get(execution.uid) is None

    await until(gone)
    assert await at(server, datetime.now(UTC) + timedelta(days=13)).purge() == 0
    assert await at(server, datetime.now(UTC) + timedelta(days=15)).purge() == 1
    database = server.runtime.database
    assert await database.read(lambda sql: logs.read(sql, execution.uid)) == []
