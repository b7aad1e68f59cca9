"""Look at one FlowRepository: fetch it, and bring the namespace in step with it.

A sync takes as long as a Git host lets it, so these looks have a queue of their own.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.api.resource import Key
from weir.cluster.client import Cluster
from weir.cluster.errors import ClusterError
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.repository_applying import Applier, Superseded
from weir.controllers.repository_fetching import Fetcher
from weir.controllers.repository_status import StatusWriter
from weir.controllers.repository_syncing import Before, Outcome, Syncer
from weir.controllers.store import Store
from weir.core import sync_times
from weir.core.sync_times import Synced

logger = logging.getLogger(__name__)

WORKERS = 64
"""Syncs that may wait at once: for hosts, places, turns in their namespace, the API server."""


@dataclass
class Remembered:
    """What is remembered of a FlowRepository between two syncs."""

    synced: Synced
    left: Before
    adrift: bool = False


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
        fetcher: Fetcher,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._queue = queue
        self._fetcher = fetcher
        self._clock = clock
        self._applier = Applier(cluster, store, intake)
        self._syncer = Syncer(cluster, fetcher, self._applier)
        self._status = StatusWriter(cluster, store, intake, events, clock=clock)
        self._remembered: dict[Key, Remembered] = {}
        self.syncs: Counter[str] = Counter()
        """How many syncs ended how: by the reason of trouble, `Synced`, or `Unchanged`."""

    async def look(self, target: Target) -> None:
        """Sync where something is new or asked for."""
        key = (target.namespace, target.name)
        repository = self._store.repositories.get(key)
        news = self._store.take_brought(key)
        known = self._remembered.get(key)
        if known is not None and (
            repository is None or known.synced.uid != repository.metadata.uid
        ):
            known = None
            del self._remembered[key]
            self._fetcher.forget(key)
        if repository is None:
            self._fetcher.forget(key)
            self._queue.forget(target)
            return
        if repository.spec.suspend:
            await self._status.suspended(repository)
            return
        if known is not None and not known.adrift and known.left.fetched is not None:
            known.adrift = self._applier.differs(repository, known.left.fetched.read, news)
        now = self._clock()
        due = self._due(repository, now)
        if due <= now:
            await self._sync(repository)
            now = self._clock()
            due = self._due(repository, now)
        self._queue.look_again(target, max((due - now).total_seconds(), 0.001))

    def _due(self, repository: FlowRepository, now: datetime) -> datetime:
        known = self._remembered.get(repository.key)
        if known is None:
            return now
        return sync_times.due(repository, known.synced, adrift=known.adrift, now=now)

    async def _sync(self, repository: FlowRepository) -> None:
        """Sync once; write, and remember, what came of it."""
        key, request = repository.key, sync_times.requested(repository)
        known = self._remembered.get(key)
        left = known.left if known else Before()

        async def begin(message: str) -> None:
            await self._status.begin(repository, message)

        try:
            outcome = await self._syncer.sync(
                repository, left, begin=begin, is_current=lambda: self._is_current(repository)
            )
        except Superseded:
            return
        self._count(repository, outcome)
        failures = known.synced.failures if known else 0
        undoings = known.synced.undoings if known else 0
        synced = Synced(
            at=self._clock(),
            uid=repository.metadata.uid,
            generation=repository.metadata.generation,
            request=request,
            failures=failures + 1 if outcome.is_transient else 0,
            undoings=undoings + 1 if outcome.undone else 0,
        )
        self._remembered[key] = Remembered(synced, outcome.left(repository, left))
        try:
            await self._status.ended(repository, outcome, request)
        except ClusterError:
            # What came of it is said after the next sync, which is not to be long in coming.
            again = replace(synced, failures=synced.failures or 1)
            self._remembered[key].synced = again
            raise

    def _is_current(self, repository: FlowRepository) -> bool:
        """Whether the spec that a sync began with is still there."""
        now = self._store.repositories.get(repository.key)
        return (
            now is not None
            and now.metadata.uid == repository.metadata.uid
            and now.metadata.generation == repository.metadata.generation
        )

    def _count(self, repository: FlowRepository, outcome: Outcome) -> None:
        word = outcome.word
        self.syncs[word] += 1
        if word != "Unchanged":
            logger.info(
                "FlowRepository synced" if word == Reason.SYNCED else "FlowRepository not synced",
                extra={"object": "/".join(repository.key), "outcome": word} | outcome.facts,
            )
