"""The operator that acts: its parts, put together, and the order in which they start."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from weir import memory
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.controllers import repositories, watching
from weir.controllers.address import ServerAddress
from weir.controllers.certificates import SERVER_NAME, CertificateKeeper
from weir.controllers.connectors import ConnectorController
from weir.controllers.events import EventWriter
from weir.controllers.executions import ExecutionController
from weir.controllers.flows import FlowController
from weir.controllers.gathering import Gatherer
from weir.controllers.health import Numbers
from weir.controllers.intake import Intake
from weir.controllers.pods import PodWatch
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.repositories import RepositoryController
from weir.controllers.repository_fetching import Fetcher
from weir.controllers.resync import Resync
from weir.controllers.room import Room
from weir.controllers.schedules import ScheduleController
from weir.controllers.settings import Settings
from weir.controllers.store import Store
from weir.core.pods import RunnerDefaults

logger = logging.getLogger(__name__)

_RESYNC_EVERY = 600.0
_RETRY = 1.0
# Kopf has listed everything by then, too, on a busy machine by the second.
_SETTLED_AFTER = (10.0, 40.0)
# A watch hears something at least once a minute. An API server that is away for this long is
# nothing that a restart of ours would mend, but neither would it harm.
_STALE_AFTER = 600.0


class Leader:
    """Everything that acts, from the moment that this operator holds the Lease."""

    def __init__(
        self, cluster: Cluster, settings: Settings, *, clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._address = ServerAddress(
            cluster,
            namespace=settings.namespace,
            service=settings.server_service,
            fixed=settings.server_address,
        )
        self._certificates = CertificateKeeper(
            cluster, namespace=settings.namespace, secret=settings.tls_secret, clock=clock
        )
        self._events = EventWriter(cluster, identity=settings.identity)
        self._store = Store(cluster_limit=settings.max_running)
        self.queue = LookAgainQueue(self._look)
        self._intake = Intake(self._store, self.queue)
        gatherer = Gatherer(cluster, self._store, settings.limits)
        self._executions = ExecutionController(
            cluster,
            self._store,
            self.queue,
            self._intake,
            gatherer,
            self._events,
            Room(cluster, self._store, self._intake, gatherer, clock=clock),
            runner_defaults=self._runner_defaults,
            clock=clock,
        )
        parts = (cluster, self._store, self.queue, self._intake, self._events)
        self._flows = FlowController(*parts, clock=clock)
        self._connectors = ConnectorController(*parts, clock=clock)
        self._schedules = ScheduleController(*parts, clock=clock)
        self._fetcher = Fetcher(
            settings.repository_folder,
            at_once=settings.repository_concurrency,
            max_bytes=settings.repository_max_bytes,
            allow_local=settings.repository_allow_local,
        )
        self._syncs = LookAgainQueue(self._sync_repository, workers=repositories.WORKERS)
        self._repositories = RepositoryController(
            cluster,
            self._store,
            self._syncs,
            self._intake,
            self._events,
            fetcher=self._fetcher,
            clock=clock,
        )
        self._watches = [PodWatch(cluster, self._intake, scope) for scope in settings.scopes]
        self._resyncs = [
            Resync(cluster, self._store, self._intake, scope) for scope in settings.scopes
        ]
        self.acts = False
        """Whether it has seen everything and works."""

    async def run(self, stop: asyncio.Event) -> None:
        """Act until `stop` is set, or until a part fails."""
        await watching.wait_for_kinds(self._cluster)
        self._fetcher.clean()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._events.run(), name="events")]
            tasks += [group.create_task(watch.run(), name="Pods") for watch in self._watches]
            # What a runner Pod needs to reach the server, and all that there is already.
            await asyncio.gather(
                self._certificates.ensure_soon(),
                self._address.find(),
                self._sync(),
                *(watch.synced.wait() for watch in self._watches),
            )
            forever: list[Coroutine[Any, Any, None]] = [
                self.queue.run(),
                self._syncs.run(),
                self._certificates.run(),
                self._address.run(),
                self._tidy(),
            ]
            tasks += [group.create_task(one) for one in forever]
            self.acts = True
            logger.info("Acting", extra={"scopes": self._settings.watch_namespaces or "all"})
            stopping = group.create_task(stop.wait())
            watch = group.create_task(
                watching.run(self._intake, namespaces=self._settings.watch_namespaces, stop=stop)
            )
            await asyncio.wait({watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
            # Kopf waits for every task that came after it, so ours end first.
            for task in (*tasks, stopping):
                task.cancel()

    async def _look(self, target: Target) -> None:
        match target.kind:
            case "execution":
                await self._executions.look(target)
            case "flow":
                await self._flows.look(target)
            case "connector":
                await self._connectors.look(target)
            case "schedule":
                await self._schedules.look(target)
            case "repository":
                self._syncs.look_again(target)

    async def _sync_repository(self, target: Target) -> None:
        await self._repositories.look(target)

    async def _sync(self) -> None:
        for resync in self._resyncs:
            while True:
                try:
                    await resync.run()
                    break
                except ClusterError as error:
                    logger.warning("Not listed yet", extra={"error": error.message[:300]})
                    await asyncio.sleep(_RETRY)

    async def _tidy(self) -> None:
        """Look for what a watch missed, and for revisions that nothing needs any more."""
        for seconds in _SETTLED_AFTER:
            await asyncio.sleep(seconds)
            memory.give_back()
        while True:
            await asyncio.sleep(_RESYNC_EVERY)
            await self._sync()
            memory.give_back()
            for scope in self._settings.scopes:
                with contextlib.suppress(ClusterError):
                    await self._flows.sweep(scope)

    def _runner_defaults(self) -> RunnerDefaults:
        return RunnerDefaults(
            image=self._settings.runner_image,
            pull_policy=self._settings.runner_pull_policy,
            resources=self._settings.runner_resources,
            service_account=self._settings.runner_service_account,
            server=self._address.value,
            server_name=SERVER_NAME,
            server_ca=self._certificates.authority_pem,
            cache=self._settings.runner_cache or None,
            packages=tuple(self._settings.runner_packages),
        )

    def is_fresh(self) -> bool:
        """Whether the watches have heard something lately."""
        now = asyncio.get_running_loop().time()
        return all(now - watch.heard_at < _STALE_AFTER for watch in self._watches if watch.heard_at)

    def numbers(self) -> Numbers:
        """Return what is measured."""
        numbers = {
            ("weir_reconciles_total", ""): float(self.queue.total),
            ("weir_queue_length", ""): float(len(self.queue)),
            ("weir_repository_fetches", ""): float(self._fetcher.running),
        }
        for outcome, count in self._repositories.syncs.items():
            numbers["weir_repository_syncs_total", f'outcome="{outcome}"'] = float(count)
        for call, count in self._cluster.calls.items():
            verb, _, what = call.partition(" ")
            if not what.startswith("/"):
                labels = f'verb="{verb}",resource="{what}"'
                numbers["weir_api_calls_total", labels] = float(count)
        return numbers
