"""The operations `run`, `cancel`, `pause`, `delete` and `archive`: what becomes of Executions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.engine import Connection

from weir.api.execution import Execution
from weir.api.names import ARCHIVED_LABEL
from weir.api.phases import DesiredState
from weir.api.resource import JsonObject
from weir.cluster.errors import Invalid, NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core import journal, views
from weir.server import raising
from weir.server.records import found
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.server.values import Values
from weir.storage import attempts, operations
from weir.storage.operations import Record
from weir_protocol.arguments import (
    ArchiveArguments,
    CancelArguments,
    DeleteArguments,
    PauseArguments,
    RunArguments,
)

Concerned: TypeAlias = (
    RunArguments | CancelArguments | PauseArguments | DeleteArguments | ArchiveArguments
)

_PAUSED = "paused"


class _Lifecycle:
    """What these operations have in common: one Execution that they are about."""

    def __init__(self, runtime: Runtime, values: Values) -> None:
        self._runtime = runtime
        self._values = values

    def plan(self, run: Run, sequence: int, arguments: Concerned) -> Plan[None]:
        """Nothing to decide."""
        return Plan(None, digest=journal.digest(arguments))

    async def _patched(self, target: Execution, body: JsonObject) -> Execution:
        namespace, name = target.key
        body["metadata"] = {"uid": target.uid, **body.get("metadata", {})}
        try:
            item = await self._runtime.cluster.patch(EXECUTIONS, namespace, name, body)
        except NotFound:
            raise raising.not_found(f"execution {name} was deleted") from None
        except Invalid as error:
            raise raising.denied(error.message[:1000]) from None
        return self._runtime.executions.feed(Execution.model_validate(item))

    async def _desired(self, target: Execution, state: DesiredState) -> Execution:
        settled = (state, DesiredState.CANCELLED)
        if target.phase.is_final or target.spec.desired_state in settled:
            return target
        return await self._patched(target, {"spec": {"desiredState": str(state)}})


class Desires(_Lifecycle):
    """Starts or resumes an Execution, or cancels one."""

    def __init__(self, runtime: Runtime, values: Values, desired: DesiredState) -> None:
        super().__init__(runtime, values)
        self._state = desired

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: Concerned, until: datetime
    ) -> Result:
        """Write the desired state. Raises Raises."""
        target = await found(self._values, run, arguments.uid)
        return Result([views.view(await self._desired(target, self._state))])


class Pauses(_Lifecycle):
    """Pauses another Execution, or the run itself until somebody resumes it."""

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: PauseArguments, until: datetime
    ) -> Result | None:
        """Write the desired state. The run's own pause is over when that was changed back."""
        target = await found(self._values, run, arguments.uid)
        if target.uid != run.uid:
            return Result([views.view(await self._desired(target, DesiredState.PAUSED))])
        if await self._is_paused(record):
            execution = self._runtime.executions.get(run.uid) or target
            if execution.spec.desired_state == DesiredState.PAUSED:
                return None  # held until it is resumed
            return Result([views.view(execution)])
        await self._desired(target, DesiredState.PAUSED)

        def work(sql: Connection) -> None:
            attempts.check(sql, run.attempt)
            operations.advance(sql, record, _PAUSED)

        await self._runtime.database.write(work)
        return None

    async def _is_paused(self, record: Record) -> bool:
        """Whether the pause was written already, by this attempt or one before it."""
        key = (record.uid, record.try_number, record.sequence)
        known = await self._runtime.database.read(lambda sql: operations.find(sql, *key))
        return known is not None and known.progress == _PAUSED


class Deletes(_Lifecycle):
    """Deletes an Execution below the run."""

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: DeleteArguments, until: datetime
    ) -> Result:
        """Delete it; one that is gone already is fine. Raises Raises."""
        try:
            target = await found(self._values, run, arguments.uid)
        except raising.Raises:
            if await self._values.is_gone(arguments.uid) is None:
                raise
            return Result()
        others = target.root != run.execution.root  # which `found` lets pass with leave only
        if not others and not self._is_below(run, target):
            raise raising.denied(
                f"execution {target.metadata.name} does not stand below "
                f"{run.execution.metadata.name}: a run deletes only what it started"
            )
        namespace, name = target.key
        await self._runtime.cluster.delete(EXECUTIONS, namespace, name, uid=target.uid)
        return Result()

    def _is_below(self, run: Run, target: Execution) -> bool:
        above: Execution | None = target
        while above is not None and above.spec.parent is not None:
            if above.spec.parent.uid == run.uid:
                return True
            above = self._runtime.executions.get(above.spec.parent.uid)
        return False


class Archives(_Lifecycle):
    """Hides an ended Execution from lists."""

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: ArchiveArguments, until: datetime
    ) -> Result:
        """Label it. Raises Raises."""
        target = await found(self._values, run, arguments.uid)
        if not target.phase.is_final:
            raise raising.Raises(
                "InvalidInputError",
                f"execution {target.metadata.name} is {target.phase}: only ended ones are archived",
            )
        if ARCHIVED_LABEL not in target.metadata.labels:
            labels = {"metadata": {"labels": {ARCHIVED_LABEL: "true"}}}
            target = await self._patched(target, labels)
        return Result([views.view(target)])
