"""Look at one Connector: whether connections may use it."""

import logging
from collections.abc import Callable
from datetime import datetime

from weir.api.connector import Connector
from weir.api.reasons import ConditionType
from weir.api.resource import with_condition
from weir.cluster.client import Cluster
from weir.cluster.errors import NotFound, Refused
from weir.cluster.kinds import CONNECTORS, SECRETS
from weir.controllers.events import EventWriter
from weir.controllers.intake import Intake
from weir.controllers.queue import LookAgainQueue, Target
from weir.controllers.store import Store
from weir.core.readiness import check_connector
from weir.core.targets import ready_condition

logger = logging.getLogger(__name__)

# Secrets are not watched: that would be all of them. One that is missing is looked for again.
_AGAIN_WHEN_NOT_READY = 10.0


class ConnectorController:
    """Keeps the Ready condition of Connectors."""

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
        """Write the Ready condition of a Connector where it is another than before."""
        connectors = self._store.connectors(target.namespace)
        connector = connectors.get(target.name)
        if connector is None:
            return
        verdict = check_connector(connector, connectors, await self._missing(connector))
        if not verdict.ready:
            self._queue.look_again(target, _AGAIN_WHEN_NOT_READY)
        known = ready_condition(connector)
        if known is not None and (known.reason, known.message) == verdict[1:]:
            return
        if not verdict.ready:
            self._events.warn(connector, verdict.reason, verdict.message)
        conditions = with_condition(
            connector.status.conditions,
            ConditionType.READY,
            "True" if verdict.ready else "False",
            verdict.reason,
            verdict.message,
            now=self._clock(),
            generation=connector.metadata.generation,
        )
        body = {
            "metadata": {"uid": connector.metadata.uid},
            "status": {
                "conditions": [one.dump() for one in conditions],
                "observedGeneration": connector.metadata.generation,
            },
        }
        try:
            written = await self._cluster.patch(CONNECTORS, *connector.key, body, status=True)
        except NotFound:
            return
        self._intake.connector(written)

    async def _missing(self, connector: Connector) -> list[str]:
        """Return the Secrets, with their keys, that are not there."""
        missing = []
        for one in connector.spec.secret_inputs:
            reference = one.secret_key_ref
            try:
                secret = await self._cluster.get(
                    SECRETS, connector.metadata.namespace, reference.name
                )
            except NotFound:
                missing.append(f"Secret {reference.name}")
                continue
            except Refused:
                continue  # the operator may not read it; the server says when it cannot either
            if reference.key not in (secret.get("data") or {}):
                missing.append(f"key {reference.key} of Secret {reference.name}")
        return missing
