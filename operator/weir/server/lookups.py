"""The operations `children` and `cached`: Executions that are found, not made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.core import journal, views
from weir.server import raising
from weir.server.records import found
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.server.values import ValueMissing, Values
from weir.storage.operations import Record
from weir_protocol.arguments import CachedArguments, ChildrenArguments

_EPOCH = datetime.min.replace(tzinfo=UTC)
# Each of them may cost a read of its inputs.
_MOST_COMPARED = 100


class ListsChildren:
    """Lists the children of an Execution."""

    def __init__(self, runtime: Runtime, values: Values) -> None:
        self._runtime = runtime
        self._values = values

    def plan(self, run: Run, sequence: int, arguments: ChildrenArguments) -> Plan[None]:
        """Nothing to decide."""
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ChildrenArguments, until: datetime
    ) -> Result:
        """Return them, the oldest first. Raises Raises."""
        parent = await found(self._values, run, arguments.uid)
        children = sorted(self._runtime.executions.children(parent.uid), key=_age)
        return Result([views.view(child) for child in children])


class FindsCached:
    """Finds the newest success of the same thing with the same inputs.

    What protects values, or keeps large outputs, is not found: they are not to be handed on.
    """

    def __init__(self, runtime: Runtime, values: Values) -> None:
        self._runtime = runtime
        self._values = values

    def plan(self, run: Run, sequence: int, arguments: CachedArguments) -> Plan[None]:
        """Nothing to decide. Raises Raises."""
        if not 0 <= arguments.max_age < float("inf"):
            raise raising.Raises("InvalidInputError", "an age is a number of seconds from 0 on")
        return Plan(None, digest=journal.digest(arguments))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: CachedArguments, until: datetime
    ) -> Result:
        """Return it with its outputs as the value, or nothing."""
        wanted = journal.digest_of_json(arguments.inputs)
        candidates = sorted(self._candidates(run, arguments), key=_end, reverse=True)
        for one in candidates[:_MOST_COMPARED]:
            try:
                whole = await self._values.whole(one.uid)
                if whole is None:
                    continue
                inputs = await self._values.inputs(whole)
            except ValueMissing:
                continue
            if journal.digest_of_json(inputs) == wanted:
                shown = views.view(whole, inputs=inputs)
                return Result([shown], value=whole.status.outputs or {})
        return Result()

    def _candidates(self, run: Run, arguments: CachedArguments) -> Iterator[Execution]:
        namespace = run.execution.metadata.namespace
        oldest = self._runtime.now() - timedelta(seconds=min(arguments.max_age, 1e9))
        target = self._target(namespace, arguments)
        for one in self._runtime.executions:
            spec, status = one.spec, one.status
            if (
                one.metadata.namespace == namespace
                and status.phase == Phase.SUCCEEDED
                and _end(one) >= oldest
                and spec.mode == run.execution.spec.mode
                and status.outputs_ref is None
                and not spec.protect_inputs
                and not spec.protect_outputs
                and spec.draft is None
                and _target_of(one, target) == target
            ):
                yield one

    def _target(self, namespace: str, arguments: CachedArguments) -> JsonObject:
        if arguments.flow is not None:
            flow = self._runtime.catalogs.flows(namespace).find(arguments.flow)
            if flow is None:
                raise raising.not_found(
                    f'there is no flow "{arguments.flow[:253]}" in namespace {namespace}'
                )
            return {"flow": flow.metadata.name, "revision": flow.status.revision}
        if arguments.script is not None:
            return {"script": arguments.script}
        connector, type_ = arguments.connector, arguments.connector_type
        if connector is not None:
            named = self._runtime.catalogs.connectors(namespace).find(connector)
            if named is None:
                raise raising.not_found(f'there is no connector "{connector[:253]}"')
            return {"connector": named.metadata.name, "type": named.spec.type}
        return {"connector": None, "type": type_}


def _target_of(execution: Execution, like: JsonObject) -> JsonObject | None:
    """Return what an Execution ran, in the words of what is looked for."""
    spec, status = execution.spec, execution.status
    if "flow" in like:
        return {"flow": spec.flow, "revision": status.revision}
    if "script" in like:
        return {"script": spec.script}
    if spec.connection is None:
        return None
    return {"connector": spec.connection.connector, "type": spec.connection.type}


def _age(execution: Execution) -> tuple[datetime, int]:
    parent = execution.spec.parent
    created = execution.metadata.creation_timestamp or _EPOCH
    return created, parent.sequence if parent else 0


def _end(execution: Execution) -> datetime:
    return execution.status.completion_time or _EPOCH
