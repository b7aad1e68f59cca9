"""Writes Running and Waiting, once they have lasted long enough to be worth a write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from weir.api import durations
from weir.api.execution import Execution
from weir.api.execution_status import Waited
from weir.api.flow import FlowSpec
from weir.api.phases import Phase
from weir.cluster.errors import ClusterError
from weir.core.moves import StatusChange, move
from weir.core.waiting import Activity, shown
from weir.server.flows import RevisionMissing, Revisions
from weir.server.refusals import Refused
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses

logger = logging.getLogger(__name__)

MAX_WAITED = 20
_RETRY = timedelta(seconds=5)
_FIRST_CROWD = 256


@dataclass(slots=True)
class _Present:
    activity: Activity
    works_since: datetime
    waited: Callable[[], Sequence[Waited]] | None = None
    timer: asyncio.TimerHandle | None = None
    due: datetime | None = None


class Presence:
    """What each run does, and its timer for showing that."""

    def __init__(self, runtime: Runtime, statuses: Statuses, revisions: Revisions) -> None:
        self._runtime = runtime
        self._statuses = statuses
        self._revisions = revisions
        self._present: dict[str, _Present] = {}
        self._crowded = _FIRST_CROWD  # how many make it worth to look for those that are gone
        self._tasks: set[asyncio.Task[None]] = set()

    def __contains__(self, uid: str) -> bool:
        return uid in self._present

    def began(self, uid: str, assigned: float) -> None:
        """A run was assigned at that Unix time."""
        began = datetime.fromtimestamp(assigned, UTC)
        if uid not in self._present:
            if len(self._present) >= self._crowded:
                self._forget_gone()
            self._present[uid] = _Present(Activity(began), works_since=self._runtime.now())
        self._look(uid)

    def assigned(self, uid: str) -> datetime | None:
        """Return when a run was assigned."""
        present = self._present.get(uid)
        return present.activity.began if present else None

    def waits(self, uid: str, waited: Callable[[], Sequence[Waited]]) -> None:
        """A run waits from now on, for what `waited` says when it is to be written."""
        if present := self._present.get(uid):
            if present.activity.waits_since is None:
                since = self._runtime.now()
                present.activity = replace(present.activity, waits_since=since, is_listed=False)
            present.waited = waited
            self._look(uid)

    def waited(self, uid: str) -> list[Waited] | None:
        """Return what a run waits for, as a status lists it; None: this server does not know."""
        present = self._present.get(uid)
        if present is None or present.waited is None:
            return None
        return list(present.waited())[:MAX_WAITED]

    def works(self, uid: str) -> None:
        """A run does not wait any more."""
        present = self._present.get(uid)
        if present and present.activity.waits_since is not None:
            present.activity = replace(present.activity, waits_since=None)
            present.works_since = self._runtime.now()
            present.waited = None
            self._look(uid)

    def ended(self, uid: str) -> None:
        """A run is over, or is not this server's any more."""
        present = self._present.pop(uid, None)
        if present and present.timer:
            present.timer.cancel()

    async def close(self) -> None:
        """Stop all timers and writes."""
        for uid in list(self._present):
            self.ended(uid)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget_gone(self) -> None:
        """Drop runs that ended without a word: deleted, lost, or reported at another server."""
        for uid in list(self._present):
            execution = self._runtime.executions.get(uid)
            if execution is None or execution.phase.is_final or execution.is_hibernated:
                self.ended(uid)
        self._crowded = max(_FIRST_CROWD, 2 * len(self._present))

    def _look(self, uid: str) -> None:
        """Write what is due, or set the timer for it."""
        present = self._present[uid]
        execution = self._runtime.executions.get(uid)
        if execution is None or execution.phase.is_final or execution.is_hibernated:
            self.ended(uid)
            return
        now = self._runtime.now()
        show = shown(execution.phase, present.activity, present.works_since, now)
        if show.phase is not None:
            task = asyncio.create_task(self._write(uid))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif show.again is not None:
            self._arm(uid, show.again)

    def _arm(self, uid: str, due: datetime) -> None:
        present = self._present.get(uid)
        if present is None or (present.timer and present.due and present.due <= due):
            return
        if present.timer:
            present.timer.cancel()
        delay = max((due - self._runtime.now()).total_seconds(), 0.0)
        present.due = due
        present.timer = asyncio.get_running_loop().call_later(delay, self._fire, uid)

    def _fire(self, uid: str) -> None:
        if present := self._present.get(uid):
            present.timer = present.due = None
            self._look(uid)

    async def _write(self, uid: str) -> None:
        """Write what is to be shown by now, and see to what follows."""
        try:
            execution = self._runtime.executions.get(uid)
            if execution is None:
                return
            timeout = await self._timeout(execution)
            await self._statuses.change(uid, lambda newest: self._change(newest, timeout))
        except Refused:
            self.ended(uid)
            return
        except ClusterError as error:
            logger.warning("Phase not written", extra={"uid": uid, "error": error.message[:300]})
            self._arm(uid, self._runtime.now() + _RETRY)
            return
        if uid in self._present:
            self._look_again(uid)

    def _look_again(self, uid: str) -> None:
        present = self._present[uid]
        execution = self._runtime.executions.get(uid)
        if execution is not None:
            show = shown(
                execution.phase, present.activity, present.works_since, self._runtime.now()
            )
            due = show.again or (self._runtime.now() if show.phase else None)
            if due is not None:
                self._arm(uid, due)

    def _change(self, execution: Execution, timeout: timedelta | None) -> StatusChange | None:
        present = self._present.get(execution.uid)
        if present is None or execution.is_hibernated:
            return None
        now = self._runtime.now()
        show = shown(execution.phase, present.activity, present.works_since, now)
        if show.phase is None:
            return None
        fields: dict[str, Any] = {"waiting_for": None}
        if show.phase == Phase.WAITING and present.waited is not None:
            fields["waiting_for"] = self.waited(execution.uid)
            present.activity = replace(present.activity, is_listed=True)
        return move(
            execution,
            show.phase,
            now=now,
            journal=self._runtime.database.identity,
            children=self._statuses.counts(execution),
            **start_fields(execution, present.activity.began, timeout),
            **fields,
        )

    async def _timeout(self, execution: Execution) -> timedelta | None:
        if execution.status.start_time is not None:
            return None
        return await timeout_of(self._revisions, execution)


async def timeout_of(revisions: Revisions, execution: Execution) -> timedelta | None:
    """Return how long a run may take: its own limit, else its Flow's."""
    flow = None
    if execution.spec.timeout is None:
        with suppress(RevisionMissing):
            flow = await revisions.of(execution)
    return timeout_by(execution, flow)


def timeout_by(execution: Execution, flow: FlowSpec | None) -> timedelta | None:
    """Return how long a run of that Flow may take."""
    said = execution.spec.timeout or (flow.timeout if flow else None)
    return durations.parse(said) if said is not None else None


def start_fields(
    execution: Execution, began: datetime, timeout: timedelta | None
) -> dict[str, Any]:
    """Return the status fields of a run's start: set once, by the first attempt that starts."""
    if execution.status.start_time is not None:
        return {}
    fields: dict[str, Any] = {"start_time": began}
    if timeout is not None:
        fields["deadline"] = began + timeout
    return fields
