"""Deliveries to Webhooks: signatures that were taken, and inputs of runs that are being made."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from weir.storage import values as stored
from weir.storage.tables import signatures, values
from weir.storage.values import Value

# No UID begins so. With an owner of 48 characters it fits beside them.
_UNMADE = "unmade:"


def take(
    connection: Connection, webhook: str, digest: str, execution: str, *, now: float, until: float
) -> str:
    """Take a signature of a Webhook (its UID) for a run, unless another has it; return whose it
    is.
    """
    mine = sa.and_(signatures.c.webhook == webhook, signatures.c.digest == digest)
    connection.execute(signatures.delete().where(mine, signatures.c.until < now))
    insert = (
        postgresql.insert(signatures)
        if connection.dialect.name == "postgresql"
        else sqlite.insert(signatures)
    )
    row = {"webhook": webhook, "digest": digest, "execution": execution, "until": until}
    connection.execute(insert.values(**row).on_conflict_do_nothing())
    found: str = connection.execute(sa.select(signatures.c.execution).where(mine)).scalar_one()
    return found


def give_back(connection: Connection, webhook: str, digest: str, execution: str) -> None:
    """Forget a signature whose run could not be made."""
    connection.execute(
        signatures.delete().where(
            signatures.c.webhook == webhook,
            signatures.c.digest == digest,
            signatures.c.execution == execution,
        )
    )


def put_inputs(connection: Connection, owner: str, value: Value, now: float) -> None:
    """Keep the inputs of a run that is not made yet."""
    stored.put(connection, _UNMADE + owner, value, now)


def get_inputs(connection: Connection, owner: str, digest: str) -> bytes | None:
    """Return such inputs, as JSON text."""
    return stored.get(connection, _UNMADE + owner, digest)


def hand_over(connection: Connection, owner: str, uid: str, value: Value, now: float) -> None:
    """Give inputs to the run, which is made now."""
    stored.put(connection, uid, value, now)
    connection.execute(values.delete().where(values.c.uid == _UNMADE + owner))


def sweep(connection: Connection, *, now: float, before: float) -> None:
    """Forget signatures whose time is over, and inputs of runs that were not made before then."""
    connection.execute(signatures.delete().where(signatures.c.until < now))
    connection.execute(
        values.delete().where(values.c.uid.startswith(_UNMADE), values.c.created < before)
    )
