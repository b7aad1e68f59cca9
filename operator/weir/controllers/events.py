"""Kubernetes Events about trouble, for `kubectl describe`. Losing one never matters."""

import asyncio
import logging
from datetime import UTC, datetime

from weir.api import names
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, Resource, render_time
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, ClusterError
from weir.cluster.kinds import EVENTS

logger = logging.getLogger(__name__)

_LONGEST = 1000
_BACKLOG = 200

TROUBLE = frozenset(
    {
        Reason.FLOW_NOT_FOUND,
        Reason.FLOW_NOT_READY,
        Reason.CONNECTOR_NOT_FOUND,
        Reason.CONNECTOR_NOT_READY,
        Reason.INVALID_INPUTS,
        Reason.INPUTS_TOO_LARGE,
        Reason.TOO_DEEP,
        Reason.NAME_TAKEN,
        Reason.POD_NOT_STARTING,
        Reason.POD_REFUSED,
        Reason.RUNNER_LOST,
        Reason.TOO_MANY_ATTEMPTS,
        Reason.OUT_OF_MEMORY,
        Reason.RUNNER_EXITED,
        Reason.TIMED_OUT,
        Reason.TRY_FAILED,
        Reason.ILLEGAL_MOVE,
        Reason.SYNTAX_ERROR,
        Reason.NO_HANDLER,
        Reason.INVALID_SCHEMA,
        Reason.INVALID_SPEC,
        Reason.TITLE_TAKEN,
        Reason.UNKNOWN_TYPE,
        Reason.SECRET_NOT_FOUND,
        Reason.FETCH_FAILED,
        Reason.AUTHENTICATION_FAILED,
        Reason.HOST_KEY_UNKNOWN,
        Reason.REF_NOT_FOUND,
        Reason.TOO_LARGE,
        Reason.NO_FILES,
        Reason.FILES_REJECTED,
        Reason.APPLY_FAILED,
        Reason.DRIFTED,
        Reason.INVALID_CRON,
        Reason.INVALID_TIME_ZONE,
        Reason.REFUSED,
    }
)


class EventWriter:
    """Writes Events one after the other, beside everything else."""

    def __init__(self, cluster: Cluster, *, identity: str) -> None:
        self._cluster = cluster
        self._identity = identity
        self._backlog: asyncio.Queue[JsonObject] = asyncio.Queue(_BACKLOG)

    def warn(self, about: Resource, reason: Reason | None, message: str | None) -> None:
        """Write an Event if the reason is one of trouble; the same one is written once."""
        if reason not in TROUBLE or self._backlog.full():
            return
        self._backlog.put_nowait(_event(about, reason, message or "", self._identity))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            event = await self._backlog.get()
            try:
                await self._cluster.create(EVENTS, event["metadata"]["namespace"], event)
            except AlreadyExists:
                pass
            except ClusterError as error:
                logger.debug("Event not written", extra={"error": error.message[:200]})


def _event(about: Resource, reason: Reason, message: str, identity: str) -> JsonObject:
    metadata, moment = about.metadata, render_time(datetime.now(UTC))
    hashed = names.digest(metadata.uid, reason, message)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata.name}.{hashed}", "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": about.KIND,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "type": "Warning",
        "reason": str(reason),
        "message": message[:_LONGEST],
        "source": {"component": "weir-operator"},
        "reportingComponent": "weir-operator",
        "reportingInstance": identity,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
