"""The operator dies at each of its writes, before and after it, over a real API server.

The decisions and their carrying out are the real ones; instead of by watches they are fed by lists,
so that which write comes when is the same each time.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer
from tests.integration.operator.world import World
from tests.unit.controllers.harness import Looks
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.kinds import CONTROLLER_REVISIONS, EXECUTIONS, PODS, Kind
from weir.controllers.resync import Resync


class Crash(BaseException):
    """The operator's process dies here."""


class CrashingCluster(Cluster):
    """A cluster at one of whose writes the operator dies."""

    crash_at: int | None = None
    carried_out = False
    writes = 0

    async def create(self, kind: Kind, namespace: str | None, body: JsonObject) -> JsonObject:
        self._before()
        made = await super().create(kind, namespace, body)
        self._after()
        return made

    async def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: JsonObject,
        *,
        status: bool = False,
    ) -> JsonObject:
        self._before()
        written = await super().patch(kind, namespace, name, body, status=status)
        self._after()
        return written

    async def delete(self, kind: Kind, namespace: str | None, name: str, **options: Any) -> None:
        self._before()
        await super().delete(kind, namespace, name, **options)
        self._after()

    def _before(self) -> None:
        if self.crash_at == self.writes and not self.carried_out:
            self.crash_at = None
            raise Crash
        self.writes += 1

    def _after(self) -> None:
        if self.crash_at == self.writes - 1 and self.carried_out:
            self.crash_at = None
            raise Crash


class NamespacedLooks(Looks):
    """An operator that sees one namespace, by listing it before each look."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._namespace = namespace
        super().__init__(cluster)

    async def tell(self) -> None:
        for pod in (await self._cluster.list(PODS, self._namespace)).items:
            self.tell_pod(pod)
        await Resync(self._cluster, self.store, self.intake, self._namespace).run()


@pytest.fixture
async def crashing(api_server: ApiServer) -> AsyncIterator[CrashingCluster]:
    connected = await CrashingCluster.connect(api_server.kubeconfig)
    assert isinstance(connected, CrashingCluster)
    async with connected:
        yield connected


async def play(operator: NamespacedLooks, world: World) -> None:
    """Run one Execution that loses its first Pod and succeeds with its second."""
    await operator.settle()
    if (await status_of(world))["attempt"] == 1:
        # The first Pod, if it is there: a second one may be there already.
        pod = (await status_of(world))["runner"]["pod"]
        await world.cluster.delete(PODS, world.namespace, pod, grace_seconds=0)
    await operator.settle(5)
    if (await status_of(world))["phase"] == "Starting":
        await world.runs()
        await operator.settle()
        await world.reports("Succeeded")
    # The operator's clock is ahead of the API server's by no more than this.
    await operator.settle(60)


async def status_of(world: World) -> JsonObject:
    found = await world.cluster.get(EXECUTIONS, world.namespace, "run")
    status: JsonObject = found["status"]
    return status


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(7))
async def test_dying_at_any_write_changes_nothing_in_the_end(
    crashing: CrashingCluster, world: World, number: int, carried_out: bool
) -> None:
    await world.flow(ready=False)
    made = await world.run()
    crashing.crash_at, crashing.carried_out = number, carried_out
    operator = NamespacedLooks(crashing, world.namespace)
    operator.now = operator.queue.now = datetime.now(UTC)
    try:
        await play(operator, world)
    except Crash:
        operator.build()
        await play(operator, world)

    assert crashing.crash_at is None, "it has died"
    status = await status_of(world)
    assert (status["phase"], status["attempt"]) == ("Succeeded", 2)
    assert status["runner"]["pod"] == names.pod_name("run", made["metadata"]["uid"], 2)
    revisions = await world.cluster.list(CONTROLLER_REVISIONS, world.namespace)
    assert len(revisions.items) == 1
    assert await world.pods_not_leaving() == []
