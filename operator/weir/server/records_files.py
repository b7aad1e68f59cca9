"""Records that are files: kept in the database, in one transaction with the journal."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from weir.api.resource import JsonObject, render_time
from weir.server import raising
from weir.server.records_stores import require_open_in
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.storage import files, operations
from weir.storage.files import File
from weir.storage.operations import Record

# A copy goes into the journal of each run that reads it, so that a resumed one reads the same.
MAX_CONTENT = 16 * 2**20
_DELETED = "deleted"


class FileRecords:
    """Files."""

    fields: Collection[str] = (
        "name",
        "content_size_bytes",
        "size_bytes",
        "created_at",
        "modified_at",
    )

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def check(self, fields: JsonObject) -> None:
        """Raise Raises unless a script may save these fields with these values."""
        unknown = sorted(fields.keys() - {"content"})
        if unknown:
            raise raising.Raises(
                "InvalidInputError",
                f"a script cannot set {unknown[0][:100]!r} of a file; it can set content",
            )
        if "content" in fields:
            _decoded(fields["content"])

    async def get(self, run: Run, name: str, *, content: bool) -> JsonObject:
        """Return a file, with its content where that is asked for. Raises Raises."""
        namespace = run.execution.metadata.namespace

        def work(sql: Connection) -> tuple[File | None, bytes | None]:
            found = files.find(sql, namespace, name)
            return found, files.content(sql, namespace, name) if content else None

        found, data = await self._runtime.database.read(work)
        if found is None:
            raise _missing(run, name)
        if data is None:
            return _fields(found)
        return _fields(found) | {"content": base64.b64encode(data).decode()}

    async def rows(self, run: Run) -> list[tuple[str, JsonObject]]:
        """Return the names of all files, with their fields."""
        namespace = run.execution.metadata.namespace
        found = await self._runtime.database.read(lambda sql: files.listed(sql, namespace))
        return [(one.name, _fields(one)) for one in found]

    async def save(self, run: Run, record: Record, name: str, fields: JsonObject) -> JsonObject:
        """Create or overwrite a file. Raises Raises, Superseded."""
        namespace, now = run.execution.metadata.namespace, self._runtime.timestamp()
        data = _decoded(fields["content"]) if "content" in fields else None

        def work(sql: Connection) -> File | None:
            require_open_in(sql, run, record)
            if data is None:
                return files.find(sql, namespace, name)
            return files.put(sql, namespace, name, data, now)

        found = await self._runtime.database.write(work)
        if found is None:
            raise raising.Raises(
                "InvalidInputError", "there is no such file yet: a new one needs 'content'"
            )
        return _fields(found)

    async def delete(self, run: Run, record: Record, name: str) -> None:
        """Delete a file; one that this operation has deleted already is fine."""
        namespace = run.execution.metadata.namespace

        def work(sql: Connection) -> bool:
            require_open_in(sql, run, record)
            known = operations.find(sql, record.uid, record.try_number, record.sequence)
            if known is not None and known.progress == _DELETED:
                return True
            operations.advance(sql, record, _DELETED)
            return files.delete(sql, namespace, name)

        if not await self._runtime.database.write(work):
            raise _missing(run, name)


def _fields(file: File) -> JsonObject:
    return {
        "name": file.name,
        "content_size_bytes": file.bytes,
        "size_bytes": file.bytes,
        "created_at": _time(file.created),
        "modified_at": _time(file.modified),
    }


def _time(moment: float) -> str:
    return render_time(datetime.fromtimestamp(moment, UTC), exact=True)


def _decoded(content: object) -> bytes:
    if not isinstance(content, str):
        raise raising.Raises("InvalidInputError", "content is a text: base64")
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise raising.Raises("InvalidInputError", f"content is no base64: {error}") from None
    if len(data) > MAX_CONTENT:
        raise raising.Raises(
            "InvalidInputError", f"the content has {len(data)} bytes and a file takes {MAX_CONTENT}"
        )
    return data


def _missing(run: Run, name: str) -> raising.Raises:
    return raising.not_found(
        f"there is no file {name!a} in namespace {run.execution.metadata.namespace}"
    )
