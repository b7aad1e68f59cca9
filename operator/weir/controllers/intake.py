"""News from watches and from own writes: into the store, and on to what it moves."""

from collections.abc import Iterable
from typing import Literal

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.phases import Phase
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key
from weir.api.schedule import Schedule
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.scheduled import schedule_of
from weir.controllers.store import Store, version_of
from weir.core.targets import ready_condition

# A Flow's counts of runs are written at most this often (seconds).
FLOW_COUNTS_EVERY = 5.0
Brought = Flow | Schedule  # what is watched of what FlowRepositories bring
_NOT_STARTED = (Phase.PENDING, Phase.QUEUED, Phase.PAUSED)


class Intake:
    """Takes in objects as the API has them, and says what is to be looked at again."""

    def __init__(self, store: Store, queue: LookAgainQueue) -> None:
        self._store = store
        self._queue = queue

    def execution(self, item: JsonObject | Execution) -> None:
        """An Execution was made or changed."""
        uid = item.uid if isinstance(item, Execution) else item["metadata"]["uid"]
        held_place = self._store.places.is_counted(uid)
        was_scheduled = self._store.scheduled.has(uid)
        try_before = self._store.try_of(uid)
        execution = self._store.put_execution(item)
        if execution is None:
            return
        # Most that ended have no Pod left, above all when the operator starts.
        if not execution.phase.is_final or self._store.pods(uid):
            self._look_at(execution.key)
        if execution.phase.is_final:
            self._look_at_parent(execution)
        if execution.phase.is_final or try_before < self._store.try_of(uid):
            self._look_at_children(uid)
        if held_place and not self._store.places.is_counted(uid):
            self._wake_queue()
        if execution.phase.is_final or not was_scheduled:
            self._look_at_schedule(execution)
        self._count_later(execution)

    def execution_gone(self, key: Key, uid: str) -> None:
        """An Execution was deleted: its children are told by looking at them."""
        gone = self._store.execution(key)
        self._store.remove_execution(uid)
        if gone is not None and gone.uid == uid:
            self._look_at_parent(gone)
            self._look_at_schedule(gone)
        if self._store.execution(key) is None:  # none of the same name was made since
            self._queue.forget(Target("execution", *key))
        self._look_at_children(uid)
        self._wake_queue()

    def flow(self, item: JsonObject) -> None:
        """A Flow was made or changed."""
        metadata = item["metadata"]
        flows = self._store.flows(metadata["namespace"])
        before = flows.get(metadata["name"])
        if before is not None and _is_older(item, before):
            return
        flow = Flow.model_validate(item)
        rivals = flows.rivals(before) if before else []
        self._store.put_flow(flow)
        self._queue.look_again(Target("flow", *flow.key))
        if before is None or _concerns_runs(before, flow):
            self._wake_runs(flow.metadata.namespace)
        if before is None or before.title != flow.title:
            self._look_at_all("flow", [*rivals, *flows.rivals(flow)])
            self._look_at_schedules(flow.metadata.namespace)
        self._tell_repositories(before, flow)

    def flow_gone(self, key: Key, uid: str) -> None:
        """A Flow was deleted."""
        flows = self._store.flows(key[0])
        before = flows.get(key[1])
        if before is None or before.metadata.uid != uid:
            return  # one of the same name was made since
        rivals = flows.rivals(before)
        self._store.remove_flow(key)
        self._queue.forget(Target("flow", *key))
        self._look_at_all("flow", rivals)
        self._look_at_schedules(key[0])
        self._wake_runs(key[0])
        self._tell_repositories(before, None)

    def connector(self, item: JsonObject) -> None:
        """A Connector was made or changed."""
        metadata = item["metadata"]
        connectors = self._store.connectors(metadata["namespace"])
        before = connectors.get(metadata["name"])
        if before is not None and _is_older(item, before):
            return
        connector = Connector.model_validate(item)
        rivals = connectors.rivals(before) if before else []
        connectors.put(connector)
        self._queue.look_again(Target("connector", *connector.key))
        if before is None or _concerns_runs(before, connector):
            self._wake_runs(connector.metadata.namespace)
        if before is None or before.title != connector.title:
            self._look_at_all("connector", [*rivals, *connectors.rivals(connector)])

    def connector_gone(self, key: Key, uid: str) -> None:
        """A Connector was deleted."""
        connectors = self._store.connectors(key[0])
        before = connectors.get(key[1])
        if before is None or before.metadata.uid != uid:
            return
        rivals = connectors.rivals(before)
        connectors.remove(key[1])
        self._queue.forget(Target("connector", *key))
        self._look_at_all("connector", rivals)
        self._wake_runs(key[0])

    def schedule(self, item: JsonObject) -> None:
        """A Schedule was made or changed."""
        metadata = item["metadata"]
        schedules = self._store.schedules(metadata["namespace"])
        before = schedules.get(metadata["name"])
        if before is not None and _is_older(item, before):
            return
        schedule = Schedule.model_validate(item)
        rivals = schedules.rivals(before) if before else []
        schedules.put(schedule)
        self._queue.look_again(Target("schedule", *schedule.key))
        if before is None or before.title != schedule.title:
            self._look_at_all("schedule", [*rivals, *schedules.rivals(schedule)])
        self._tell_repositories(before, schedule)

    def schedule_gone(self, key: Key, uid: str) -> None:
        """A Schedule was deleted."""
        schedules = self._store.schedules(key[0])
        before = schedules.get(key[1])
        if before is None or before.metadata.uid != uid:
            return
        rivals = schedules.rivals(before)
        schedules.remove(key[1])
        self._store.scheduled.forget(key)
        self._queue.forget(Target("schedule", *key))
        self._look_at_all("schedule", rivals)
        self._tell_repositories(before, None)

    def repository(self, item: JsonObject) -> None:
        """A FlowRepository was made or changed."""
        metadata = item["metadata"]
        key = (metadata["namespace"], metadata["name"])
        before = self._store.repositories.get(key)
        if before is not None and _is_older(item, before):
            return
        self._store.repositories[key] = FlowRepository.model_validate(item)
        self._queue.look_again(Target("repository", *key))

    def repository_gone(self, key: Key, uid: str) -> None:
        """A FlowRepository was deleted."""
        before = self._store.repositories.get(key)
        if before is None or before.metadata.uid != uid:
            return
        del self._store.repositories[key]
        self._queue.forget(Target("repository", *key))
        self._queue.look_again(Target("repository", *key))  # what is kept of it goes too

    def pod(self, item: JsonObject, execution: str) -> None:
        """A Pod was made or changed; `execution` is the name that its label says."""
        if self._store.put_pod(item):
            self._look_at((item["metadata"]["namespace"], execution))

    def pod_gone(self, pod_uid: str) -> None:
        """A Pod is no more."""
        owner = self._store.remove_pod(pod_uid)
        key = self._store.known_key(owner) if owner else None
        if key is not None:
            self._look_at(key)

    def _look_at(self, key: Key) -> None:
        self._queue.look_again(Target("execution", *key))

    def _look_at_children(self, uid: str) -> None:
        for key in self._store.children(uid):
            self._look_at(key)

    def _look_at_parent(self, execution: Execution) -> None:
        """Look at a parent whose next try waits for the end of what an earlier one started."""
        parent = execution.spec.parent
        if parent is not None and parent.try_number < self._store.try_of(parent.uid):
            self._look_at((execution.metadata.namespace, parent.name))

    def _look_at_all(
        self,
        kind: Literal["flow", "connector", "schedule"],
        resources: Iterable[Flow | Connector | Schedule],
    ) -> None:
        for one in resources:
            self._queue.look_again(Target(kind, *one.key))

    def _look_at_schedule(self, execution: Execution) -> None:
        """Look at the Schedule that started a run: another may have waited for its end."""
        key = schedule_of(execution)
        if key is not None and self._store.schedules(key[0]).get(key[1]) is not None:
            self._queue.look_again(Target("schedule", *key))

    def _look_at_schedules(self, namespace: str) -> None:
        """Look at all Schedules of a namespace: a Flow has come or gone, which they say."""
        self._look_at_all("schedule", self._store.schedules(namespace))

    def _wake_queue(self) -> None:
        for uid in self._store.places.next_in_line():
            key = self._store.known_key(uid)
            if key is not None:
                self._look_at(key)

    def _wake_runs(self, namespace: str) -> None:
        """Look at all that has not started: what it runs has changed."""
        for execution in self._store.live():
            if execution.metadata.namespace == namespace and execution.phase in _NOT_STARTED:
                self._look_at(execution.key)

    def _tell_repositories(self, before: Brought | None, after: Brought | None) -> None:
        """Look at the FlowRepositories of what is not as it was: they may have to undo that."""
        if before is not None and after is not None and not _is_changed(before, after):
            return
        for one in filter(None, (before, after)):
            name = one.metadata.labels.get(names.REPOSITORY_LABEL)
            if name is not None:
                key = (one.metadata.namespace, name)
                self._store.note_brought(key, one.KIND, one.metadata.name)
                self._queue.look_again(Target("repository", *key))

    def _count_later(self, execution: Execution) -> None:
        flow = self._store.flow_of(execution)
        if flow is not None:
            self._queue.look_again(Target("flow", *flow), FLOW_COUNTS_EVERY)


def _is_older(item: JsonObject, known: Flow | Connector | Schedule | FlowRepository) -> bool:
    version = version_of(item["metadata"]["resourceVersion"])
    return version <= version_of(known.metadata.resource_version)


def _is_changed(before: Brought, after: Brought) -> bool:
    """Whether more than a status is another."""
    old, new = before.metadata, after.metadata
    return (
        old.uid != new.uid
        or old.generation != new.generation
        or old.labels != new.labels
        or old.annotations != new.annotations
    )


def _concerns_runs(before: Flow | Connector, after: Flow | Connector) -> bool:
    """Whether a change is more than of a resource's counts."""
    return before.spec != after.spec or ready_condition(before) != ready_condition(after)
