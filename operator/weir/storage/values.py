"""Inputs and outputs that are too large for an object of Kubernetes, or not for every eye."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from weir.storage.tables import values


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON text and its sha256."""

    digest: str
    data: bytes

    @classmethod
    def of(cls, data: bytes) -> Value:
        """Return the value of a JSON text."""
        return cls(hashlib.sha256(data).hexdigest(), data)


def put(connection: Connection, uid: str, value: Value, now: float) -> None:
    """Keep a value of an Execution; the same one twice is kept once."""
    insert = (
        postgresql.insert(values)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(values)
    )
    connection.execute(
        insert.values(
            uid=uid, digest=value.digest, bytes=len(value.data), data=value.data, created=now
        ).on_conflict_do_nothing()
    )


def get(connection: Connection, uid: str, digest: str) -> bytes | None:
    """Return the JSON text of an Execution's value."""
    asked = sa.select(values.c.data).where(values.c.uid == uid, values.c.digest == digest)
    return connection.execute(asked).scalar_one_or_none()
