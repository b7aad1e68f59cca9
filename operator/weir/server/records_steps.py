"""The operations `get_record`, `list_records`, `save_record`, `delete_record` and `validate`."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from weir.core import journal
from weir.server import raising
from weir.server.records_executions import ExecutionRecords
from weir.server.records_files import FileRecords
from weir.server.records_objects import ObjectRecords
from weir.server.records_stores import RecordStore, Superseded, checked_name
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.server.values import Values
from weir.storage.operations import Record
from weir_protocol import filters, schemas
from weir_protocol.arguments import (
    DeleteRecordArguments,
    GetRecordArguments,
    ListRecordsArguments,
    RecordKind,
    SaveRecordArguments,
    ValidateArguments,
)
from weir_protocol.coercion import coerced


class Stores:
    """Where each kind of record is kept."""

    def __init__(self, runtime: Runtime, values: Values) -> None:
        self._stores: dict[RecordKind, RecordStore] = {
            "setting": ObjectRecords(runtime, "setting"),
            "schema": ObjectRecords(runtime, "schema"),
            "flow": ObjectRecords(runtime, "flow"),
            "connector": ObjectRecords(runtime, "connector"),
            "schedule": ObjectRecords(runtime, "schedule"),
            "webhook": ObjectRecords(runtime, "webhook"),
            "file": FileRecords(runtime),
            "execution": ExecutionRecords(runtime, values),
        }

    def of(self, kind: RecordKind) -> RecordStore:
        """Return the store of a kind. Raises Raises."""
        store = self._stores.get(kind)
        if store is None:
            raise raising.Raises("InvalidInputError", f"a {kind} is no record")
        return store


class GetsRecords:
    """Reads records."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def plan(self, run: Run, sequence: int, arguments: GetRecordArguments) -> Plan[None]:
        """Check the name. Raises Raises."""
        self._stores.of(arguments.kind)
        checked_name(arguments.name)
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: GetRecordArguments, until: datetime
    ) -> Result:
        """Read it. Raises Raises."""
        store = self._stores.of(arguments.kind)
        fields = await store.get(run, arguments.name, content=arguments.content)
        return Result(value=fields)


class ListsRecords:
    """Lists records."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def plan(self, run: Run, sequence: int, arguments: ListRecordsArguments) -> Plan[None]:
        """Check the filter. Raises Raises."""
        store = self._stores.of(arguments.kind)
        if arguments.filter is not None:
            try:
                filters.check(arguments.filter, store.fields)
            except filters.FilterError as error:
                raise raising.Raises("InvalidInputError", str(error)) from None
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ListRecordsArguments, until: datetime
    ) -> Result:
        """Return the names of those that pass the filter; of executions their IDs."""
        store = self._stores.of(arguments.kind)
        rows = await store.rows(run)
        names = [name for name, row in rows if filters.matches(arguments.filter, row)]
        return Result(value=names if arguments.kind == "execution" else sorted(names))


class SavesRecords:
    """Creates and changes records."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def plan(self, run: Run, sequence: int, arguments: SaveRecordArguments) -> Plan[None]:
        """Check the name and the fields. Raises Raises."""
        checked_name(arguments.name)
        self._stores.of(arguments.kind).check(arguments.fields)
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: SaveRecordArguments, until: datetime
    ) -> Result:
        """Write it. Raises Raises."""
        store = self._stores.of(arguments.kind)
        try:
            return Result(value=await store.save(run, record, arguments.name, arguments.fields))
        except Superseded:
            return Result()


class DeletesRecords:
    """Deletes records."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def plan(self, run: Run, sequence: int, arguments: DeleteRecordArguments) -> Plan[None]:
        """Check the name. Raises Raises."""
        self._stores.of(arguments.kind)
        checked_name(arguments.name)
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: DeleteRecordArguments, until: datetime
    ) -> Result:
        """Delete it. Raises Raises."""
        with contextlib.suppress(Superseded):
            await self._stores.of(arguments.kind).delete(run, record, arguments.name)
        return Result()


class Validates:
    """Checks values against Schemas."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def plan(self, run: Run, sequence: int, arguments: ValidateArguments) -> Plan[None]:
        """Check the name. Raises Raises."""
        checked_name(arguments.name)
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ValidateArguments, until: datetime
    ) -> Result:
        """Raise Raises unless the value fits the Schema as it is now."""
        stored = await self._stores.of("schema").get(run, arguments.name, content=True)
        wrong = schemas.problem_with_schema(stored["value"], also_draft_7=True)
        if wrong is not None:
            raise raising.Raises("SchemaError", f"schema {arguments.name!a}: {wrong}")
        value = arguments.value
        try:
            value = coerced(stored["value"], value) if arguments.coerce else value
            wrong = schemas.problem_with_value(stored["value"], value, what="value")
        except RecursionError:
            wrong = "value: it is nested too deeply"
        if wrong is not None:
            raise raising.Raises("SchemaValidationError", f"{wrong} (schema {arguments.name!a})")
        return Result(value=value if arguments.coerce else None)
