"""SQLite and PostgreSQL, for real: both do the same."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from weir.storage import archive, attempts, files, logs, migrating, operations, values
from weir.storage.archive import Archived
from weir.storage.attempts import Attempt
from weir.storage.database import Database
from weir.storage.errors import Fenced, StorageError, StorageUnavailable
from weir.storage.logs import Line
from weir.storage.operations import Record
from weir.storage.tables import metadata
from weir.storage.values import Value

FIRST = Attempt("u", "team", "run", 1, 1, "pod-1", 100.0)
SECOND = dataclasses.replace(FIRST, attempt=2, pod_uid="pod-2", assigned=200.0)
INTENT = Record("u", 1, 1, "child", "flow a", "digest", 3, 9.5, 1.0)


async def test_the_migrations_make_the_tables_up_and_down(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    try:
        migrating.upgrade(engine)
        migrating.upgrade(engine)  # nothing more to do
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrating.downgrade(engine, "base")
        assert sa.inspect(engine).get_table_names() == ["alembic_version"]
        migrating.upgrade(engine)
    finally:
        engine.dispose()


async def test_a_database_keeps_its_identity(database_url: str) -> None:
    seen = set()
    for _ in range(2):
        database = Database(database_url)
        await database.start()
        seen.add(database.identity)
        await database.close()
    assert len(seen) == 1


async def test_servers_that_start_together_agree(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    await asyncio.gather(*(database.start() for database in databases))
    assert len({database.identity for database in databases}) == 1
    for database in databases:
        await database.close()


async def test_sqlite_keeps_what_it_has_acknowledged(database: Database) -> None:
    if not str(database._url).startswith("sqlite"):
        return

    def pragmas(sql: Connection) -> list[object]:
        asked = ("journal_mode", "synchronous", "busy_timeout")
        return [sql.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]

    assert await database.write(pragmas) == ["wal", 2, 10_000]


async def test_a_newer_attempt_fences_the_older(database: Database) -> None:
    assert await database.write(lambda sql: attempts.begin(sql, FIRST)) is None
    again = dataclasses.replace(FIRST, assigned=150.0)
    assert await database.write(lambda sql: attempts.begin(sql, again)) == FIRST
    await database.write(lambda sql: attempts.check(sql, FIRST))
    assert await database.write(lambda sql: attempts.begin(sql, SECOND)) == FIRST
    works: list[Callable[[Connection, Attempt], object]] = [
        attempts.check,
        attempts.check_only,
        attempts.begin,
    ]
    for work in works:
        with pytest.raises(Fenced):
            await database.write(partial(_with, work, FIRST))
    foreign = dataclasses.replace(SECOND, pod_uid="pod-3")
    with pytest.raises(Fenced):
        await database.write(lambda sql: attempts.begin(sql, foreign))
    new_try = dataclasses.replace(FIRST, try_number=2, pod_uid="pod-4")
    assert await database.write(lambda sql: attempts.begin(sql, new_try)) == SECOND


def _with(
    work: Callable[[Connection, Attempt], object], attempt: Attempt, sql: Connection
) -> object:
    return work(sql, attempt)


async def test_an_unknown_attempt_is_entered(database: Database) -> None:
    await database.read(lambda sql: attempts.check_only(sql, SECOND))
    await database.write(lambda sql: attempts.check(sql, SECOND))
    assert await database.read(lambda sql: attempts.find(sql, "u")) == SECOND


async def test_the_first_result_of_an_operation_stays(database: Database) -> None:
    assert await database.write(lambda sql: operations.begin(sql, INTENT)) == (INTENT, True)
    other = dataclasses.replace(INTENT, target="flow b", deadline=77.0)
    assert await database.write(lambda sql: operations.begin(sql, other)) == (INTENT, False)

    def finish(text: str, sql: Connection) -> str:
        return operations.finish(sql, INTENT, text, effect_uid="child")

    results = await asyncio.gather(
        *(database.write(partial(finish, text)) for text in ("one", "two", "three"))
    )
    assert len(set(results)) == 1
    found = await database.read(lambda sql: operations.by_effect(sql, "child"))
    assert found is not None
    assert found.result == results[0]
    assert await database.read(lambda sql: operations.sequences(sql, "u", 1)) == [1]


async def test_a_line_is_kept_once_and_lines_are_read_in_portions(database: Database) -> None:
    await database.write(lambda sql: attempts.begin(sql, FIRST))
    lines = [Line(0, index, 1.5, "log", f"line {index}") for index in range(5)]

    def append(sql: Connection, some: list[Line], try_number: int = 1) -> int:
        return logs.append(sql, "u", try_number, some, 10_000)

    await database.write(lambda sql: append(sql, lines[:3]))
    await database.write(lambda sql: append(sql, lines))
    await database.write(lambda sql: append(sql, lines[:1], try_number=2))
    first = await database.read(lambda sql: logs.read(sql, "u", limit=4))
    rest = await database.read(lambda sql: logs.read(sql, "u", after=first[-1].cursor))
    assert [one.text for one in (*first, *rest)] == [*(f"line {n}" for n in range(5)), "line 0"]
    assert [one.try_number for one in rest] == [1, 2]


async def test_values_come_back_as_they_were(database: Database) -> None:
    value = Value.of(b'{"a":"\xc3\xa4"}' * 100_000)
    for _ in range(2):
        await database.write(lambda sql: values.put(sql, "u", value, 1.0))
    assert await database.read(lambda sql: values.get(sql, "u", value.digest)) == value.data
    assert await database.read(lambda sql: values.get(sql, "other", value.digest)) is None


def row(uid: str, **changed: object) -> Archived:
    fields = {
        "namespace": "team", "name": "run", "root_uid": "root", "parent_uid": None, "flow": "f",
        "title": "t", "mode": "Productive", "phase": "Failed", "reason": None, "created": 1.0,
        "started": None, "ended": 2.0, "archived": 3.0, "object": "{}",
    }  # fmt: skip
    return Archived(uid=uid, **(fields | changed))  # type: ignore[arg-type]


async def test_the_archive_finds_what_it_keeps_and_forgets_all_of_it(database: Database) -> None:
    rows = [
        row("old", ended=1.0),
        row("new", ended=9.0, archived=50.0),
        row("child", name="child", parent_uid="new", archived=50.0),
    ]
    await database.write(lambda sql: archive.put(sql, rows))
    await database.write(lambda sql: archive.put(sql, [row("old", phase="Succeeded")]))
    await database.write(lambda sql: attempts.begin(sql, dataclasses.replace(FIRST, uid="old")))
    await database.write(
        lambda sql: logs.append(sql, "old", 1, [Line(0, 0, 1.0, "log", "x")], 1000)
    )
    assert await database.read(lambda sql: archive.get(sql, "old")) == rows[0]
    assert await database.read(lambda sql: archive.newest(sql, "team", "run")) == rows[1]
    assert await database.read(lambda sql: archive.children(sql, "new")) == [rows[2]]
    assert await database.read(lambda sql: archive.known(sql, ["old", "x"])) == {"old"}
    expired = await database.read(lambda sql: archive.expired(sql, 10.0))
    assert expired == ["old"]
    await database.write(lambda sql: archive.purge(sql, expired))
    assert await database.read(lambda sql: archive.get(sql, "old")) is None
    assert await database.read(lambda sql: logs.read(sql, "old")) == []
    assert await database.read(lambda sql: attempts.find(sql, "old")) is None
    assert await database.read(lambda sql: archive.get(sql, "new")) == rows[1]


async def test_writes_that_wait_share_a_commit(database: Database) -> None:
    before = database.commits

    def begin(number: int, sql: Connection) -> None:
        operations.begin(sql, dataclasses.replace(INTENT, sequence=number))

    await asyncio.gather(*(database.write(partial(begin, n)) for n in range(1, 101)))
    assert database.commits - before < 50
    numbers = await database.read(lambda sql: operations.sequences(sql, "u", 1))
    assert numbers == list(range(1, 101))


async def test_what_fails_undoes_itself_and_nothing_else(database: Database) -> None:
    def one(number: int) -> object:
        def work(sql: Connection) -> None:
            operations.begin(sql, dataclasses.replace(INTENT, sequence=number))
            if number == 3:
                raise Fenced("no")
            if number == 5:
                sql.exec_driver_sql("SELECT nonsense FROM nowhere")

        return work

    said = await asyncio.gather(
        *(database.write(one(number)) for number in range(1, 9)),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    assert isinstance(said[2], Fenced)
    assert isinstance(said[4], StorageError)
    assert [at for at, one in enumerate(said, start=1) if one is None] == [1, 2, 4, 6, 7, 8]
    numbers = await database.read(lambda sql: operations.sequences(sql, "u", 1))
    assert numbers == [1, 2, 4, 6, 7, 8]


async def test_a_write_that_nobody_waits_for_any_more_does_no_harm(database: Database) -> None:
    tasks = [
        asyncio.create_task(database.write(lambda sql: operations.sequences(sql, "u", 1)))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await database.write(lambda sql: operations.sequences(sql, "u", 1)) == []


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable):
        await database.start()
    await database.close()


async def test_a_file_is_overwritten_and_keeps_the_moment_of_its_creation(
    database: Database,
) -> None:
    def put(name: str, data: bytes, now: float) -> Callable[[Connection], files.File]:
        return lambda sql: files.put(sql, "team", name, data, now)

    await database.write(put("b/ü.txt", b"one", 1.0))
    made = await database.write(put("b/ü.txt", b"\x00two", 2.0))
    assert (made.bytes, made.created, made.modified) == (4, 1.0, 2.0)
    await database.write(put("a.txt", b"", 3.0))
    assert await database.read(lambda sql: files.content(sql, "team", "b/ü.txt")) == b"\x00two"
    listed = await database.read(lambda sql: files.listed(sql, "team"))
    assert [one.name for one in listed] == ["a.txt", "b/ü.txt"]


async def test_files_of_namespaces_are_apart(database: Database) -> None:
    await database.write(lambda sql: files.put(sql, "team", "x", b"ours", 1.0))
    assert await database.read(lambda sql: files.find(sql, "other", "x")) is None
    assert not await database.write(lambda sql: files.delete(sql, "other", "x"))
    assert await database.write(lambda sql: files.delete(sql, "team", "x"))
    assert await database.read(lambda sql: files.content(sql, "team", "x")) is None
