"""The journal: what scripts asked for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from weir.storage.tables import operations


@dataclass(frozen=True, slots=True)
class Record:
    """One operation. Without a result it is an intent: its effect may have happened, or not."""

    uid: str
    try_number: int
    sequence: int
    kind: str
    target: str  # what it is about; a resumed run must ask for the same
    digest: str  # of all it asked for
    line: int | None  # of the script
    deadline: float | None  # Unix time
    created: float  # Unix time
    result: str | None = None  # JSON
    effect_uid: str | None = None  # of the Execution that it created
    effect_name: str | None = None  # of the object that it creates
    arguments: str | None = None  # JSON, of what may be waited for without a Pod
    progress: str | None = None  # what of a several-step effect has been done


def begin(connection: Connection, intent: Record) -> tuple[Record, bool]:
    """Enter an intent. Returns it and True, or what the journal held before and False."""
    known = find(connection, intent.uid, intent.try_number, intent.sequence)
    if known is not None:
        return known, False
    connection.execute(operations.insert().values(**_columns(intent)))
    return intent, True


def find(connection: Connection, uid: str, try_number: int, sequence: int) -> Record | None:
    """Return one operation."""
    row = connection.execute(sa.select(operations).where(_key(uid, try_number, sequence)))
    return _record(row.one_or_none())


def finish(
    connection: Connection, record: Record, result: str, *, effect_uid: str | None = None
) -> str:
    """Enter the result and return what the journal holds: the first result stays."""
    key = _key(record.uid, record.try_number, record.sequence)
    change = (
        operations.update()
        .where(key, operations.c.result.is_(None))
        .values(result=result, effect_uid=effect_uid)
    )
    if connection.execute(change).rowcount:
        return result
    held = connection.execute(sa.select(operations.c.result).where(key)).scalar_one_or_none()
    return str(held) if held is not None else result


def advance(connection: Connection, record: Record, progress: str) -> None:
    """Note how far the effect of an operation has come."""
    key = _key(record.uid, record.try_number, record.sequence)
    connection.execute(operations.update().where(key).values(progress=progress))


def pending(connection: Connection, uid: str, try_number: int) -> Record | None:
    """Return the last operation of a try: what a run without a Pod waits in."""
    asked = (
        sa.select(operations)
        .where(operations.c.uid == uid, operations.c.try_number == try_number)
        .order_by(operations.c.sequence.desc())
        .limit(1)
    )
    return _record(connection.execute(asked).one_or_none())


def sequences(connection: Connection, uid: str, try_number: int) -> list[int]:
    """Return the numbers of a try's operations, ascending."""
    asked = (
        sa.select(operations.c.sequence)
        .where(operations.c.uid == uid, operations.c.try_number == try_number)
        .order_by(operations.c.sequence)
    )
    return list(connection.execute(asked).scalars())


def by_effect(connection: Connection, effect_uid: str) -> Record | None:
    """Return the operation that created an Execution."""
    asked = sa.select(operations).where(operations.c.effect_uid == effect_uid).limit(1)
    return _record(connection.execute(asked).one_or_none())


def _key(uid: str, try_number: int, sequence: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        operations.c.uid == uid,
        operations.c.try_number == try_number,
        operations.c.sequence == sequence,
    )


def _record(row: sa.Row[Any] | None) -> Record | None:
    if row is None:
        return None
    return Record(**{name: getattr(row, name) for name in Record.__slots__})


def _columns(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in Record.__slots__}
