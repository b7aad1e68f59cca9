"""`weir cancel`: asks for the end of runs, and waits for it where that is wanted."""

from __future__ import annotations

from weir.api.execution import Execution
from weir.api.phases import DesiredState
from weir.cli import finding, following, trees
from weir.cli.errors import ExitCode
from weir.cli.session import Session
from weir.cluster.kinds import EXECUTIONS


async def cancel(session: Session, names: list[str], *, wait: bool) -> ExitCode:
    """Cancel Executions. Nothing is cancelled when one of the names is unknown.

    Raises CliError, ClusterError.
    """
    executions = [await finding.execution(session, name) for name in dict.fromkeys(names)]
    for one in executions:
        await _ask(session, one)
    if wait:
        for one in executions:
            if not one.phase.is_final:
                end = await following.end_of(session, one.metadata.name)
                print(trees.line(end, now=session.now(), terminal=session.out), flush=True)
    return ExitCode.SUCCEEDED


async def _ask(session: Session, execution: Execution) -> None:
    name = execution.metadata.name
    if execution.phase.is_final:
        print(f"execution/{name} ended before ({execution.phase})", flush=True)
        return
    if execution.spec.desired_state != DesiredState.CANCELLED:
        body = {"spec": {"desiredState": DesiredState.CANCELLED}}
        await session.cluster.patch(EXECUTIONS, session.namespace, name, body)
    print(f"execution/{name} is to be cancelled", flush=True)
