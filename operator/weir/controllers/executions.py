"""Look at one Execution: gather what matters, let `core` decide, do it."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from weir.api import names
from weir.api.execution import Execution
from weir.api.execution_status import RunnerStatus
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from weir.cluster.kinds import EXECUTIONS, PODS
from weir.cluster.transition import transition
from weir.controllers.events import EventWriter
from weir.controllers.gathering import Gatherer
from weir.controllers.intake import Intake
from weir.controllers.places import Start
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.room import Room
from weir.controllers.store import Store
from weir.core import pods, starting
from weir.core.actions import (
    Action,
    DeletePod,
    LabelMode,
    LookAgain,
    Move,
    Nothing,
    RequestCancel,
    StartPod,
)
from weir.core.decisions import next_action
from weir.core.moves import StatusChange, move
from weir.core.observed import Observed
from weir.core.pods import RunnerDefaults

logger = logging.getLogger(__name__)

# In a namespace of a moment ago the service account may be missing yet: the first wait is short.
_FIRST_REFUSAL, _MAX_REFUSAL = timedelta(seconds=0.5), timedelta(seconds=30)
# The API server's own words.
_OVER_QUOTA = "exceeded quota"
_CONFLICT_DELAY = 0.05
_POD_GRACE = timedelta(seconds=15)


class ExecutionController:
    """Brings Executions from Pending to their end."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        queue: LookAgainQueue,
        intake: Intake,
        gatherer: Gatherer,
        events: EventWriter,
        room: Room,
        *,
        runner_defaults: Callable[[], RunnerDefaults],
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._queue = queue
        self._intake = intake
        self._gatherer = gatherer
        self._events = events
        self._room = room
        self._runner_defaults = runner_defaults
        self._clock = clock

    async def look(self, target: Target) -> None:
        """Do the next thing about an Execution, and look again when that may lead to another."""
        key = (target.namespace, target.name)
        execution = self._store.execution(key)
        if execution is None:
            execution = await self._gatherer.ended_with_pods(key)
        if execution is None:
            return
        seen = await self._gatherer.observe(execution, self._clock())
        action = next_action(seen, self._clock())
        try:
            await self._perform(seen, action)
        except Conflict:
            await self._refresh(execution)
            self._queue.look_again(target, _CONFLICT_DELAY)
        except NotFound:
            await self._refresh(execution)
        again = await self._room.make_for(seen)
        if again is not None:
            self._queue.look_again(target, max((again - self._clock()).total_seconds(), 0.001))

    async def _perform(self, seen: Observed, action: Action) -> None:
        target = Target("execution", *seen.execution.key)
        match action:
            case LookAgain(at=at):
                delay = max((at - self._clock()).total_seconds(), 0.001)
                self._queue.look_again(target, delay, tidying=seen.execution.phase.is_final)
                return
            case Nothing():
                return
            case StartPod():
                await self._start(seen, action)
            case Move():
                await self._move(seen, action)
            case DeletePod():
                await self._cluster.delete(
                    PODS, seen.execution.metadata.namespace, action.pod, uid=action.uid
                )
                self._store.mark_deleting(action.uid, self._clock() + _POD_GRACE)
            case RequestCancel():
                await self._request_cancel(seen.execution, action)
            case LabelMode():
                labels = {names.MODE_LABEL: str(action.mode)}
                metadata = {"uid": seen.execution.uid, "labels": labels}
                await self._patch(seen.execution, {"metadata": metadata})
        self._queue.look_again(target)

    async def _start(self, seen: Observed, action: StartPod) -> None:
        execution, uid = seen.execution, seen.execution.uid
        flow = self._store.flow_of(execution)
        self._store.places.begin_start(uid, Start(flow, seen.plan.revision))
        try:
            pod = await self._ensure_pod(seen, action)
            if pod is None:
                return
            self._store.put_pod(pod)
            memory = self._store.memory(uid)
            memory.refusals, memory.over_quota_since = 0, None
            memory.requests, memory.requested = 0, None
            await self._write(seen, self._starting(seen, action, pod))
        finally:
            self._store.places.end_start(uid)

    async def _ensure_pod(self, seen: Observed, action: StartPod) -> JsonObject | None:
        """Make the Pod, or find the one that an earlier, interrupted look made.

        None when there is none: what was written then says why.
        """
        execution = seen.execution
        plan = seen.plan
        installs = bool(plan.spec and plan.spec.requirements)
        body = pods.manifest(
            execution, action.attempt, plan.runner, self._runner_defaults(), installs=installs
        )
        namespace, name = execution.metadata.namespace, body["metadata"]["name"]
        try:
            return await self._cluster.create(PODS, namespace, body)
        except AlreadyExists:
            found = await self._cluster.get(PODS, namespace, name)
            if pods.belongs_to(found, execution):
                return found
            message = f"the Pod {name} belongs to somebody else: delete it, or run again"
            await self._move(seen, starting.failed(seen, Reason.NAME_TAKEN, message))
        except Invalid as error:
            message = f"the Pod cannot be made: {error.message}"
            await self._move(seen, starting.failed(seen, Reason.POD_REFUSED, message))
        except Refused as error:
            await self._wait_for_permission(seen, error)
        return None

    async def _wait_for_permission(self, seen: Observed, error: Refused) -> None:
        memory = self._store.memory(seen.execution.uid)
        delay = min(_FIRST_REFUSAL * 2 ** min(memory.refusals, 10), _MAX_REFUSAL)
        memory.refusals += 1
        memory.refused_until = self._clock() + delay
        if _OVER_QUOTA in error.message:
            memory.over_quota_since = memory.over_quota_since or self._clock()
        action = starting.refused(seen, error.message[:1000])
        if isinstance(action, Move):
            await self._move(seen, action)

    def _starting(self, seen: Observed, action: StartPod, pod: JsonObject) -> StatusChange:
        execution, plan = seen.execution, seen.plan
        status, now = execution.status, self._clock()
        return move(
            execution,
            Phase.STARTING,
            now=now,
            reason=action.reason,
            message=action.message,
            flow=status.flow or plan.title,
            title=status.title or execution.spec.title,
            revision=status.revision or plan.revision,
            # What runs is the revision, so it is said once, with it.
            source=status.source if status.revision else plan.source,
            try_number=status.try_number or 1,
            attempt=action.attempt,
            losses=action.losses or None,
            runner=RunnerStatus(pod=pod["metadata"]["name"], pod_uid=pod["metadata"]["uid"]),
            starting_time=now,
            next_try_time=None,
        )

    async def _move(self, seen: Observed, action: Move) -> None:
        change = move(
            seen.execution,
            action.phase,
            now=self._clock(),
            reason=action.reason,
            message=action.message,
            **action.fields,
        )
        await self._write(seen, change)
        self._events.warn(seen.execution, action.reason, action.message)

    async def _write(self, seen: Observed, change: StatusChange) -> None:
        try:
            written = await transition(self._cluster, seen.execution, change)
        except Invalid as error:
            logger.error("Move refused", extra={"error": error.message[:500]})
            refusal = _illegal(seen.execution, error, self._clock())
            written = await transition(self._cluster, seen.execution, refusal)
        logger.info(
            "Execution moved",
            extra={
                "object": "/".join(seen.execution.key),
                "from": str(seen.execution.phase),
                "to": str(written.phase),
                "reason": str(written.status.reason or ""),
                "attempt": written.status.attempt or 0,
            },
        )
        self._intake.execution(written)

    async def _request_cancel(self, execution: Execution, action: RequestCancel) -> None:
        logger.info(
            "Execution is to be cancelled",
            extra={"object": "/".join(execution.key), "why": action.description},
        )
        spec = {"desiredState": str(DesiredState.CANCELLED)}
        await self._patch(execution, {"metadata": {"uid": execution.uid}, "spec": spec})

    async def _patch(self, execution: Execution, body: JsonObject) -> None:
        namespace, name = execution.key
        self._intake.execution(await self._cluster.patch(EXECUTIONS, namespace, name, body))

    async def _refresh(self, execution: Execution) -> None:
        """Read an Execution that is not as it was thought to be."""
        namespace, name = execution.key
        try:
            found = await self._cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            found = None
        if found is None or found["metadata"]["uid"] != execution.uid:
            self._intake.execution_gone(execution.key, execution.uid)
        if found is not None:
            self._intake.execution(found)


def _illegal(execution: Execution, error: Invalid, now: datetime) -> StatusChange:
    message = f"the API server refused a move of this run: {error.message}"
    return move(execution, Phase.FAILED, now=now, reason=Reason.ILLEGAL_MOVE, message=message)
