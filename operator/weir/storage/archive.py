"""Ended Executions whose objects may be gone: their rows, and the end of their time here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from weir.storage.tables import archive, attempts, logs, operations, values

# Databases limit the parameters of one statement; rows are deleted in portions.
_PORTION = 200


@dataclass(frozen=True, slots=True)
class Archived:
    """An ended Execution. Times are Unix seconds; `object` is its JSON as the API had it."""

    uid: str
    namespace: str
    name: str
    root_uid: str
    parent_uid: str | None
    flow: str | None
    title: str | None
    mode: str
    phase: str
    reason: str | None
    created: float | None
    started: float | None
    ended: float | None
    archived: float
    object: str


def put(connection: Connection, rows: Iterable[Archived]) -> None:
    """Keep Executions; one that is kept already is left as it is."""
    insert = (
        postgresql.insert(archive)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(archive)
    )
    columns = [{name: getattr(row, name) for name in Archived.__slots__} for row in rows]
    if columns:
        connection.execute(insert.on_conflict_do_nothing(), columns)


def get(connection: Connection, uid: str) -> Archived | None:
    """Return one Execution by its UID."""
    return _archived(connection.execute(sa.select(archive).where(archive.c.uid == uid)).first())


def newest(connection: Connection, namespace: str, name: str) -> Archived | None:
    """Return the Execution of that name that ended last."""
    asked = (
        sa.select(archive)
        .where(archive.c.namespace == namespace, archive.c.name == name)
        .order_by(archive.c.ended.desc())
        .limit(1)
    )
    return _archived(connection.execute(asked).first())


def children(connection: Connection, parent_uid: str) -> list[Archived]:
    """Return the archived children of an Execution, oldest first."""
    asked = sa.select(archive).where(archive.c.parent_uid == parent_uid).order_by(archive.c.created)
    return [_made(row) for row in connection.execute(asked)]


def expired(connection: Connection, before: float) -> list[str]:
    """Return the UIDs of Executions archived before that moment."""
    asked = sa.select(archive.c.uid).where(archive.c.archived < before)
    return list(connection.execute(asked).scalars())


def known(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Return those of the UIDs that are archived."""
    found: set[str] = set()
    for start in range(0, len(uids), _PORTION):
        portion = uids[start : start + _PORTION]
        found.update(
            connection.execute(sa.select(archive.c.uid).where(archive.c.uid.in_(portion))).scalars()
        )
    return found


def purge(connection: Connection, uids: Sequence[str]) -> None:
    """Forget everything about Executions: rows, logs, values and journals."""
    for start in range(0, len(uids), _PORTION):
        portion = uids[start : start + _PORTION]
        for table in (logs, values, operations, attempts, archive):
            connection.execute(table.delete().where(table.c.uid.in_(portion)))


def _archived(row: sa.Row[Any] | None) -> Archived | None:
    return None if row is None else _made(row)


def _made(row: sa.Row[Any]) -> Archived:
    return Archived(**{name: getattr(row, name) for name in Archived.__slots__})
