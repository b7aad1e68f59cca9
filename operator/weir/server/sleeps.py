"""The operation `sleep`: answered when its time has come, however often Pod and server went."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Any

from weir.api.execution_status import Waited
from weir.api.resource import render_time
from weir.core import journal
from weir.server import raising
from weir.server.disturbance import is_disturbed
from weir.server.presence import Presence
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.storage.operations import Record
from weir_protocol.arguments import SleepArguments

# The end of the year 9999: what no time can be shown beyond.
_LATEST = 253_402_300_799.0


class Sleeps:
    """Sleeps."""

    def __init__(self, runtime: Runtime, presence: Presence) -> None:
        self._runtime = runtime
        self._presence = presence

    def plan(self, run: Run, sequence: int, arguments: SleepArguments) -> Plan[None]:
        """Decide when it is over. Raises Raises."""
        given = (arguments.seconds, arguments.until)
        if sum(one is not None for one in given) != 1:
            raise raising.Raises("InvalidInputError", "a sleep has either seconds or until")
        until = arguments.until
        if until is None:
            until = self._runtime.timestamp() + (arguments.seconds or 0.0)
        if not isfinite(until) or until > _LATEST:
            raise raising.Raises("InvalidInputError", "a sleep ends before the year 10000")
        return Plan(None, digest=journal.digest(arguments), deadline=max(until, 0.0))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: SleepArguments, until: datetime
    ) -> Result | None:
        """Wait for the deadline that was entered first."""
        deadline = record.deadline or 0.0
        shown = render_time(datetime.fromtimestamp(deadline, UTC))
        with self._runtime.executions.topics.subscribed([run.uid]) as subscription:
            while True:
                now = self._runtime.now()
                if now.timestamp() >= deadline:
                    self._presence.works(run.uid)
                    return Result()
                self._presence.waits(run.uid, lambda: [Waited(kind="Time", name=shown)])
                left = min((until - now).total_seconds(), deadline - now.timestamp())
                if is_disturbed(self._runtime, run) or until <= now:
                    return None
                await subscription.wait(max(left, 0.001))
