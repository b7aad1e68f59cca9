"""Holds a run at its next operation while people want it paused."""

from __future__ import annotations

from datetime import datetime

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.core.moves import StatusChange, move
from weir.server import refusals
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses


class Pausing:
    """Writes Paused while a run holds an operation, and Running when it may go on."""

    def __init__(self, runtime: Runtime, statuses: Statuses) -> None:
        self._runtime = runtime
        self._statuses = statuses

    async def may_go_on(self, run: Run, until: datetime) -> bool:
        """Return True when the run is not paused (any more), False when it still is at `until`.

        Raises Refused when it has ended, or the server is about to stop.
        """
        if not self._is_held(run):
            return True
        with self._runtime.executions.topics.subscribed([run.uid]) as subscription:
            while self._is_held(run):
                execution = await self._statuses.change(run.uid, self._settled)
                if execution.spec.desired_state != DesiredState.PAUSED:
                    return True
                left = (until - self._runtime.now()).total_seconds()
                if not await subscription.wait(left) and left <= 0:
                    return False
        return True

    def _is_held(self, run: Run) -> bool:
        """Whether the run is paused, or is to be."""
        if self._runtime.stopping.is_set():
            raise refusals.unavailable("the server is restarting")
        execution = self._runtime.executions.get(run.uid)
        if execution is None or execution.phase.is_final:
            raise refusals.ended(f"execution {run.attempt.name} has ended")
        return (
            execution.spec.desired_state == DesiredState.PAUSED or execution.phase == Phase.PAUSED
        )

    def _settled(self, execution: Execution) -> StatusChange | None:
        """Return the move into the pause, or out of it; a pause does not count as running."""
        now = self._runtime.now()
        if execution.phase.is_final:
            raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
        if execution.spec.desired_state == DesiredState.PAUSED:
            if execution.phase == Phase.PAUSED:
                return None
            return move(execution, Phase.PAUSED, now=now, paused_at=now, waiting_for=None)
        if execution.phase != Phase.PAUSED:
            return None
        return move(execution, Phase.RUNNING, now=now)
