"""What runners report: logs, and the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection

from weir.api.execution import Execution
from weir.api.execution_status import StoredValue
from weir.api.flow import FlowSpec
from weir.api.phases import Phase
from weir.api.resource import JsonObject
from weir.core import outcomes, retries
from weir.core.moves import StatusChange, move
from weir.core.outcomes import Outcome
from weir.server import logbook, refusals
from weir.server.flows import RevisionMissing, Revisions
from weir.server.identity import Caller
from weir.server.presence import Presence, start_fields, timeout_by
from weir.server.runs import Run, Runs, refusal, speaks_for
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.server.values import ValueMissing, Values
from weir.storage import attempts
from weir.storage import values as stored
from weir.storage.values import Value
from weir_protocol import End, LogBatch, schemas

OUTPUT_LIMIT = 16 * 2**20


@dataclass(frozen=True, slots=True)
class _Ending:
    """An end, decided."""

    outcome: Outcome
    fields: dict[str, Any]
    value: Value | None  # outputs that go into SQL
    flow: FlowSpec | None = None  # what was run, as far as it is known


class Reports:
    """Takes reports."""

    def __init__(
        self,
        runtime: Runtime,
        runs: Runs,
        statuses: Statuses,
        values: Values,
        presence: Presence,
        revisions: Revisions,
    ) -> None:
        self._runtime = runtime
        self._runs = runs
        self._statuses = statuses
        self._values = values
        self._presence = presence
        self._revisions = revisions

    async def logs(self, caller: Caller, batch: LogBatch) -> None:
        """Keep log lines. Raises Refused, StorageError."""
        run = await self._runs.admitted(caller, batch)
        lines = logbook.prepared(batch.lines)

        def work(sql: Connection) -> None:
            attempts.check(sql, run.attempt)
            logbook.append(sql, run.attempt, lines)

        await self._runtime.database.write(work)
        self._runtime.executions.topics.notify(logbook.topic(run.uid))

    async def end(self, caller: Caller, end: End) -> None:
        """End a run. The same report again is acknowledged again.

        Raises Refused, ClusterError, StorageError.
        """
        run = await self._runs.admitted(caller, end, final=True)
        ending = await self._decided(run, end)
        if run.execution.phase.is_final:
            self._acknowledge(run.execution, ending.outcome)
            return
        lines = logbook.prepared(end.logs)

        def work(sql: Connection) -> None:
            attempts.check(sql, run.attempt)
            logbook.append(sql, run.attempt, lines)
            if ending.value is not None:
                stored.put(sql, run.uid, ending.value, self._runtime.timestamp())

        if lines or ending.value is not None:
            await self._runtime.database.write(work)
        else:
            await self._runtime.database.read(lambda sql: attempts.check_only(sql, run.attempt))

        def change(execution: Execution) -> StatusChange | None:
            if not speaks_for(execution, caller, end):
                raise refusal(execution, caller, end)
            if execution.phase.is_final:
                self._acknowledge(execution, ending.outcome)
                return None
            return self._change(execution, end, ending)

        await self._statuses.change(run.uid, change)
        self._presence.ended(run.uid)
        self._runtime.executions.topics.notify(logbook.topic(run.uid))

    def _acknowledge(self, execution: Execution, outcome: Outcome) -> None:
        """Let a repeated report pass; refuse one that comes too late."""
        status = execution.status
        if (status.phase, status.reason) != (outcome.phase, outcome.reason):
            raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")

    async def _decided(self, run: Run, end: End) -> _Ending:
        execution = run.execution
        try:
            flow = await self._revisions.of(execution)
        except RevisionMissing:
            flow = None  # it ran without
        wrong = None
        if end.status == "success" and flow is not None:
            wrong = await self._wrong_outputs(execution, flow, end.outputs)
        outcome = outcomes.outcome(end, wrong_outputs=wrong)
        if end.outputs is None:
            return _Ending(outcome, {}, None, flow)
        where = outcomes.place_outputs(end.outputs, execution.spec.protect_outputs)
        if where.stored is None:
            return _Ending(outcome, outcomes.output_fields(where, None), None, flow)
        if len(where.stored) > OUTPUT_LIMIT:
            return _Ending(outcomes.too_large(len(where.stored), OUTPUT_LIMIT), {}, None, flow)
        value = Value.of(where.stored)
        reference = StoredValue(digest=value.digest, bytes=len(value.data))
        return _Ending(outcome, outcomes.output_fields(where, reference), value, flow)

    async def _wrong_outputs(
        self, execution: Execution, flow: FlowSpec, outputs: JsonObject | None
    ) -> str | None:
        if flow.output_schema is None:
            return None
        if outputs is None:
            try:
                outputs = await self._values.outputs(execution)
            except ValueMissing as error:
                return str(error)
        return await asyncio.to_thread(
            schemas.problem_with_value, flow.output_schema, outputs, what="outputs"
        )

    def _began(self, uid: str, end: End) -> datetime:
        """Return when the script began: as its runner says, but not before its assignment."""
        now = self._runtime.now()
        plausible = 0 < end.started <= now.timestamp()
        said = datetime.fromtimestamp(end.started, UTC) if plausible else now
        assigned = self._presence.assigned(uid)  # unknown after a restart of the server
        return max(said, assigned) if assigned and plausible else assigned or said

    def _change(self, execution: Execution, end: End, ending: _Ending) -> StatusChange:
        outcome, now = ending.outcome, self._runtime.now()
        began = self._began(execution.uid, end)
        started = start_fields(execution, began, timeout_by(execution, ending.flow))
        children = self._statuses.counts(execution)
        again = None
        if outcome.phase == Phase.FAILED and ending.flow is not None:
            again = retries.another_try(
                execution,
                ending.flow.retry,
                reason=outcome.reason,
                message=outcome.message,
                began=began,
                deadline=started.get("deadline", execution.status.deadline),
                now=now,
            )
        if again is not None:
            return move(
                execution,
                again.phase,
                now=now,
                reason=again.reason,
                message=again.message,
                children=children,
                **(started | again.fields),
            )
        return move(
            execution,
            outcome.phase,
            now=now,
            reason=outcome.reason,
            message=outcome.message,
            journal=self._runtime.database.identity,
            cause=outcomes.cause_status(end.cause) if end.status == "error" else None,
            children=children,
            **started,
            **ending.fields,
        )
