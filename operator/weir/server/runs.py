"""Which run a request is for, and whether its sender may still speak for it (the fence)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from weir.api.execution import Execution
from weir.api.names import pod_name
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core import retries
from weir.server import refusals
from weir.server.identity import Caller
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.server.trees import is_uid
from weir.server.watches import parsed
from weir.storage import attempts
from weir.storage.attempts import Attempt


class Sent(Protocol):
    """A message that says which attempt it comes from."""

    @property
    def uid(self) -> str:
        """The Execution's UID."""
        ...

    @property
    def try_number(self) -> int:
        """Its try."""
        ...

    @property
    def attempt(self) -> int:
        """Its attempt."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """The current attempt of an Execution, by a Pod that may speak for it."""

    execution: Execution
    attempt: Attempt

    @property
    def uid(self) -> str:
        """The Execution's UID."""
        return self.attempt.uid


class Runs:
    """Lets requests of current attempts pass, and no others."""

    def __init__(self, runtime: Runtime, statuses: Statuses) -> None:
        self._runtime = runtime
        self._statuses = statuses

    async def admitted(self, caller: Caller, sent: Sent, *, final: bool = False) -> Run:
        """Return the run that a message is about.

        Raises Refused: Forbidden for another's Execution, Fenced for an old attempt, Ended for one
        that is final (unless `final`) or gone.
        """
        if not is_uid(sent.uid):
            raise refusals.invalid("uid is the UID of an execution")
        execution = self._runtime.executions.get(sent.uid)
        if execution is None or not speaks_for(execution, caller, sent):
            # Before it is refused for good, look at what is true now.
            execution = await self._looked_up(sent.uid)
        if execution is None:
            raise await self._unknown(caller, sent)
        if not speaks_for(execution, caller, sent):
            raise refusal(execution, caller, sent)
        if execution.phase.is_final and not final:
            raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
        return Run(execution, attempt_of(execution, caller, self._runtime.timestamp()))

    async def _looked_up(self, uid: str) -> Execution | None:
        if self._runtime.executions.get(uid) is not None:
            return await self._statuses.refreshed(uid)
        # Another server may have assigned it a moment ago, before our watch told of it.
        known = await self._runtime.database.read(lambda sql: attempts.find(sql, uid))
        if known is None:
            return None
        try:
            item = await self._runtime.cluster.get(EXECUTIONS, known.namespace, known.name)
        except NotFound:
            return None
        execution = parsed(Execution, item)
        if execution is None or execution.uid != uid:
            return None
        return self._runtime.executions.feed(execution)

    async def _unknown(self, caller: Caller, sent: Sent) -> refusals.Refused:
        known = await self._runtime.database.read(lambda sql: attempts.find(sql, sent.uid))
        if known is not None and known.namespace == caller.namespace:
            return refusals.ended(f"execution {known.name} is gone")
        return refusals.forbidden("this token is not for that execution")


def speaks_for(execution: Execution, caller: Caller, sent: Sent) -> bool:
    """Whether a Pod makes the current attempt of an Execution, and says so."""
    runner = execution.status.runner
    return (
        runner is not None
        and runner.pod_uid == caller.pod_uid
        and execution.metadata.namespace == caller.namespace
        and (execution.status.try_number or 1) == sent.try_number
        and (execution.status.attempt or 1) == sent.attempt
    )


def refusal(execution: Execution, caller: Caller, sent: Sent) -> refusals.Refused:
    """Return why a Pod may not speak for an Execution: it did once, or it never did."""
    metadata = execution.metadata
    ours = metadata.namespace == caller.namespace and caller.pod == pod_name(
        metadata.name, execution.uid, sent.attempt
    )
    current = execution.status.runner and execution.status.runner.pod_uid == caller.pod_uid
    if not ours and not current:
        return refusals.forbidden("this token is not for that execution")
    if execution.phase.is_final:
        return refusals.ended(f"execution {metadata.name} is {execution.phase}")
    if retries.is_over(execution.status, sent.try_number):
        return refusals.fenced(f"try {sent.try_number} of {metadata.name} is over")
    return refusals.fenced(
        f"attempt {sent.attempt} of {metadata.name} is over: "
        f"attempt {execution.status.attempt} is current"
    )


def require_pod(execution: Execution, pod_uid: str) -> None:
    """Raise Refused unless a Pod is the one that runs an Execution now.

    For what is written about an attempt after the first look: another may have taken over.
    """
    if execution.phase.is_final:
        raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
    runner = execution.status.runner
    if runner is None or runner.pod_uid != pod_uid:
        raise refusals.fenced(f"{execution.metadata.name} is not this Pod's any more")


def attempt_of(execution: Execution, caller: Caller, now: float) -> Attempt:
    """Return the current attempt of an Execution."""
    return Attempt(
        uid=execution.uid,
        namespace=execution.metadata.namespace,
        name=execution.metadata.name,
        try_number=execution.status.try_number or 1,
        attempt=execution.status.attempt or 1,
        pod_uid=caller.pod_uid,
        assigned=now,
    )
