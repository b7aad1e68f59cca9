"""What the operator knows of the cluster: an index of live objects, fed by watches and own writes.

Ended Executions are most of all there are, so of them only a line each is kept.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.phases import Phase
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key
from weir.api.schedule import Schedule
from weir.controllers import dormant
from weir.controllers.dormant import Dormant
from weir.controllers.memory import Memory
from weir.controllers.places import Places
from weir.controllers.scheduled import ScheduledRuns
from weir.core import retries
from weir.core.lookup import Catalog
from weir.core.pod_state import PodPhase, PodState, pod_state
from weir.core.queueing import FlowKey

# Answers to own writes may come after the news that the object was deleted.
_REMEMBERED_DELETIONS = 10_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Ended(NamedTuple):
    """What is kept of an ended Execution."""

    key: Key
    phase: Phase
    version: int


class Store:
    """Live objects by all that they are looked up by. `put_…` says whether there was news."""

    def __init__(self, *, cluster_limit: int = 0) -> None:
        self.places = Places(cluster_limit)
        self.scheduled = ScheduledRuns()
        self._live: dict[Key, Execution | Dormant] = {}
        self._keys: dict[str, Key] = {}  # UID -> key of live Executions
        self._ended: dict[str, Ended] = {}  # by UID
        self._leaving: dict[Key, Execution] = {}  # ended, but their Pods are still there
        self._children: dict[str, set[Key]] = {}  # UID -> live children
        self._memories: dict[str, Memory] = {}
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._pods: dict[str, dict[str, PodState]] = {}  # UID of Execution -> UID of Pod
        self._flows: dict[str, Catalog[Flow]] = {}
        self._connectors: dict[str, Catalog[Connector]] = {}
        self._schedules: dict[str, Catalog[Schedule]] = {}
        self.repositories: dict[Key, FlowRepository] = {}
        self._brought: dict[Key, set[tuple[str, str]]] = {}  # news of what they brought
        self._latest: dict[FlowKey, tuple[datetime, str]] = {}
        self._flow_of_live: dict[str, FlowKey | None] = {}
        self._live_of_flow: Counter[FlowKey] = Counter()
        self._owners: dict[str, str] = {}  # UID of Pod -> UID of Execution

    # Executions

    def put_execution(self, item: JsonObject | Execution) -> Execution | None:
        """Take in an Execution as the API has it; None when it is no newer than what is known."""
        if isinstance(item, Execution):
            uid, version = item.uid, version_of(item.metadata.resource_version)
        else:
            metadata = item["metadata"]
            uid, version = metadata["uid"], version_of(metadata["resourceVersion"])
        if uid in self._deleted or version <= self._version(uid):
            return None
        execution = item if isinstance(item, Execution) else Execution.model_validate(item)
        namesake = self._live.get(execution.key)
        if namesake is not None and namesake.uid != uid:
            if version < version_of(dormant.version_of(namesake)):
                return None  # late news of one that was deleted, and made anew
            self.remove_execution(namesake.uid)
        self._drop_live(uid)
        self._note_start(execution)
        if execution.phase.is_final:
            self._ended[uid] = Ended(execution.key, execution.phase, version)
            self.scheduled.note_end(execution)
            self.places.end_start(uid)
            self._memories.pop(uid, None)
            if uid in self._pods:
                self._leaving[execution.key] = _slim(execution)
        else:
            self._add_live(execution)
        self._update_place(uid)
        return execution

    def remove_execution(self, uid: str) -> None:
        """Take out an Execution that was deleted; later news of it is ignored."""
        self._deleted[uid] = None
        if len(self._deleted) > _REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        self._drop_live(uid)
        ended = self._ended.pop(uid, None)
        if ended is not None:
            self._drop_leaving(ended.key, uid)
        self.places.end_start(uid)
        self._memories.pop(uid, None)
        self._update_place(uid)

    def execution(self, key: Key) -> Execution | None:
        """Return a live Execution, or an ended one whose Pods are still there."""
        live = self._live.get(key)
        return dormant.awake(live) if live is not None else self._leaving.get(key)

    def has_ended_with_pods(self, key: Key) -> bool:
        """Whether there are Pods of an ended Execution of this name."""
        return any(uid in self._ended and self._ended[uid].key == key for uid in self._pods)

    def phase_of(self, uid: str) -> Phase | None:
        """Return the phase of an Execution, live or ended; None when it is not known."""
        if uid in self._keys:
            return self._live[self._keys[uid]].phase
        return self._ended[uid].phase if uid in self._ended else None

    def try_of(self, uid: str) -> int:
        """Return the number of a live Execution's try; 0 when it is not live."""
        key = self._keys.get(uid)
        if key is None:
            return 0
        live = self._live[key]
        return live.try_number if isinstance(live, Dormant) else retries.number_of(live.status)

    def memory(self, uid: str) -> Memory:
        """Return what is remembered of a live Execution."""
        return self._memories.setdefault(uid, Memory())

    def known_key(self, uid: str) -> Key | None:
        """Return the key of an Execution, live or ended."""
        return self._keys.get(uid) or (self._ended[uid].key if uid in self._ended else None)

    def children(self, uid: str) -> list[Key]:
        """Return the live children of an Execution."""
        return list(self._children.get(uid, ()))

    def live(self) -> Iterator[Execution]:
        """Iterate over all live Executions."""
        return map(dormant.awake, list(self._live.values()))

    def known_uids(self) -> dict[str, Key]:
        """Return UID and key of all Executions, live and ended."""
        return self._keys | {uid: ended.key for uid, ended in self._ended.items()}

    # Flows and Connectors

    def put_flow(self, flow: Flow) -> None:
        """Take in a Flow as the API has it."""
        self.flows(flow.metadata.namespace).put(flow)
        self.places.set_limit(flow.key, flow.spec.max_concurrent)

    def remove_flow(self, key: Key) -> None:
        """Take out a Flow that was deleted."""
        self.flows(key[0]).remove(key[1])
        self.places.set_limit(key, None)
        self._latest.pop(key, None)

    def flows(self, namespace: str) -> Catalog[Flow]:
        """Return the Flows of a namespace."""
        return self._flows.setdefault(namespace, Catalog())

    def connectors(self, namespace: str) -> Catalog[Connector]:
        """Return the Connectors of a namespace."""
        return self._connectors.setdefault(namespace, Catalog())

    def all_flows(self) -> Iterator[Flow]:
        """Iterate over the Flows of all namespaces."""
        return (flow for catalog in list(self._flows.values()) for flow in catalog)

    def all_connectors(self) -> Iterator[Connector]:
        """Iterate over the Connectors of all namespaces."""
        return (one for catalog in list(self._connectors.values()) for one in catalog)

    def schedules(self, namespace: str) -> Catalog[Schedule]:
        """Return the Schedules of a namespace."""
        return self._schedules.setdefault(namespace, Catalog())

    def all_schedules(self) -> Iterator[Schedule]:
        """Iterate over the Schedules of all namespaces."""
        return (one for catalog in list(self._schedules.values()) for one in catalog)

    # FlowRepositories

    def note_brought(self, repository: Key, kind: str, name: str) -> None:
        """Note that what a FlowRepository brought was made, changed or deleted."""
        if repository in self.repositories:
            self._brought.setdefault(repository, set()).add((kind, name))

    def take_brought(self, repository: Key) -> set[tuple[str, str]]:
        """Return what was noted, as (kind, name), and forget it."""
        return self._brought.pop(repository, set())

    # Pods

    def put_pod(self, pod: JsonObject) -> bool:
        """Take in a Pod; False when it means the same as before."""
        owner = owner_of(pod)
        if owner is None:
            return False
        state = pod_state(pod)
        pods = self._pods.setdefault(owner, {})
        if pods.get(state.uid) == state:
            return False
        pods[state.uid] = state
        self._owners[state.uid] = owner
        self._update_place(owner)
        return True

    def remove_pod(self, pod_uid: str) -> str | None:
        """Take out a Pod that is gone; return the UID of its Execution, if it was known."""
        owner = self._owners.pop(pod_uid, None)
        if owner is None:
            return None
        pods = self._pods[owner]
        del pods[pod_uid]
        if not pods:
            del self._pods[owner]
            if owner in self._ended:
                self._drop_leaving(self._ended[owner].key, owner)
        self._update_place(owner)
        return owner

    def mark_deleting(self, pod_uid: str, gone_by: datetime) -> None:
        """Note that a Pod was asked to go, before the watch tells it."""
        pods = self._pods.get(self._owners.get(pod_uid, ""), {})
        if pod_uid in pods:
            pods[pod_uid] = replace(pods[pod_uid], phase=PodPhase.DELETING, gone_by=gone_by)

    def pods(self, execution_uid: str) -> dict[str, PodState]:
        """Return the Pods of an Execution, by their UIDs."""
        return self._pods.get(execution_uid, {})

    def pod_uids(self, namespace: str | None = None) -> set[str]:
        """Return the UIDs of the known Pods, in a namespace or in all."""
        if namespace is None:
            return set(self._owners)
        keys = {pod: self.known_key(owner) for pod, owner in self._owners.items()}
        return {pod for pod, key in keys.items() if key is not None and key[0] == namespace}

    def active_of(self, flow: FlowKey) -> int:
        """Return how many Executions of a Flow have not ended."""
        return self._live_of_flow[flow]

    def latest_of(self, flow: FlowKey) -> tuple[datetime, str] | None:
        """Return when the Flow's last Execution started, and its name."""
        return self._latest.get(flow)

    def flow_of(self, execution: Execution) -> FlowKey | None:
        """Return the Flow that an Execution runs, if there is one."""
        if execution.spec.flow is None:
            return None
        namespace = execution.metadata.namespace
        if execution.status.flow is not None:
            return (namespace, execution.status.flow)
        flow = self.flows(namespace).find(execution.spec.flow)
        return flow.key if flow else None

    def _version(self, uid: str) -> int:
        if uid in self._keys:
            return version_of(dormant.version_of(self._live[self._keys[uid]]))
        return self._ended[uid].version if uid in self._ended else -1

    def _add_live(self, execution: Execution) -> None:
        kept = Dormant.of(execution) if execution.is_hibernated else execution
        key, uid = execution.key, kept.uid
        self._live[key] = kept
        self._keys[uid] = key
        self.scheduled.see(execution)
        if execution.spec.parent is not None:
            self._children.setdefault(execution.spec.parent.uid, set()).add(key)
        flow = self._flow_of_live[uid] = self.flow_of(execution)
        if flow is not None:
            self._live_of_flow[flow] += 1

    def _drop_live(self, uid: str) -> None:
        key = self._keys.pop(uid, None)
        if key is None:
            return
        execution = self._live.pop(key)
        self.scheduled.drop(uid)
        flow = self._flow_of_live.pop(uid)
        if flow is not None:
            self._live_of_flow[flow] -= 1
        parent = dormant.parent_of(execution)
        if parent is not None:
            siblings = self._children.get(parent, set())
            siblings.discard(key)
            if not siblings:
                self._children.pop(parent, None)

    def _drop_leaving(self, key: Key, uid: str) -> None:
        leaving = self._leaving.get(key)
        if leaving is not None and leaving.uid == uid:
            del self._leaving[key]

    def _note_start(self, execution: Execution) -> None:
        flow, started = self.flow_of(execution), execution.status.starting_time
        if flow is None or started is None:
            return
        if started > self._latest.get(flow, (_LONG_AGO, ""))[0]:
            self._latest[flow] = (started, execution.metadata.name)

    def _update_place(self, uid: str) -> None:
        if uid in self._keys:
            execution = self._live[self._keys[uid]]
            if isinstance(execution, Dormant):
                self.places.drop(uid)
                return
            coming = (execution.status.attempt or 0) + 1
            name = names.pod_name(execution.metadata.name, uid, coming)
            has_pod = any(pod.name == name for pod in self._pods.get(uid, {}).values())
            self.places.see(execution, self._flow_of_live[uid], has_pod=has_pod)
        else:
            self.places.drop(uid)


def version_of(text: str) -> int:
    """Return a resourceVersion as a number: a later one is larger."""
    return int(text) if text.isdigit() else 0


def owner_of(pod: JsonObject) -> str | None:
    """Return the UID of the Execution that a Pod belongs to."""
    for owner in pod["metadata"].get("ownerReferences") or []:
        if owner.get("controller") and owner.get("kind") == Execution.KIND:
            return str(owner["uid"])
    return None


def _slim(execution: Execution) -> Execution:
    """Return an ended Execution without its bulk."""
    spec = execution.spec.model_copy(update={"inputs": None, "script": None, "draft": None})
    status = execution.status.model_copy(update={"outputs": None})
    return execution.model_copy(update={"spec": spec, "status": status})
