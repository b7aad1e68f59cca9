"""Tells a computing script to stop: a long poll from the runner's second thread."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.server import refusals
from weir.server.identity import Caller
from weir.server.presence import Presence
from weir.server.runs import Runs, speaks_for
from weir.server.runtime import Runtime
from weir.storage import attempts
from weir_protocol import Ask, Control

Stop = Literal["Cancelled", "TimedOut", "Gone"]


class Controls:
    """Answers control polls."""

    def __init__(self, runtime: Runtime, runs: Runs, presence: Presence) -> None:
        self._runtime = runtime
        self._runs = runs
        self._presence = presence

    async def poll(self, caller: Caller, ask: Ask) -> Control:
        """Return why the script should stop, or nothing after a while.

        Raises Refused, ClusterError, StorageError.
        """
        try:
            run = await self._runs.admitted(caller, ask, final=True)
        except refusals.Refused as refused:
            if refused.status == 409:
                return Control(stop="Gone")
            raise
        # A run that waits may do so at another server, which shows it.
        if run.uid not in self._presence and run.execution.phase == Phase.STARTING:
            known = await self._runtime.database.read(lambda sql: attempts.find(sql, run.uid))
            self._presence.began(run.uid, (known or run.attempt).assigned)
        until = self._runtime.now() + timedelta(seconds=self._runtime.poll_seconds)
        with self._runtime.executions.topics.subscribed([run.uid]) as subscription:
            while True:
                if stop := self._stop(caller, ask):
                    return Control(stop=stop)
                if self._runtime.stopping.is_set():
                    raise refusals.unavailable("the server is restarting")
                left = (until - self._runtime.now()).total_seconds()
                if not await subscription.wait(left) and left <= 0:
                    return Control()

    def _stop(self, caller: Caller, ask: Ask) -> Stop | None:
        execution = self._runtime.executions.get(ask.uid)
        if execution is None or not speaks_for(execution, caller, ask):
            return "Gone"
        if execution.phase.is_final:
            return "TimedOut" if execution.status.reason == Reason.TIMED_OUT else "Gone"
        if execution.spec.desired_state == DesiredState.CANCELLED:
            return "Cancelled"
        return None
