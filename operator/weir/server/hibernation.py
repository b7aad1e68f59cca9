"""Takes the Pods of runs that wait long: the journal has all that another Pod needs to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.core import hibernation
from weir.core.moves import StatusChange, move
from weir.server import refusals
from weir.server.flows import RevisionMissing, Revisions
from weir.server.presence import Presence
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.storage.operations import Record

# What a wait is for has to be shown before its Pod goes, which is done after a second.
_LOOK_AGAIN = timedelta(seconds=0.25)


class Hibernation:
    """Decides for runs that hold an operation; see `waking` for what follows."""

    def __init__(
        self, runtime: Runtime, statuses: Statuses, revisions: Revisions, presence: Presence
    ) -> None:
        self._runtime = runtime
        self._statuses = statuses
        self._revisions = revisions
        self._presence = presence

    async def patience(self, run: Run, record: Record) -> timedelta | None:
        """Return how long a run waits in its Pod, by its Flow; None: as long as it takes."""
        if record.kind == "once":
            return None  # what the script computed is not recorded yet
        try:
            flow = await self._revisions.of(run.execution)
        except RevisionMissing:
            return None
        return hibernation.patience(run.execution, flow)

    def due(self, run: Run, record: Record, patience: timedelta | None) -> datetime | None:
        """Return when a run that waits in an operation is to give its Pod back."""
        execution = self._runtime.executions.get(run.uid)
        if patience is None or execution is None:
            return None
        if execution.phase == Phase.PAUSED:
            return (execution.status.paused_at or self._runtime.now()) + patience
        due = datetime.fromtimestamp(record.created, UTC) + patience
        if execution.phase == Phase.WAITING:
            return due
        return max(due, self._runtime.now() + _LOOK_AGAIN)

    def has_lost_pod(self, run: Run) -> bool:
        """Whether the run's Pod was taken: by this server, another one, or the operator."""
        execution = self._runtime.executions.get(run.uid)
        if execution is None:
            return False
        runner = execution.status.runner
        return runner is None or runner.pod_uid != run.attempt.pod_uid

    async def give_back(self, run: Run) -> bool:
        """Have the status name no Pod, if the run still waits; return whether that is so.

        Raises Refused, ClusterError.
        """
        waited = self._presence.waited(run.uid)

        def change(execution: Execution) -> StatusChange | None:
            status, desired = execution.status, execution.spec.desired_state
            if execution.phase.is_final:
                raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
            if status.runner is None or status.runner.pod_uid != run.attempt.pod_uid:
                return None
            expected = DesiredState.PAUSED if status.phase == Phase.PAUSED else DesiredState.RUNNING
            if status.resumable is False or desired != expected:
                return None
            fields = {} if waited is None else {"waiting_for": waited}
            return hibernation.given_back(execution, now=self._runtime.now(), **fields)

        return (await self._statuses.change(run.uid, change)).is_hibernated

    async def rule_out(self, run: Run) -> None:
        """Note that no other Pod can take a run up: its script asks from several threads.

        Raises Refused, ClusterError.
        """
        if run.execution.status.resumable is False:
            return

        def change(execution: Execution) -> StatusChange | None:
            status = execution.status
            if execution.phase.is_final:
                raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
            if status.runner is None or status.runner.pod_uid != run.attempt.pod_uid:
                raise refusals.fenced(f"attempt {run.attempt.attempt} gave its Pod back")
            if status.resumable is False:
                return None
            return move(
                execution,
                execution.phase,
                now=self._runtime.now(),
                reason=status.reason,
                resumable=False,
            )

        await self._statuses.change(run.uid, change)
