"""Look at one Schedule: what is due, and what comes next."""

import logging
import random
from collections.abc import Callable
from datetime import datetime

from weir.api.phases import DesiredState
from weir.api.reasons import Reason
from weir.api.resource import changed
from weir.api.schedule import Schedule, ScheduleStatus
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from weir.cluster.kinds import EXECUTIONS, SCHEDULES
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.store import Store
from weir.core import schedules
from weir.core.schedules import Decision
from weir.core.targets import ready_condition

logger = logging.getLogger(__name__)

# Timers do not notice that the clock was set. Not all Schedules at the same moment.
_AT_LEAST_EVERY = (45.0, 60.0)


class ScheduleController:
    """Starts the runs of Schedules."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        queue: LookAgainQueue,
        intake: Intake,
        events: EventWriter,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._queue = queue
        self._intake = intake
        self._events = events
        self._clock = clock

    async def look(self, target: Target) -> None:
        """Start what is due, and write what comes next."""
        namespace, now = target.namespace, self._clock()
        catalog = self._store.schedules(namespace)
        schedule = catalog.get(target.name)
        if schedule is None:
            return
        verdict, timing = schedules.check(schedule, catalog, self._store.flows(namespace))
        self._warn(schedule, verdict.ready, verdict.reason, verdict.message)
        decision = Decision()
        if verdict.ready and timing is not None:
            running = self._store.scheduled.live(schedule.key)
            decision = await self._carry_out(
                schedule, schedules.decide(schedule, timing, running, now)
            )
            self._look_again(target, decision, now)
        after = schedules.status_after(
            schedule,
            verdict,
            timing,
            decision,
            self._store.scheduled.live(schedule.key),
            last_success=self._store.scheduled.succeeded(schedule.key),
            now=now,
        )
        await self._write(schedule, after)

    def _look_again(self, target: Target, decision: Decision, now: datetime) -> None:
        delay = random.uniform(*_AT_LEAST_EVERY)
        if decision.again is not None:
            delay = min(delay, (decision.again - now).total_seconds())
        self._queue.look_again(target, max(delay, 0.001))

    async def _carry_out(self, schedule: Schedule, decision: Decision) -> Decision:
        """Do what was decided; return what was done."""
        if decision.cancel:
            await self._cancel_running(schedule)
        if decision.start is not None and not await self._start(schedule, decision.start):
            decision = schedules.without_start(decision)
        if decision.missed:
            logger.info(
                "Times missed",
                extra={"object": "/".join(schedule.key), "count": decision.missed},
            )
        return decision

    async def _start(self, schedule: Schedule, due: datetime) -> bool:
        """Make the run of a due time; False: another object has its name."""
        body = schedules.manifest(schedule, due)
        namespace, name = schedule.metadata.namespace, body["metadata"]["name"]
        try:
            made = await self._cluster.create(EXECUTIONS, namespace, body)
        except AlreadyExists:
            try:
                made = await self._cluster.get(EXECUTIONS, namespace, name)
            except NotFound:
                return True  # it was there, and somebody deleted it
            if not schedules.is_run_of(made, schedule):
                message = f"the execution {name} is not of this Schedule, so none could be made"
                self._events.warn(schedule, Reason.NAME_TAKEN, message)
                return False
        except (Invalid, Refused) as error:
            message = f"no run can be made: {error.message}"
            self._events.warn(schedule, Reason.REFUSED, message)
            raise
        else:
            logger.info(
                "Run started",
                extra={"object": "/".join(schedule.key), "execution": name, "due": str(due)},
            )
        self._intake.execution(made)
        return True

    async def _cancel_running(self, schedule: Schedule) -> None:
        spec = {"desiredState": str(DesiredState.CANCELLED)}
        for name, uid in self._store.scheduled.to_cancel(schedule.key):
            body = {"metadata": {"uid": uid}, "spec": spec}
            namespace = schedule.metadata.namespace
            try:
                written = await self._cluster.patch(EXECUTIONS, namespace, name, body)
            except (NotFound, Conflict):
                continue  # it is gone; the watch will tell
            self._intake.execution(written)
            logger.info(
                "Execution is to be cancelled",
                extra={"object": f"{namespace}/{name}", "why": "its Schedule replaces it"},
            )

    def _warn(self, schedule: Schedule, ready: bool, reason: Reason, message: str) -> None:
        known = ready_condition(schedule)
        if not ready and (known is None or (known.reason, known.message) != (reason, message)):
            self._events.warn(schedule, reason, message)

    async def _write(self, schedule: Schedule, after: ScheduleStatus) -> None:
        patch = changed(schedule.status, after)
        if not patch:
            return
        body = {"metadata": {"uid": schedule.metadata.uid}, "status": patch}
        try:
            written = await self._cluster.patch(SCHEDULES, *schedule.key, body, status=True)
        except (NotFound, Conflict):
            return  # it is gone, or another one has its name; the watch will tell
        self._intake.schedule(written)
