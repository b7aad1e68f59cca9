"""Makes room for runs whose Pods find no place: one that only waits gives its own back."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.cluster.client import Cluster
from weir.cluster.errors import Conflict, NotFound
from weir.cluster.transition import transition
from weir.controllers.gathering import Gatherer
from weir.controllers.intake import Intake
from weir.controllers.store import Store
from weir.core import hibernation
from weir.core.hibernation import Candidate, Starved
from weir.core.observed import Observed

logger = logging.getLogger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Its Pod has to be gone before the quota says so.
_POD_GOES = timedelta(seconds=1)


class Room:
    """Takes Pods of waiting runs, one at a time."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        intake: Intake,
        gatherer: Gatherer,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._intake = intake
        self._gatherer = gatherer
        self._clock = clock
        self._last: dict[str | None, datetime] = {}  # by namespace

    async def make_for(self, seen: Observed) -> datetime | None:
        """Take another run's Pod if this run has lacked room for long enough.

        Returns when to ask again; None when it lacks none.
        """
        starved, now = hibernation.starved(seen), self._clock()
        if starved is None:
            return None
        memory = self._store.memory(seen.execution.uid)
        if starved.namespace is not None and memory.over_quota_since is None:
            return None  # it has just got its Pod
        asks = hibernation.asks_at(starved, memory.requests, memory.requested)
        turn = self._last.get(starved.namespace, _LONG_AGO) + hibernation.BETWEEN_REQUESTS
        if now < max(asks, turn):
            return max(asks, turn)
        self._last[starved.namespace] = memory.requested = now
        memory.requests += 1
        if await self._taken(starved, seen.execution) and starved.namespace is not None:
            memory.refusals, memory.refused_until = 0, now + _POD_GOES
            return memory.refused_until
        return hibernation.asks_at(starved, memory.requests, now)

    async def _taken(self, starved: Starved, for_: Execution) -> bool:
        """Whether a run was found, and its Pod taken."""
        waiting = {
            one.uid: one
            for one in self._store.live()
            if one.phase == Phase.WAITING
            and one.status.runner is not None
            and one.spec.desired_state == DesiredState.RUNNING
        }
        candidates = [await self._candidate(one) for one in waiting.values()]
        chosen = hibernation.chosen(starved, candidates)
        if chosen is None:
            return False
        execution = waiting[chosen.uid]
        change = hibernation.given_back(execution, now=self._clock())
        if change is None:
            return False
        try:
            written = await transition(self._cluster, execution, change)
        except (Conflict, NotFound):
            return False  # it has something to do, or is gone: the next time another one
        logger.info(
            "Pod taken from a waiting run",
            extra={"object": "/".join(execution.key), "for": "/".join(for_.key)},
        )
        self._intake.execution(written)
        return True

    async def _candidate(self, execution: Execution) -> Candidate:
        plan = await self._gatherer.plan(execution)
        since = self._store.memory(execution.uid).waits_since
        return Candidate(
            uid=execution.uid,
            namespace=execution.metadata.namespace,
            waits_since=since or execution.status.start_time or _LONG_AGO,
            resumable=plan.obstacle is None and hibernation.is_resumable(execution, plan.spec),
        )
