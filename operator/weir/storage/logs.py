"""The logs of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from weir.storage.tables import attempts, logs


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log. (after, index) is its key within a try."""

    after: int  # sequence of the last operation before it
    index: int
    time: float  # Unix time
    stream: str
    text: str
    data: str | None = None  # JSON
    try_number: int = 1
    cursor: int = 0  # its place among all lines, once stored


def append(
    connection: Connection, uid: str, try_number: int, lines: Sequence[Line], limit: int
) -> int:
    """Add lines, leaving out those whose key is there already, and all beyond `limit` bytes of a
    try. Returns how many were added.
    """
    size = sum(len(line.text) + len(line.data or "") for line in lines)
    if not lines:
        return 0
    counted = (
        attempts.update()
        .where(attempts.c.uid == uid, attempts.c.log_bytes < limit)
        .values(log_bytes=attempts.c.log_bytes + size)
    )
    if not connection.execute(counted).rowcount:
        return 0
    rows = [
        {
            "uid": uid,
            "try_number": try_number,
            "after": line.after,
            "line_index": line.index,
            "time": line.time,
            "stream": line.stream,
            "text": line.text,
            "data": line.data,
        }
        for line in lines
    ]
    insert = (
        postgresql.insert(logs) if connection.dialect.name == "postgresql" else sqlite.insert(logs)
    )
    return connection.execute(insert.on_conflict_do_nothing(), rows).rowcount


def read(connection: Connection, uid: str, *, after: int = 0, limit: int = 1000) -> list[Line]:
    """Return the lines that follow the cursor `after`, in the order in which they arrived."""
    asked = (
        sa.select(logs).where(logs.c.uid == uid, logs.c.id > after).order_by(logs.c.id).limit(limit)
    )
    return [_line(row) for row in connection.execute(asked)]


def _line(row: sa.Row[Any]) -> Line:
    return Line(
        after=row.after,
        index=row.line_index,
        time=row.time,
        stream=row.stream,
        text=row.text,
        data=row.data,
        try_number=row.try_number,
        cursor=row.id,
    )
