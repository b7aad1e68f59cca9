"""List everything: before the operator acts, and now and then in case a watch missed something.

Kopf's watch tells of what is there after a gap, but not of what vanished in it.
"""

import logging
from collections.abc import Callable, Iterable

from weir.api.connector import Connector
from weir.api.flow import Flow
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key
from weir.api.schedule import Schedule
from weir.cluster.client import Cluster
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOW_REPOSITORIES,
    FLOWS,
    PODS,
    SCHEDULES,
    Kind,
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
        store, intake = self._store, self._intake
        await self._named(FLOWS, store.all_flows(), intake.flow, intake.flow_gone)
        await self._named(
            CONNECTORS, store.all_connectors(), intake.connector, intake.connector_gone
        )
        await self._executions()
        await self._pods()
        await self._named(SCHEDULES, store.all_schedules(), intake.schedule, intake.schedule_gone)
        repositories = store.repositories.values()
        await self._named(
            FLOW_REPOSITORIES, repositories, intake.repository, intake.repository_gone
        )

    async def _named(
        self,
        kind: Kind,
        known: Iterable[Flow | Connector | Schedule | FlowRepository],
        take: Callable[[JsonObject], None],
        let_go: Callable[[Key, str], None],
    ) -> None:
        """Take in all of a kind that people name, and let go of what is known and not there."""
        before = {one.metadata.uid: one.key for one in known if self._serves(one.key[0])}
        for item in (await self._cluster.list(kind, self._namespace)).items:
            take(item)
            before.pop(item["metadata"]["uid"], None)
        for uid, key in before.items():
            let_go(key, uid)

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

    def _serves(self, namespace: str) -> bool:
        return self._namespace in (None, namespace)
