"""The operation `wait`: answered by the server's own watch, never by asking Kubernetes again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weir.api.execution import Execution
from weir.api.execution_status import Waited
from weir.api.phases import Phase
from weir.core import journal, views
from weir.core.waiting import Failed, Over, Pending, Seen, TimedOut, verdict
from weir.server import raising
from weir.server.disturbance import is_disturbed
from weir.server.presence import Presence
from weir.server.runs import Run
from weir.server.runtime import Runtime
from weir.server.steps import Plan, Result
from weir.server.trees import is_uid, require_same_tree
from weir.server.values import Values
from weir.storage.operations import Record
from weir_protocol import Cause, ExecutionView
from weir_protocol.arguments import (
    WaitArguments,
)

# More would not fit into a request's answer in a useful way.
_MAX_WAITED = 10_000
DELETED = "it was deleted"


@dataclass(frozen=True, slots=True)
class _Known:
    """One execution that is waited for, as far as it is known."""

    uid: str
    execution: Execution | None  # None: it is gone
    name: str

    @property
    def seen(self) -> Seen:
        if self.execution is None:
            return Seen(self.uid, None)
        status = self.execution.status
        return Seen(self.uid, status.phase, status.completion_time)

    def view(self) -> ExecutionView:
        if self.execution is not None:
            return views.view(self.execution)
        return ExecutionView(
            uid=self.uid,
            name=self.name,
            title=self.name,
            type="FLOW",
            status=Phase.FAILED.script_status,
            phase=str(Phase.FAILED),
            message=DELETED,
            cause=Cause(execution=self.name, title="Deleted", message=DELETED),
        )


class Waits:
    """Waits for Executions."""

    def __init__(self, runtime: Runtime, values: Values, presence: Presence) -> None:
        self._runtime = runtime
        self._values = values
        self._presence = presence

    def plan(self, run: Run, sequence: int, arguments: WaitArguments) -> Plan[None]:
        """Check what is waited for. Raises Raises."""
        if len(arguments.uids) > _MAX_WAITED:
            raise raising.Raises(
                "InvalidInputError", f"a wait takes at most {_MAX_WAITED} executions"
            )
        if run.uid in arguments.uids:
            raise raising.Raises("InvalidInputError", "an execution cannot wait for itself")
        return Plan(None, digest=journal.digest(arguments), timeout=arguments.timeout)

    def topics(self, run: Run, arguments: WaitArguments) -> list[str]:
        """Any change of what is waited for."""
        return arguments.uids

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: WaitArguments, until: datetime
    ) -> Result | None:
        """Wait until it is over, or until it is time to ask again."""
        uids = list(dict.fromkeys(arguments.uids))
        deadline = record.deadline
        with self._runtime.executions.topics.subscribed([*uids, run.uid]) as subscription:
            known = {uid: await self._known(run, uid) for uid in uids}
            self._presence.waits(run.uid, lambda: _waited(known))
            while True:
                for uid, one in known.items():
                    if not one.seen.is_over:
                        known[uid] = await self._again(one)
                now = self._runtime.now()
                expired = deadline is not None and now.timestamp() >= deadline
                result = self._judged(arguments, list(known.values()), expired)
                if result is not None:
                    self._presence.works(run.uid)
                    return result
                if is_disturbed(self._runtime, run):
                    return None
                left = (until - now).total_seconds()
                if left <= 0:
                    return None
                if deadline is not None:
                    left = min(left, deadline - now.timestamp())
                await subscription.wait(max(left, 0.001))

    def _judged(
        self, arguments: WaitArguments, known: list[_Known], expired: bool
    ) -> Result | None:
        by_uid = {one.uid: one for one in known}
        said = verdict(arguments.return_when, [one.seen for one in known], expired=expired)
        match said:
            case Pending():
                return None
            case Over(ended=ended):
                return Result([by_uid[uid].view() for uid in ended])
            case Failed(uid=uid):
                failed = by_uid[uid].view()
                raise raising.Raises("DependencyFailedError", views.failure(failed), failed)
            case TimedOut(running=running):
                names = ", ".join(by_uid[uid].name for uid in running[:5])
                more = f" and {len(running) - 5} more" if len(running) > 5 else ""
                raise raising.Raises(
                    "DependencyTimeoutError",
                    f"{names}{more} had not ended after {arguments.timeout:g} s",
                )

    async def _known(self, run: Run, uid: str) -> _Known:
        if not is_uid(uid):
            raise raising.not_found(f"there is no execution {uid[:64]!a}")
        execution = await self._values.find(uid)
        if execution is None:
            name = await self._values.is_gone(uid)
            execution = self._runtime.executions.get(uid)
            if execution is None:
                if name is None:
                    raise raising.not_found(f"there is no execution {uid[:64]}")
                return _Known(uid, None, name)
        require_same_tree(run.execution, execution)
        return _Known(uid, execution, execution.metadata.name)

    async def _again(self, one: _Known) -> _Known:
        execution = self._runtime.executions.get(one.uid)
        if execution is None:
            # It was there when the wait began: it is archived, or deleted.
            execution = await self._values.find(one.uid)
        return _Known(one.uid, execution, one.name)


def _waited(known: dict[str, _Known]) -> list[Waited]:
    return [
        Waited(kind="Execution", name=one.name) for one in known.values() if not one.seen.is_over
    ]
