"""Look at one Flow: whether it may be run, its revisions, its counts."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from weir.api import names
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.reasons import ConditionType, Reason
from weir.api.resource import JsonObject, Key, changed, with_condition
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, NotFound
from weir.cluster.kinds import CONTROLLER_REVISIONS, FLOWS
from weir.controllers.events import EventWriter
from weir.controllers.intake import FLOW_COUNTS_EVERY, Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.store import Store
from weir.core import revisions
from weir.core.readiness import Verdict, check_flow
from weir.core.revisions import KnownRevision
from weir.core.targets import ready_condition

logger = logging.getLogger(__name__)

_SHORT = 7
_OURS = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY}"


class FlowController:
    """Keeps the status of Flows, and their revisions."""

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
        self._counted_at: dict[Key, float] = {}

    async def look(self, target: Target) -> None:
        """Write what is new about a Flow: first whether it may be run, its counts with it."""
        key = (target.namespace, target.name)
        flow = self._store.flows(target.namespace).get(target.name)
        if flow is None:
            self._counted_at.pop(key, None)
            return
        fields = await self._readiness(flow)
        if fields or self._may_count(key):
            fields |= self._counts(flow)
        if not fields:
            return
        patch = changed(flow.status, flow.status.model_copy(update=fields))
        if not patch:
            return
        self._counted_at[key] = asyncio.get_running_loop().time()
        body = {"metadata": {"uid": flow.metadata.uid}, "status": patch}
        try:
            written = await self._cluster.patch(FLOWS, *key, body, status=True)
        except NotFound:
            return
        self._intake.flow(written)
        if "revision" in fields and flow.metadata.generation > 1:  # a new Flow has but one
            await self.sweep(flow.metadata.namespace, flow.metadata.name)

    async def _readiness(self, flow: Flow) -> dict[str, Any]:
        """Return what a check of the Flow changes of its status; its revision is kept first."""
        known = ready_condition(flow)
        verdict = self._verdict(flow)
        if known is not None and (known.reason, known.message) == verdict[1:]:
            return {}
        fields: dict[str, Any] = {"observed_generation": flow.metadata.generation}
        if verdict.ready:
            revision = revisions.revision_of(flow.spec)
            await self._keep(flow)
            fields |= {"revision": revision, "short_revision": revision[:_SHORT]}
        else:
            self._events.warn(flow, verdict.reason, verdict.message)
        fields["conditions"] = with_condition(
            flow.status.conditions,
            ConditionType.READY,
            "True" if verdict.ready else "False",
            verdict.reason,
            verdict.message,
            now=self._clock(),
            generation=flow.metadata.generation,
        )
        return fields

    def _verdict(self, flow: Flow) -> Verdict:
        known = ready_condition(flow)
        flows = self._store.flows(flow.metadata.namespace)
        if known is None or known.reason == Reason.TITLE_TAKEN or flows.title_taken_by(flow):
            return check_flow(flow, flows)
        # What was found out about a script and its schemas stays true while they are the same.
        return Verdict(known.status == "True", known.reason, known.message)

    async def _keep(self, flow: Flow) -> None:
        body = revisions.manifest(flow)
        try:
            await self._cluster.create(CONTROLLER_REVISIONS, flow.metadata.namespace, body)
        except AlreadyExists:
            pass  # the name is made of the content
        else:
            logger.info(
                "Revision kept",
                extra={"object": "/".join(flow.key), "revision": body["metadata"]["name"]},
            )

    def _may_count(self, key: Key) -> bool:
        now = asyncio.get_running_loop().time()
        since = now - self._counted_at.get(key, float("-inf"))
        if since >= FLOW_COUNTS_EVERY:
            return True
        self._queue.look_again(Target("flow", *key), FLOW_COUNTS_EVERY - since + 0.01)
        return False

    def _counts(self, flow: Flow) -> dict[str, Any]:
        fields: dict[str, Any] = {"active": self._store.active_of(flow.key)}
        latest = self._store.latest_of(flow.key)
        if latest is not None:
            fields |= {"last_execution_time": latest[0], "last_execution": latest[1]}
        return fields

    async def sweep(self, namespace: str | None, flow: str | None = None) -> None:
        """Delete the revisions, of one Flow or of all, that nothing needs any more."""
        labels = f"{_OURS},{names.FLOW_LABEL}={flow}" if flow else _OURS
        listing = await self._cluster.list(CONTROLLER_REVISIONS, namespace, labels=labels)
        swept = revisions.to_sweep(
            [_known(item) for item in listing.items if names.FLOW_LABEL in _labels(item)],
            flows={one.key for one in self._store.all_flows()},
            needed=self._needed(),
        )
        for revision in swept:
            await self._cluster.delete(CONTROLLER_REVISIONS, revision.namespace, revision.name)

    def _needed(self) -> set[tuple[str, str]]:
        needed = {
            (flow.metadata.namespace, names.revision_name(flow.metadata.name, flow.status.revision))
            for flow in self._store.all_flows()
            if flow.status.revision
        }
        for start in self._store.places.starts.values():
            if start.flow is not None and start.revision is not None:
                needed.add((start.flow[0], names.revision_name(start.flow[1], start.revision)))
        needed |= {name for name in map(_revision_of, self._store.live()) if name is not None}
        return needed


def _revision_of(execution: Execution) -> tuple[str, str] | None:
    flow, revision = execution.status.flow, execution.status.revision
    if flow is None or revision is None:
        return None
    return (execution.metadata.namespace, names.revision_name(flow, revision))


def _labels(item: JsonObject) -> JsonObject:
    labels: JsonObject = item["metadata"].get("labels") or {}
    return labels


def _known(item: JsonObject) -> KnownRevision:
    metadata = item["metadata"]
    flow = _labels(item)[names.FLOW_LABEL]
    return KnownRevision(metadata["namespace"], metadata["name"], flow, int(item["revision"]))
