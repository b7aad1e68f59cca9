"""Where the records of a kind are kept, as the operations on records see it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from sqlalchemy.engine import Connection

from weir.api.resource import JsonObject
from weir.server import raising
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.storage import attempts, operations
from weir.storage.operations import Record
from weir_protocol.records import MAX_WORD


class RecordStore(Protocol):
    """The records of one kind, in the namespace of the run that asks."""

    fields: Collection[str]

    def check(self, fields: JsonObject) -> None:
        """Raise Raises unless a script may save these fields with these values."""
        ...

    async def get(self, run: Run, name: str, *, content: bool) -> JsonObject:
        """Return a record's fields. Raises Raises."""
        ...

    async def rows(self, run: Run) -> list[tuple[str, JsonObject]]:
        """Return the names of all records, with the fields that filters may ask for."""
        ...

    async def save(self, run: Run, record: Record, name: str, fields: JsonObject) -> JsonObject:
        """Create or change a record and return its fields. Raises Raises, Superseded."""
        ...

    async def delete(self, run: Run, record: Record, name: str) -> None:
        """Delete a record. Raises Raises, Superseded."""
        ...


class Superseded(Exception):
    """A repetition of this operation was faster, and the script has gone on since: what is still to
    be done would come too late.
    """


def checked_name(name: str) -> str:
    """Return what a script calls a record. Raises Raises."""
    if not name.strip() or len(name) > MAX_WORD or not name.isprintable():
        raise raising.Raises(
            "InvalidInputError",
            f"a name has 1 to {MAX_WORD} printable characters: {name[:MAX_WORD]!a}",
        )
    return name


async def require_open(runtime: Runtime, run: Run, record: Record) -> None:
    """Raise Superseded when the operation has its result by now, Refused when the run is another's.

    To be asked after what is to be changed was read, and before it is changed by a write that fails
    if others wrote meanwhile.
    """

    def work(sql: Connection) -> None:
        require_open_in(sql, run, record)

    await runtime.database.read(work)


def require_open_in(sql: Connection, run: Run, record: Record) -> None:
    """The same, in the transaction of the change itself."""
    attempts.check(sql, run.attempt)
    known = operations.find(sql, record.uid, record.try_number, record.sequence)
    if known is not None and known.result is not None:
        raise Superseded


async def noted(runtime: Runtime, run: Run, record: Record, progress: str) -> str:
    """Note what an effect is about to touch, before it does; return what was noted first."""

    def work(sql: Connection) -> str:
        require_open_in(sql, run, record)
        known = operations.find(sql, record.uid, record.try_number, record.sequence)
        if known is not None and known.progress is not None:
            return known.progress
        operations.advance(sql, record, progress)
        return progress

    return await runtime.database.write(work)
