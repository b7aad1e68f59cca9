"""The database's UUID: an Execution's status names it, so that a lost or swapped one is noticed."""

import uuid

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from weir.storage.tables import meta

_KEY = "uuid"


def ensure(connection: Connection) -> str:
    """Return the UUID, made when the database is new."""
    asked = sa.select(meta.c.value).where(meta.c.key == _KEY)
    found = connection.execute(asked).scalar_one_or_none()
    if found is None:
        found = str(uuid.uuid4())
        connection.execute(meta.insert().values(key=_KEY, value=found))
    return str(found)
