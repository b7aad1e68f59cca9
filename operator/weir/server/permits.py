"""What a script may change besides what is its own: its Flow's `spec.allow` says."""

from weir.api.flow import Allowed
from weir.server import raising
from weir.server.runs import Run
from weir.server.runtime import Runtime


def is_permitted(runtime: Runtime, run: Run, what: Allowed) -> bool:
    """Whether the run's Flow, as it is now, allows it. A script without a Flow may nothing more."""
    execution = run.execution
    if execution.spec.flow is None:
        return False
    flows = runtime.catalogs.flows(execution.metadata.namespace)
    flow = flows.get(execution.status.flow) if execution.status.flow else None
    return flow is not None and what in (flow.spec.allow or [])


def require(runtime: Runtime, run: Run, what: Allowed) -> None:
    """Raise Raises (PermissionDenied) unless the run's Flow allows it."""
    if is_permitted(runtime, run, what):
        return
    name = run.execution.status.flow or run.execution.spec.flow
    if name is None or run.execution.spec.flow is None:
        raise raising.denied(f"only the script of a Flow whose spec.allow names {what} may do that")
    raise raising.denied(f"flow {name} may not change {what}: its spec.allow does not name them")
