"""The server's writes of an Execution's status: decided on the newest version, and decided again
when somebody was faster.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakValueDictionary

from weir.api.execution import Execution
from weir.api.execution_status import ChildCounts
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.cluster.errors import Conflict, Invalid, NotFound, Unavailable
from weir.cluster.kinds import EXECUTIONS
from weir.cluster.transition import transition
from weir.core.moves import IllegalMove, StatusChange, move
from weir.server import refusals
from weir.server.runtime import Runtime

logger = logging.getLogger(__name__)

Decide: TypeAlias = Callable[[Execution], StatusChange | None]

# Each loss of the race is a write by somebody else; there are few that write to one Execution.
_MOST_ROUNDS = 8


class Statuses:
    """Writes statuses. One write at a time for each Execution."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def change(self, uid: str, decide: Decide) -> Execution:
        """Write what `decide` says of the newest version (None: nothing), and return the Execution
        as it then is.

        A move that is not legal ends the run as Failed/IllegalMove. Raises Refused: Ended when the
        Execution is gone or final, Unavailable when the API server does not take it now; and
        whatever `decide` raises.
        """
        lock = self._locks.setdefault(uid, asyncio.Lock())
        async with lock:
            try:
                return await self._write(uid, decide)
            except (IllegalMove, Invalid) as error:
                why = str(error)
            return await self._write(uid, lambda execution: self._illegal(execution, why))

    async def refreshed(self, uid: str) -> Execution | None:
        """Read an Execution anew; None when it is gone."""
        known = self._runtime.executions.get(uid)
        if known is None:
            return None
        namespace, name = known.key
        try:
            item = await self._runtime.cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            item = None
        if item is None or item["metadata"]["uid"] != uid:
            self._runtime.executions.drop(uid)
            return None
        return self._runtime.executions.feed(Execution.model_validate(item))

    def counts(self, execution: Execution) -> ChildCounts | None:
        """Return how many children an Execution has, for a status that is written anyway."""
        children = self._runtime.executions.children(execution.uid)
        if not children:
            return execution.status.children
        return ChildCounts(
            total=len(children),
            active=sum(not child.phase.is_final for child in children),
            failed=sum(child.phase == Phase.FAILED for child in children),
        )

    async def _write(self, uid: str, decide: Decide) -> Execution:
        execution = self._runtime.executions.get(uid)
        for _ in range(_MOST_ROUNDS):
            if execution is None:
                raise refusals.ended("the execution is gone")
            change = decide(execution)
            if not change:
                return execution
            try:
                written = await transition(self._runtime.cluster, execution, change)
            except Conflict:
                execution = await self.refreshed(uid)
                continue
            except NotFound:
                self._runtime.executions.drop(uid)
                raise refusals.ended(f"execution {execution.metadata.name} is gone") from None
            if written.phase != execution.phase:
                _told(execution, written)
            return self._runtime.executions.feed(written)
        raise Unavailable(f"execution {uid} is written by others all the time")

    def _illegal(self, execution: Execution, why: str) -> StatusChange:
        if execution.phase.is_final:
            raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
        logger.error(
            "Illegal move",
            extra={"execution": execution.metadata.name, "error": why[:500]},
        )
        return move(
            execution,
            Phase.FAILED,
            now=self._runtime.now(),
            reason=Reason.ILLEGAL_MOVE,
            message=f"Weir tried a move that is not legal: {why}",
        )


def _told(before: Execution, after: Execution) -> None:
    logger.info(
        "Execution moved",
        extra={
            "namespace": after.metadata.namespace,
            "execution": after.metadata.name,
            "from": str(before.phase),
            "to": str(after.phase),
            "reason": str(after.status.reason or ""),
            "attempt": after.status.attempt,
        },
    )
