"""Whether a run that waits has something else to do than to wait."""

from weir.api.phases import DesiredState
from weir.server import refusals
from weir.server.runs import Run
from weir.server.runtime import Runtime


def is_disturbed(runtime: Runtime, run: Run) -> bool:
    """Whether a run is to be paused, or its Pod was taken.

    Raises Refused when it has ended, or the server stops.
    """
    if runtime.stopping.is_set():
        raise refusals.unavailable("the server is restarting")
    execution = runtime.executions.get(run.uid)
    if execution is None or execution.phase.is_final:
        raise refusals.ended(f"execution {run.attempt.name} has ended")
    return execution.spec.desired_state == DesiredState.PAUSED or execution.is_hibernated
