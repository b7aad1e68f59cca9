"""List everything: before the operator acts, and now and then in case a watch missed something.

Kopf's watch tells of what is there after a gap, but not of what vanished in it.
"""

import logging

from weir.cluster.client import Cluster
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    PODS,
    SCHEDULES,
)
from weir.cluster.watching import emptied
from weir.controllers.intake import Intake
from weir.controllers.pods import SELECTOR
from weir.controllers.store import Store

logger = logging.getLogger(__name__)


class Resync:
    """Brings the store in step with the API server, in one namespace or in all."""

    def __init__(
        self, cluster: Cluster, store: Store, intake: Intake, namespace: str | None = None
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._intake = intake
        self._namespace = namespace

    async def run(self) -> None:
        """List Flows and Connectors before the Executions that name them, then their Pods.

        What makes and changes these comes last: it must see what it has made already.
        """
        await self._flows()
        await self._connectors()
        await self._executions()
        await self._pods()
        await self._schedules()
        await self._repositories()

    async def _flows(self) -> None:
        known = {
            flow.metadata.uid: flow.key
            for flow in self._store.all_flows()
            if self._serves(flow.key[0])
        }
        listing = await self._cluster.list(FLOWS, self._namespace)
        for item in listing.items:
            self._intake.flow(item)
            known.pop(item["metadata"]["uid"], None)
        for uid, key in known.items():
            self._intake.flow_gone(key, uid)

    async def _connectors(self) -> None:
        known = {
            one.metadata.uid: one.key
            for one in self._store.all_connectors()
            if self._serves(one.key[0])
        }
        listing = await self._cluster.list(CONNECTORS, self._namespace)
        for item in listing.items:
            self._intake.connector(item)
            known.pop(item["metadata"]["uid"], None)
        for uid, key in known.items():
            self._intake.connector_gone(key, uid)

    async def _executions(self) -> None:
        known = {uid: key for uid, key in self._store.known_uids().items() if self._serves(key[0])}
        async for page in self._cluster.pages(EXECUTIONS, self._namespace):
            for item in emptied(page.items):
                self._intake.execution(item)
                known.pop(item["metadata"]["uid"], None)
        for uid, key in known.items():
            self._intake.execution_gone(key, uid)

    async def _pods(self) -> None:
        known = self._store.pod_uids(self._namespace)
        listing = await self._cluster.list(PODS, self._namespace, labels=SELECTOR)
        for uid in known - {item["metadata"]["uid"] for item in listing.items}:
            self._intake.pod_gone(uid)

    async def _schedules(self) -> None:
        known = {
            one.metadata.uid: one.key
            for one in self._store.all_schedules()
            if self._serves(one.key[0])
        }
        listing = await self._cluster.list(SCHEDULES, self._namespace)
        for item in listing.items:
            self._intake.schedule(item)
            known.pop(item["metadata"]["uid"], None)
        for uid, key in known.items():
            self._intake.schedule_gone(key, uid)

    async def _repositories(self) -> None:
        known = {
            one.metadata.uid: key
            for key, one in self._store.repositories.items()
            if self._serves(key[0])
        }
        listing = await self._cluster.list(FLOW_REPOSITORIES, self._namespace)
        for item in listing.items:
            self._intake.repository(item)
            known.pop(item["metadata"]["uid"], None)
        for uid, key in known.items():
            self._intake.repository_gone(key, uid)

    def _serves(self, namespace: str) -> bool:
        return self._namespace in (None, namespace)
