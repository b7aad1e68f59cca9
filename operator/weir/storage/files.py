"""Files of scripts: free names, unique in a namespace."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from weir.storage.tables import files


@dataclass(frozen=True, slots=True)
class File:
    """A file without its content. Times are Unix seconds."""

    name: str
    bytes: int
    digest: str  # sha256, in hex
    created: float
    modified: float


def put(connection: Connection, namespace: str, name: str, data: bytes, now: float) -> File:
    """Create or overwrite a file; the moment of its creation stays."""
    insert = (
        postgresql.insert(files)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(files)
    )
    digest = hashlib.sha256(data).hexdigest()
    content = {"digest": digest, "bytes": len(data), "data": data, "modified": now}
    connection.execute(
        insert.values(namespace=namespace, name=name, created=now, **content).on_conflict_do_update(
            index_elements=[files.c.namespace, files.c.name], set_=content
        )
    )
    found = find(connection, namespace, name)
    assert found is not None
    return found


def find(connection: Connection, namespace: str, name: str) -> File | None:
    """Return a file."""
    row = connection.execute(sa.select(*_FACTS).where(_key(namespace, name))).one_or_none()
    return File(*row) if row is not None else None


def content(connection: Connection, namespace: str, name: str) -> bytes | None:
    """Return a file's content."""
    asked = sa.select(files.c.data).where(_key(namespace, name))
    return connection.execute(asked).scalar_one_or_none()


def delete(connection: Connection, namespace: str, name: str) -> bool:
    """Delete a file. False: there is none."""
    return bool(connection.execute(files.delete().where(_key(namespace, name))).rowcount)


def listed(connection: Connection, namespace: str) -> list[File]:
    """Return the files of a namespace, by name."""
    asked = sa.select(*_FACTS).where(files.c.namespace == namespace).order_by(files.c.name)
    return [File(*row) for row in connection.execute(asked)]


_FACTS = (files.c.name, files.c.bytes, files.c.digest, files.c.created, files.c.modified)


def _key(namespace: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(files.c.namespace == namespace, files.c.name == name)
