"""Asking the operator to sync a FlowRepository at once."""

from __future__ import annotations

from weir.api.names import SYNC_REQUESTED
from weir.api.repository import FlowRepository
from weir.api.resource import render_time
from weir.cluster.kinds import FLOW_REPOSITORIES
from weir.server.runtime import Runtime


async def ask_for_sync(runtime: Runtime, repository: FlowRepository) -> None:
    """Give the annotation that asks for it a new value. Raises NotFound, ClusterError."""
    namespace, name = repository.key
    value = render_time(runtime.now(), exact=True)
    body = {"metadata": {"annotations": {SYNC_REQUESTED: value}}}
    await runtime.cluster.patch(FLOW_REPOSITORIES, namespace, name, body)
