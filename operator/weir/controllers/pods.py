"""Watch runner Pods: with a selector and in pages, so that a cluster's other Pods cost nothing."""

import asyncio

from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import PODS
from weir.cluster.watching import ChangeType
from weir.controllers.intake import Intake

SELECTOR = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY},{names.EXECUTION_LABEL}"


class PodWatch:
    """Tells of runner Pods in one namespace, or in all."""

    def __init__(self, cluster: Cluster, intake: Intake, namespace: str | None = None) -> None:
        self._cluster = cluster
        self._intake = intake
        self._namespace = namespace
        self.synced = asyncio.Event()
        """Set once all Pods that there are have been told."""
        self.heard_at = 0.0
        """Loop time of the last sign of life."""

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        async for change in self._cluster.watch(PODS, self._namespace, labels=SELECTOR):
            self.heard_at = loop.time()
            match change.type:
                case ChangeType.ADDED | ChangeType.MODIFIED:
                    self._told(change.object)
                case ChangeType.DELETED:
                    self._intake.pod_gone(change.object["metadata"]["uid"])
                case ChangeType.SYNCED:
                    self.synced.set()

    def _told(self, pod: JsonObject) -> None:
        self._intake.pod(pod, pod["metadata"]["labels"][names.EXECUTION_LABEL])
