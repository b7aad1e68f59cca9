"""Records that are Executions: a script sees how those of its namespace are, and what values those
of its own tree hold.
"""

from __future__ import annotations

from collections.abc import Collection

from weir.api.execution import Execution
from weir.api.names import ARCHIVED_LABEL
from weir.api.resource import JsonObject
from weir.core import views
from weir.server import raising
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.trees import is_uid
from weir.server.values import ValueMissing, Values
from weir.storage.operations import Record
from weir_protocol import ExecutionView
from weir_protocol.records import EXECUTION_FIELDS


class ExecutionRecords:
    """Executions."""

    fields: Collection[str] = EXECUTION_FIELDS

    def __init__(self, runtime: Runtime, values: Values) -> None:
        self._runtime = runtime
        self._values = values

    def check(self, fields: JsonObject) -> None:
        """Raise Raises: an execution is changed by its own calls."""
        raise _no_record()

    async def get(self, run: Run, name: str, *, content: bool) -> JsonObject:
        """Return an Execution, by its ID or its object's name. Raises Raises."""
        namespace = run.execution.metadata.namespace
        found = self._runtime.executions.by_key((namespace, name))
        if found is None and is_uid(name):
            found = await self._values.find(name)
        if found is None or found.metadata.namespace != namespace:
            raise raising.not_found(f"there is no execution {name!a} in namespace {namespace}")
        shown: ExecutionView | None = views.view(found)
        if found.root == run.execution.root:
            try:
                shown = await self._values.full_view(found.uid)
            except ValueMissing as error:
                raise raising.internal(str(error)) from None
            if shown is None:
                raise raising.not_found(f"execution {name!a} was deleted")
            values = {"input_value": shown.input_value, "output_value": shown.output_value}
            return _fields(shown) | values
        assert shown is not None
        return _fields(shown)

    async def rows(self, run: Run) -> list[tuple[str, JsonObject]]:
        """Return the IDs of all that are objects still and not hidden, the oldest first."""
        namespace = run.execution.metadata.namespace
        found = [
            one
            for one in self._runtime.executions
            if one.metadata.namespace == namespace and ARCHIVED_LABEL not in one.metadata.labels
        ]
        return [(one.uid, _fields(views.view(one))) for one in sorted(found, key=_age)]

    async def save(self, run: Run, record: Record, name: str, fields: JsonObject) -> JsonObject:
        """Raise Raises: an execution is changed by its own calls."""
        raise _no_record()

    async def delete(self, run: Run, record: Record, name: str) -> None:
        """Raise Raises: an execution is deleted by its own call."""
        raise _no_record()


def _no_record() -> raising.Raises:
    return raising.Raises(
        "InvalidInputError",
        "an execution is changed by the calls of flow_api.Execution, not as a record",
    )


def _fields(shown: ExecutionView) -> JsonObject:
    return {
        "id": shown.uid,
        "name": shown.title or shown.name,
        "object_name": shown.name,
        "type": shown.type,
        "status": shown.status,
        "phase": shown.phase,
        "reason": shown.reason,
        "message": shown.message,
        "description": shown.description,
        "flow_name": shown.flow_name,
        "connector_name": shown.connector_name,
        "connector_type": shown.connector_type,
        "parent_id": shown.parent_id,
        "is_productive": shown.is_productive,
        "try_number": shown.try_number,
        "created_at": shown.created_at,
        "started_at": shown.started_at,
        "ended_at": shown.ended_at,
        "schedule_name": shown.schedule_name,
        "scheduled_for": shown.scheduled_for,
        "webhook_name": shown.webhook_name,
    }


def _age(execution: Execution) -> tuple[str, str]:
    return views.view(execution).created_at or "", execution.metadata.name
