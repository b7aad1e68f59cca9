"""The operator's controllers over a cluster in memory, look by look, with a clock of its own."""

from datetime import datetime, timedelta

from tests.builders import NOW
from tests.unit.controllers.fake_cluster import FakeCluster
from weir.api import names
from weir.api.resource import JsonObject, render_time
from weir.cluster.client import Cluster
from weir.cluster.kinds import CONNECTORS, EXECUTIONS, FLOWS, PODS, SCHEDULES
from weir.controllers.connectors import ConnectorController
from weir.controllers.events import EventWriter
from weir.controllers.executions import ExecutionController
from weir.controllers.flows import FlowController
from weir.controllers.gathering import Gatherer
from weir.controllers.intake import Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.resync import Resync
from weir.controllers.room import Room
from weir.controllers.schedules import ScheduleController
from weir.controllers.store import Store
from weir.core.observed import Limits
from weir.core.pods import RunnerDefaults

DEFAULTS = RunnerDefaults(
    image="weir-runner:test",
    pull_policy="IfNotPresent",
    resources={},
    service_account="default",
    server="10.0.0.1:8443",
    server_name="weir-server",
    server_ca="PEM",
)
_STEPS = 2000


class ManualQueue(LookAgainQueue):
    """A queue that only notes what to look at, and when."""

    def __init__(self) -> None:
        self.due: dict[Target, datetime] = {}
        self.now = NOW

    def look_again(self, target: Target, delay: float = 0.0, *, tidying: bool = False) -> None:
        at = self.now + timedelta(seconds=delay)
        self.due[target] = min(self.due.get(target, at), at)

    def forget(self, target: Target) -> None:
        self.due.pop(target, None)


class Looks:
    """The parts of an operator over any cluster: they look when they are told to."""

    def __init__(self, cluster: Cluster, *, max_running: int = 0) -> None:
        self._cluster = cluster
        self._max_running = max_running
        self.now = NOW
        self.looks = 0
        self.build()

    def build(self) -> None:
        """Begin with nothing known."""
        self.queue = ManualQueue()
        self.queue.now = self.now
        self.store = Store(cluster_limit=self._max_running)
        self.intake = Intake(self.store, self.queue)
        self.events = EventWriter(self._cluster, identity="test")
        gatherer = Gatherer(self._cluster, self.store, Limits())
        self.executions = ExecutionController(
            self._cluster,
            self.store,
            self.queue,
            self.intake,
            gatherer,
            self.events,
            Room(self._cluster, self.store, self.intake, gatherer, clock=lambda: self.now),
            runner_defaults=lambda: DEFAULTS,
            clock=lambda: self.now,
        )
        parts = (self._cluster, self.store, self.queue, self.intake, self.events)
        self.flows = FlowController(*parts, clock=lambda: self.now)
        self.connectors = ConnectorController(*parts, clock=lambda: self.now)
        self.schedules = ScheduleController(*parts, clock=lambda: self.now)

    async def settle(self, seconds: float = 0.0) -> None:
        """Look at all that is due, now and in the next `seconds`, as news of it comes in."""
        until = self.now + timedelta(seconds=seconds)
        for _ in range(_STEPS):
            await self.tell()
            target = min(self.queue.due, key=lambda one: self.queue.due[one], default=None)
            if target is None or self.queue.due[target] > until:
                self.now = self.queue.now = until
                return
            self.now = self.queue.now = max(self.now, self.queue.due.pop(target))
            await self._look(target)
        raise AssertionError(f"it never settles: {self.queue.due}")

    async def _look(self, target: Target) -> None:
        self.looks += 1
        match target.kind:
            case "execution":
                await self.executions.look(target)
            case "flow":
                await self.flows.look(target)
            case "connector":
                await self.connectors.look(target)
            case "schedule":
                await self.schedules.look(target)

    async def tell(self) -> None:
        """Take in what is new: here by listing everything."""
        for pod in (await self._cluster.list(PODS)).items:
            self.tell_pod(pod)
        await Resync(self._cluster, self.store, self.intake).run()

    def tell_pod(self, item: JsonObject) -> None:
        """Take in a Pod, if it is a runner's."""
        labels = item["metadata"].get("labels") or {}
        if labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY:
            self.intake.pod(item, labels[names.EXECUTION_LABEL])


class Harness(Looks):
    """An operator over a cluster in memory: told by events, and mortal."""

    def __init__(self, *, max_running: int = 0) -> None:
        self.cluster = FakeCluster()
        super().__init__(self.cluster, max_running=max_running)

    async def restart(self) -> None:
        """Forget everything, and list what there is."""
        self.build()
        self.cluster.news.clear()
        await super().tell()

    async def tell(self) -> None:
        """Take in what the watches have told since the last look."""
        news, self.cluster.news = self.cluster.news, []
        for kind, item, deleted in news:
            metadata = item["metadata"]
            key = (metadata["namespace"], metadata["name"])
            if kind == PODS:
                self.intake.pod_gone(metadata["uid"]) if deleted else self.tell_pod(item)
            elif kind == EXECUTIONS:
                if deleted:
                    self.intake.execution_gone(key, metadata["uid"])
                else:
                    self.intake.execution(item)
            elif kind == FLOWS:
                self.intake.flow_gone(key, metadata["uid"]) if deleted else self.intake.flow(item)
            elif kind == CONNECTORS:
                self.intake.connector_gone(
                    key, metadata["uid"]
                ) if deleted else self.intake.connector(item)
            elif kind == SCHEDULES:
                self.intake.schedule_gone(
                    key, metadata["uid"]
                ) if deleted else self.intake.schedule(item)

    # What others do

    def status(self, name: str = "run") -> JsonObject:
        """Return an Execution's status."""
        found: JsonObject = self.cluster.find(EXECUTIONS, name)["status"]
        return found

    def pod_of(self, name: str = "run") -> str:
        """Return the name of the Pod that an Execution's status names."""
        return str(self.status(name)["runner"]["pod"])

    def kubelet(self, name: str = "run", **status: object) -> None:
        """Write the status of the Pod that an Execution's status names."""
        self.cluster.change(PODS, self.pod_of(name), {"status": status})

    def runs(self, name: str = "run") -> None:
        """The Pod's process has begun."""
        running = {"running": {"startedAt": render_time(self.now)}}
        self.kubelet(
            name, phase="Running", containerStatuses=[{"name": "runner", "state": running}]
        )

    def exits(self, code: int, name: str = "run", reason: str = "Error") -> None:
        """The Pod's process has ended."""
        ended = {"terminated": {"exitCode": code, "reason": reason}}
        self.kubelet(name, phase="Failed", containerStatuses=[{"name": "runner", "state": ended}])

    def reports(self, phase: str, name: str = "run", **status: object) -> None:
        """The server writes what the script reports."""
        final = {"completionTime": render_time(self.now)} if phase != "Running" else {}
        start = {"startTime": render_time(self.now)}
        self.cluster.change(
            EXECUTIONS, name, {"status": {"phase": phase, **start, **final, **status}}
        )
