"""What scripts ask for: each operation is entered in the journal, done, recorded, and answered.

A repeated request gets the recorded answer, or goes on where the first one was interrupted.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy.engine import Connection

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core import journal
from weir.core.moves import StatusChange, move
from weir.server import large_results, logbook, messages, pausing, raising, refusals
from weir.server.children import Children
from weir.server.hibernation import Hibernation
from weir.server.identity import Caller
from weir.server.lifecycle import Archives, Deletes, Desires, Pauses
from weir.server.locks import Acquires, Releases
from weir.server.lookups import FindsCached, ListsChildren
from weir.server.messages_asking import Asks, Responses
from weir.server.onces import Onces
from weir.server.presence import Presence
from weir.server.raising import Raises
from weir.server.records import Reads, Saves
from weir.server.records_steps import (
    DeletesRecords,
    GetsRecords,
    ListsRecords,
    SavesRecords,
    Stores,
    Validates,
)
from weir.server.runs import Run, Runs, require_pod
from weir.server.runtime import Runtime
from weir.server.sleeps import Sleeps
from weir.server.statuses import Statuses
from weir.server.steps import WAITING, Plan, Result, Step, topics_of
from weir.server.values import Values
from weir.server.waits import Waits
from weir.storage import attempts, operations
from weir.storage import values as stored
from weir.storage.operations import Record
from weir_protocol import (
    Answer,
    ExecutionView,
    Operation,
    decode,
    encode,
)
from weir_protocol.arguments import (
    OperationKind,
)

logger = logging.getLogger(__name__)

# How long a run that is to be cancelled may not have heard of it: its control thread starts late.
_CANCEL_NOTICE = timedelta(seconds=5)
_MOST_OPERATIONS = 1_000_000
# When a run that could not give its Pod back is asked again.
_NOT_GIVEN_BACK = timedelta(seconds=1)
_ENDED = frozenset(phase.script_status for phase in Phase if phase.is_final)


class Operations:
    """Performs operations."""

    def __init__(
        self,
        runtime: Runtime,
        runs: Runs,
        statuses: Statuses,
        values: Values,
        presence: Presence,
        hibernation: Hibernation,
    ) -> None:
        self._runtime = runtime
        self._runs = runs
        self._statuses = statuses
        self._values = values
        self._presence = presence
        self._hibernation = hibernation
        self._pausing = pausing.Pausing(runtime, statuses)
        stores = Stores(runtime, values)
        self._steps: dict[OperationKind, Step] = {
            "child": Children(runtime),
            "run": Desires(runtime, values, DesiredState.RUNNING),
            "wait": Waits(runtime, values, presence),
            "message": Asks(runtime),
            "response": Responses(runtime, presence),
            "read": Reads(values),
            "save": Saves(statuses, runtime),
            "cancel": Desires(runtime, values, DesiredState.CANCELLED),
            "pause": Pauses(runtime, values),
            "delete": Deletes(runtime, values),
            "archive": Archives(runtime, values),
            "children": ListsChildren(runtime, values),
            "cached": FindsCached(runtime, values),
            "sleep": Sleeps(runtime, presence),
            "once": Onces(),
            "acquire": Acquires(runtime, presence),
            "release": Releases(runtime),
            "get_record": GetsRecords(stores),
            "list_records": ListsRecords(stores),
            "save_record": SavesRecords(stores),
            "delete_record": DeletesRecords(stores),
            "validate": Validates(stores),
        }

    async def perform(self, caller: Caller, operation: Operation) -> Answer:
        """Answer an operation. Raises Refused, ClusterError, StorageError."""
        run = await self._runs.admitted(caller, operation)
        arguments = messages.arguments(operation.kind, operation.arguments)
        if not 1 <= operation.sequence <= _MOST_OPERATIONS:
            raise refusals.invalid(f"operations are numbered from 1 to {_MOST_OPERATIONS}")
        await self._seen(run)
        until = self._runtime.now() + timedelta(seconds=self._runtime.poll_seconds)
        if operation.kind in ("child", "run") and await self._is_cancelled(run):
            refused = raising.denied("this execution is to be cancelled: it starts nothing more")
            return Result(error=refused.error).answer()
        step = self._steps.get(operation.kind)
        if step is None:
            raise refusals.invalid(f"this server knows no operation {operation.kind}")
        if operation.thread:
            await self._hibernation.rule_out(run)
        record, plan = await self._begin(run, operation, arguments, step)
        if record.result is not None:
            return await self._recorded(run, record.result)
        assert plan is not None
        return await self._done(run, record, plan, arguments, step, until)

    def topics(self, run: Run, record: Record) -> list[str]:
        """Return what may end the wait of a run without a Pod, besides its own Execution."""
        step, arguments = self._of(record)
        return sorted({*topics_of(step, run, arguments)} - {run.uid})

    async def settle(self, run: Run, record: Record) -> bool:
        """Look whether the operation that a run without a Pod waits in is over, and record that.

        Raises Refused, Fenced, ClusterError, StorageError.
        """
        step, arguments = self._of(record)
        result: Result | None
        try:
            plan = step.plan(run, record.sequence, arguments)
            result = await step.act(run, record, plan, arguments, self._runtime.now())
        except Raises as failure:
            result = Result(error=failure.error)
        if result is None:
            return False
        await self._record(run, record, result)
        return True

    def _of(self, record: Record) -> tuple[Step, Any]:
        kind = cast("OperationKind", record.kind)
        return self._steps[kind], messages.arguments(kind, json.loads(record.arguments or "{}"))

    async def _begin(
        self, run: Run, operation: Operation, arguments: Any, step: Step
    ) -> tuple[Record, Plan[Any] | None]:
        """Enter the intent, with the logs that came along; return what the journal holds."""
        failure: Raises | None = None
        plan: Plan[Any] | None = None
        try:
            plan = step.plan(run, operation.sequence, arguments)
        except Raises as error:
            failure = error
        now = self._runtime.timestamp()
        intent = Record(
            uid=run.uid,
            try_number=run.attempt.try_number,
            sequence=operation.sequence,
            kind=operation.kind,
            target=journal.target(arguments),
            digest=plan.digest if plan else journal.digest(arguments),
            line=operation.line,
            deadline=_deadline(plan, now),
            created=now,
            effect_name=plan.creates if plan else None,
            arguments=_kept(arguments) if operation.kind in WAITING else None,
        )
        lines = logbook.prepared(operation.logs)
        failed = None if failure is None else self._as_text(Result(error=failure.error))

        def work(sql: Connection) -> Record:
            attempts.check(sql, run.attempt)
            logbook.append(sql, run.attempt, lines)
            record, _ = operations.begin(sql, intent)
            if _differs(record, intent) or record.result is not None:
                return record
            for value in plan.values if plan else ():
                stored.put(sql, run.uid, value, now)
            if failed is not None:
                return dataclasses.replace(record, result=operations.finish(sql, record, failed))
            return record

        record = await self._runtime.database.write(work)
        if lines:
            self._runtime.executions.topics.notify(logbook.topic(run.uid))
        if why := _differs(record, intent):
            await self._diverge(run, why)
        if record.digest != intent.digest:
            logger.warning(
                "Resumed operation has other inputs",
                extra={"execution": run.attempt.name, "sequence": operation.sequence},
            )
        return record, plan

    async def _done(
        self,
        run: Run,
        record: Record,
        plan: Plan[Any],
        arguments: Any,
        step: Step,
        until: datetime,
    ) -> Answer:
        result: Result | None = None
        patience = await self._hibernation.patience(run, record)
        not_before = self._runtime.now()
        while result is None:
            if self._hibernation.has_lost_pod(run):
                return Answer(state="hibernate")
            due = self._hibernation.due(run, record, patience)
            soon = until if due is None else min(until, max(due, not_before))
            try:
                if await self._pausing.may_go_on(run, soon):
                    result = await step.act(run, record, plan, arguments, soon)
            except Raises as failure:
                result = Result(error=failure.error)
                self._presence.works(run.uid)
            now = self._runtime.now()
            if result is None and due is not None and max(due, not_before) <= now:
                if await self._hibernation.give_back(run):
                    return Answer(state="hibernate")
                not_before = now + _NOT_GIVEN_BACK
            if result is None and until <= now:
                return Answer(state="pending")
        if result.is_open:
            return result.answer()
        held = await self._record(run, record, result)
        return self._filled(result.answer()) if held is None else await self._recorded(run, held)

    async def _record(self, run: Run, record: Record, result: Result) -> str | None:
        """Enter a result; return the one that was there before, if there was one."""
        text, large = large_results.split(self._as_text(result))
        effect, now = result.effect, self._runtime.timestamp()

        def work(sql: Connection) -> str:
            attempts.check(sql, run.attempt)
            if large is not None:
                stored.put(sql, run.uid, large, now)
            return operations.finish(sql, record, text, effect_uid=effect.uid if effect else None)

        held = await self._runtime.database.write(work)
        return None if held is text else held

    async def _seen(self, run: Run) -> None:
        """Show what the run does from now on, also after a restart of the server."""
        if run.uid not in self._presence:
            known = await self._runtime.database.read(lambda sql: attempts.find(sql, run.uid))
            self._presence.began(run.uid, (known or run.attempt).assigned)

    async def _is_cancelled(self, run: Run) -> bool:
        """Whether the run is to be cancelled, after giving it time to hear so by itself."""
        until = self._runtime.now() + _CANCEL_NOTICE
        execution = self._runtime.executions.get(run.uid)
        if execution is None or execution.spec.desired_state != DesiredState.CANCELLED:
            return False
        with self._runtime.executions.topics.subscribed([run.uid]) as subscription:
            while (left := (until - self._runtime.now()).total_seconds()) > 0:
                execution = self._runtime.executions.get(run.uid)
                if execution is None or execution.phase.is_final:
                    raise refusals.ended(f"execution {run.attempt.name} has ended")
                if self._runtime.stopping.is_set():
                    raise refusals.unavailable("the server is restarting")
                await subscription.wait(left)
        return True

    async def _diverge(self, run: Run, why: str) -> None:
        def change(execution: Execution) -> StatusChange:
            require_pod(execution, run.attempt.pod_uid)
            return move(
                execution,
                Phase.FAILED,
                now=self._runtime.now(),
                reason=Reason.DIVERGED,
                message=why,
                children=self._statuses.counts(execution),
            )

        await self._statuses.change(run.uid, change)
        self._presence.ended(run.uid)
        raise refusals.diverged(why)

    def _as_text(self, result: Result) -> str:
        """Return a result as the journal keeps it: what an ended Execution holds is left there."""
        answer = result.answer()
        kept = dataclasses.replace(
            answer, executions=[_without_values(shown) for shown in answer.executions]
        )
        return json.dumps(encode(kept))

    async def _recorded(self, run: Run, text: str) -> Answer:
        text = await large_results.whole(self._runtime.database, run.uid, text)
        return self._filled(decode(Answer, json.loads(text)))

    def _filled(self, answer: Answer) -> Answer:
        shown = [
            self._values.with_small_outputs(one)
            if one.status in _ENDED and one.output_value is None
            else one
            for one in answer.executions
        ]
        error = answer.error
        if error is not None and error.execution is not None:
            failed = self._values.with_small_outputs(error.execution)
            error = dataclasses.replace(error, execution=failed)
        return dataclasses.replace(answer, executions=shown, error=error)


def _deadline(plan: Plan[Any] | None, now: float) -> float | None:
    if plan is None or plan.timeout is None:
        return plan.deadline if plan else None
    return now + plan.timeout


def _kept(arguments: Any) -> str:
    """Return arguments as the journal keeps them for a run that may wait without a Pod."""
    return json.dumps(dataclasses.asdict(arguments), separators=(",", ":"))


def _differs(record: Record, intent: Record) -> str | None:
    return journal.difference(
        sequence=intent.sequence,
        recorded=(record.kind, record.target, record.line),
        asked=(intent.kind, intent.target, intent.line),
    )


def _without_values(shown: ExecutionView) -> ExecutionView:
    if shown.status not in _ENDED:
        return shown
    return dataclasses.replace(shown, input_value=None, output_value=None)
