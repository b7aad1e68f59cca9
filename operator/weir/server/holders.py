"""Finds out who holds a lock, and whether that run is still there."""

from __future__ import annotations

from weir.api.execution import Execution
from weir.api.setting import Setting
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS
from weir.core.locking import holds
from weir.server.runtime import Runtime
from weir.server.watches import parsed


async def holder(runtime: Runtime, setting: Setting) -> Execution | None:
    """Return the run that holds a lock; None: it is free. Raises ClusterError."""
    named = setting.status.holder
    if named is None:
        return None
    execution = runtime.executions.get(named.uid)
    if execution is None:
        # Gone, or made a moment ago at another server: only the API server can tell.
        try:
            item = await runtime.cluster.get(
                EXECUTIONS, setting.metadata.namespace, named.execution
            )
        except NotFound:
            return None
        execution = parsed(Execution, item)
        if execution is None or execution.uid != named.uid:
            return None
        execution = runtime.executions.feed(execution)
    return execution if holds(named, execution) else None
