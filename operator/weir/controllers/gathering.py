"""Gather what the next step of an Execution depends on.

Nearly all of it is in the store. The API server is asked only where acting on what a watch has not
told yet would do harm: before a Pod is taken for lost, or a parent for gone.
"""

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime

from weir.api import names
from weir.api.execution import Execution
from weir.api.flow import FlowSpec
from weir.api.phases import DesiredState, Phase
from weir.api.resource import Key
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound
from weir.cluster.kinds import CONTROLLER_REVISIONS, EXECUTIONS, PODS
from weir.controllers.memory import Memory
from weir.controllers.places import ticket_of
from weir.controllers.store import Store
from weir.core import retries, targets
from weir.core.observed import Limits, Observed, Parent, Plan
from weir.core.pod_state import ABSENT, PodPhase, PodState
from weir.core.queueing import Place, place_of

_CACHED_REVISIONS = 100
_REMEMBERED_GONE = 10_000


class Gatherer:
    """Makes `Observed` of what is known."""

    def __init__(self, cluster: Cluster, store: Store, limits: Limits) -> None:
        self._cluster = cluster
        self._store = store
        self._limits = limits
        self._revisions: OrderedDict[Key, FlowSpec] = OrderedDict()
        self._gone_parents: OrderedDict[str, None] = OrderedDict()

    async def ended_with_pods(self, key: Key) -> Execution | None:
        """Read an Execution of which only its end is kept, where Pods of it are left to delete."""
        if not self._store.has_ended_with_pods(key):
            return None
        try:
            return Execution.model_validate(await self._cluster.get(EXECUTIONS, *key))
        except NotFound:
            return None

    async def observe(self, execution: Execution, now: datetime) -> Observed:
        """Return all that is known of an Execution."""
        plan = await self.plan(execution)
        parent = await self._parent(execution)
        pod = await self._pod(execution)
        # From here on nothing is awaited: a place that is free stays so until it is taken.
        memory = self._timed(execution, pod, now)
        return Observed(
            execution=execution,
            plan=plan,
            pod=pod,
            strays=self._strays(execution, pod),
            parent=parent,
            place=self._place(execution),
            limits=self._limits,
            cancel_since=memory.cancel_since,
            silent_since=memory.silent_since,
            refused_until=memory.refused_until,
            over_quota_since=memory.over_quota_since,
            left_children=self._left_children(execution),
            busy=self._store.places.is_starting,
        )

    def _timed(self, execution: Execution, pod: PodState, now: datetime) -> Memory:
        """Note since when things are as they are, where a decision counts from it."""
        if execution.phase.is_final:
            return Memory()
        memory = self._store.memory(execution.uid)
        if execution.spec.desired_state == DesiredState.CANCELLED:
            memory.cancel_since = memory.cancel_since or now
        if execution.phase != Phase.WAITING:
            memory.waits_since = None
        elif memory.waits_since is None:
            memory.waits_since = now
        runner = execution.status.runner
        is_silent = pod.phase in (PodPhase.ENDED, PodPhase.LOST, PodPhase.ABSENT)
        if runner is not None and is_silent and memory.silent_pod != runner.pod_uid:
            memory.silent_pod, memory.silent_since = runner.pod_uid, now
        return memory

    async def plan(self, execution: Execution) -> Plan:
        """Return what an Execution runs, and what stands in the way of that."""
        namespace = execution.metadata.namespace
        flows, connectors = self._store.flows(namespace), self._store.connectors(namespace)
        if not execution.status.attempt:
            return targets.plan_of(execution, flows, connectors)
        if execution.phase.is_final:
            return Plan(title=execution.status.flow or "")
        plan = targets.plan_of_started(execution, await self._revision(execution), connectors)
        flow = flows.get(plan.flow) if plan.flow else None
        return replace(plan, max_concurrent=flow.spec.max_concurrent if flow else None)

    async def _revision(self, execution: Execution) -> FlowSpec | None:
        """Return what the run's revision says, from the Flow if that is still the same."""
        namespace, name = execution.metadata.namespace, execution.status.flow
        revision = execution.status.revision
        if execution.spec.flow is None or name is None or revision is None:
            return None
        flow = self._store.flows(namespace).get(name)
        is_same = flow is not None and flow.status.revision == revision
        if flow is not None and is_same and targets.ready_condition(flow) is not None:
            return flow.spec
        return await self._stored_revision((namespace, names.revision_name(name, revision)))

    async def _stored_revision(self, key: Key) -> FlowSpec | None:
        if key not in self._revisions:
            try:
                found = await self._cluster.get(CONTROLLER_REVISIONS, *key)
            except NotFound:
                return None
            # The script, by far the largest part, is the server's affair.
            spec = FlowSpec.model_validate(found["data"]).model_copy(update={"script": "#"})
            self._revisions[key] = spec
            if len(self._revisions) > _CACHED_REVISIONS:
                self._revisions.popitem(last=False)
        return self._revisions[key]

    async def _parent(self, execution: Execution) -> Parent:
        parent = execution.spec.parent
        if parent is None or execution.spec.orphan or execution.phase.is_final:
            return Parent.NONE
        phase = self._store.phase_of(parent.uid)
        if phase is None and parent.uid not in self._gone_parents:
            phase = await self._read_parent(execution.metadata.namespace, parent.name, parent.uid)
        if phase is None:
            return Parent.DOWN
        if parent.try_number < self._store.try_of(parent.uid):
            return Parent.DOWN
        if phase == Phase.SUCCEEDED:
            return Parent.SUCCEEDED
        return Parent.DOWN if phase.is_final else Parent.LIVE

    async def _read_parent(self, namespace: str, name: str, uid: str) -> Phase | None:
        try:
            found = await self._cluster.get(EXECUTIONS, namespace, name)
        except NotFound:
            found = None
        if found is None or found["metadata"]["uid"] != uid:
            self._gone_parents[uid] = None
            if len(self._gone_parents) > _REMEMBERED_GONE:
                self._gone_parents.popitem(last=False)
            return None
        self._store.put_execution(found)
        return Execution.model_validate(found).phase

    async def _pod(self, execution: Execution) -> PodState:
        runner = execution.status.runner
        if runner is None:
            return ABSENT
        known = self._store.pods(execution.uid).get(runner.pod_uid)
        if known is not None or execution.phase.is_final:
            return known or ABSENT
        memory = self._store.memory(execution.uid)
        if memory.absent_pod == runner.pod_uid:
            return ABSENT
        try:
            found = await self._cluster.get(PODS, execution.metadata.namespace, runner.pod)
        except NotFound:
            found = None
        if found is None or found["metadata"]["uid"] != runner.pod_uid:
            memory.absent_pod = runner.pod_uid
            return ABSENT
        self._store.put_pod(found)
        return self._store.pods(execution.uid).get(runner.pod_uid, ABSENT)

    def _strays(self, execution: Execution, pod: PodState) -> tuple[PodState, ...]:
        others = [one for one in self._store.pods(execution.uid).values() if one.uid != pod.uid]
        if execution.phase.is_final or execution.is_hibernated:
            return tuple(others)
        attempt = (execution.status.attempt or 0) + 1
        to_adopt = names.pod_name(execution.metadata.name, execution.uid, attempt)
        return tuple(one for one in others if one.name != to_adopt)

    def _left_children(self, execution: Execution) -> int:
        if execution.status.next_try_time is None:
            return 0
        live = (self._store.execution(key) for key in self._store.children(execution.uid))
        return sum(
            one is not None
            and one.spec.parent is not None
            and not one.spec.orphan
            and retries.is_over(execution.status, one.spec.parent.try_number)
            for one in live
        )

    def _place(self, execution: Execution) -> Place:
        if execution.phase not in (Phase.PENDING, Phase.QUEUED, Phase.PAUSED):
            return Place.FREE
        if self._store.places.is_counted(execution.uid):
            return Place.FREE
        ticket = ticket_of(execution, self._store.flow_of(execution))
        return place_of(ticket, self._store.places.in_line(), self._store.places.load())
