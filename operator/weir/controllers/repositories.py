"""Look at one FlowRepository: fetch it, and bring the namespace in step with it."""

from collections.abc import Callable
from datetime import datetime

from weir.cluster.client import Cluster
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.store import Store


class RepositoryController:
    """Keeps namespaces in step with FlowRepositories."""

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

    async def look(self, target: Target) -> None:
        """Sync where something is new or asked for."""
