"""The newest attempt of each Execution: who may write to its journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from weir.storage.errors import Fenced
from weir.storage.tables import attempts


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of one try of an Execution, and the Pod that makes it."""

    uid: str
    namespace: str
    name: str
    try_number: int
    attempt: int
    pod_uid: str
    assigned: float  # Unix time of its assignment

    @property
    def order(self) -> tuple[int, int]:
        """What later attempts have more of."""
        return (self.try_number, self.attempt)


def find(connection: Connection, uid: str) -> Attempt | None:
    """Return the newest attempt, if any was ever assigned."""
    row = connection.execute(sa.select(attempts).where(attempts.c.uid == uid)).one_or_none()
    return None if row is None else _attempt(row)


def begin(connection: Connection, new: Attempt) -> Attempt | None:
    """Make `new` the newest attempt and return the one before it.

    The same attempt may begin again: its Pod did not get the first answer. It is returned with its
    first time of assignment. Raises Fenced when a newer one, or one by another Pod, is known.
    """
    asked = sa.select(attempts).where(attempts.c.uid == new.uid).with_for_update()
    row = connection.execute(asked).one_or_none()
    if row is None:
        connection.execute(attempts.insert().values(**_columns(new)))
        return None
    known = _attempt(row)
    if known.order == new.order and known.pod_uid == new.pod_uid:
        return known
    if known.order >= new.order:
        raise Fenced(
            f"attempt {new.attempt} of {new.name} is over: attempt {known.attempt} has begun"
        )
    fields = _columns(new)
    if known.try_number != new.try_number:
        fields["log_bytes"] = 0
    connection.execute(attempts.update().where(attempts.c.uid == new.uid).values(**fields))
    return known


def check(connection: Connection, current: Attempt) -> None:
    """Raise Fenced unless this attempt is the newest.

    An unknown Execution is entered: its database was swapped while it ran, and a Pod that lives may
    finish. Held until the transaction ends: no newer attempt begins meanwhile.
    """
    asked = (
        sa.select(attempts.c.try_number, attempts.c.attempt, attempts.c.pod_uid)
        .where(attempts.c.uid == current.uid)
        .with_for_update(read=True)
    )
    row = connection.execute(asked).one_or_none()
    if row is None:
        connection.execute(attempts.insert().values(**_columns(current)))
    elif (row.try_number, row.attempt, row.pod_uid) != (*current.order, current.pod_uid):
        raise Fenced(
            f"attempt {current.attempt} of {current.name} is over: attempt {row.attempt} has begun"
        )


def check_only(connection: Connection, current: Attempt) -> None:
    """Raise Fenced when another attempt is the newest. Writes nothing."""
    known = find(connection, current.uid)
    if known is not None and (known.order, known.pod_uid) != (current.order, current.pod_uid):
        raise Fenced(f"attempt {current.attempt} of {current.name} is over")


def forgotten(connection: Connection, before: float) -> list[str]:
    """Return the UIDs whose newest attempt was assigned before that moment."""
    asked = sa.select(attempts.c.uid).where(attempts.c.assigned < before)
    return list(connection.execute(asked).scalars())


def _attempt(row: sa.Row[Any]) -> Attempt:
    return Attempt(
        uid=row.uid,
        namespace=row.namespace,
        name=row.name,
        try_number=row.try_number,
        attempt=row.attempt,
        pod_uid=row.pod_uid,
        assigned=row.assigned,
    )


def _columns(attempt: Attempt) -> dict[str, Any]:
    return {name: getattr(attempt, name) for name in Attempt.__slots__}
