"""The operations `read` and `save`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from weir.api.execution import Execution
from weir.api.execution_status import StoredValue
from weir.core import journal, outcomes, views
from weir.core.moves import StatusChange, cut, move
from weir.server import permits, raising, refusals
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.server.steps import Plan, Result
from weir.server.trees import is_uid, require_same_tree
from weir.server.values import ValueMissing, Values
from weir.storage.operations import Record
from weir.storage.values import Value
from weir_protocol.arguments import (
    ReadArguments,
    SaveArguments,
)

_MAX_TITLE = 253


class Reads:
    """Reads an Execution afresh, values included."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def plan(self, run: Run, sequence: int, arguments: ReadArguments) -> Plan[None]:
        """Nothing to decide."""
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ReadArguments, until: datetime
    ) -> Result:
        """Read it; of another tree only how it is. Raises Raises."""
        execution = await found(self._values, run, arguments.uid)
        if execution.root != run.execution.root:
            return Result([views.view(execution)])
        try:
            shown = await self._values.full_view(arguments.uid)
        except ValueMissing as error:
            raise raising.internal(str(error)) from None
        if shown is None:
            raise raising.not_found(f"execution {arguments.uid[:64]} was deleted")
        return Result([shown])


class Saves:
    """Stores what a run says about itself."""

    def __init__(self, statuses: Statuses, runtime: Runtime) -> None:
        self._statuses = statuses
        self._runtime = runtime

    def plan(
        self, run: Run, sequence: int, arguments: SaveArguments
    ) -> Plan[outcomes.Placed | None]:
        """Decide where the outputs go."""
        digest = journal.digest(arguments)
        if arguments.outputs is None:
            return Plan(None, digest)
        where = outcomes.place_outputs(arguments.outputs, run.execution.spec.protect_outputs)
        values = [Value.of(where.stored)] if where.stored is not None else []
        return Plan(where, digest, values=values)

    async def act(
        self,
        run: Run,
        record: Record,
        plan: Plan[outcomes.Placed | None],
        arguments: SaveArguments,
        until: datetime,
    ) -> Result:
        """Write the status."""
        fields: dict[str, Any] = {}
        if arguments.title is not None:
            fields["title"] = cut(arguments.title, _MAX_TITLE)
        if arguments.description is not None:
            fields["description"] = cut(arguments.description)
        if plan.made is not None:
            fields |= outcomes.output_fields(plan.made, reference_to(plan.values))

        def change(execution: Execution) -> StatusChange:
            if execution.phase.is_final:
                raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
            return move(
                execution,
                execution.phase,
                now=self._runtime.now(),
                reason=execution.status.reason,
                message=arguments.message,
                **fields,
            )

        return Result([views.view(await self._statuses.change(run.uid, change))])


async def found(values: Values, run: Run, uid: str) -> Execution:
    """Return an Execution of the run's own tree, or of the namespace where its Flow allows it.

    Raises Raises.
    """
    execution = await values.find(uid) if is_uid(uid) else None
    if execution is None and is_uid(uid):
        await values.is_gone(uid)  # which enters it, if it is there
        execution = await values.find(uid)
    if execution is None:
        raise raising.not_found(f"there is no execution {uid[:64]!a}: it was deleted, or never was")
    same_namespace = execution.metadata.namespace == run.execution.metadata.namespace
    if not (same_namespace and permits.is_permitted(values.runtime, run, "executions")):
        require_same_tree(run.execution, execution)
    return execution


def reference_to(values: Any) -> StoredValue | None:
    """Return how a status refers to the value that is stored with a plan."""
    return next((StoredValue(digest=one.digest, bytes=len(one.data)) for one in values), None)
