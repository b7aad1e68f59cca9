"""`weir cancel`, `weir pause`, `weir resume`: ask runs for another state, and wait for it."""

from __future__ import annotations

from typing import NamedTuple

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.cli import finding, following, trees
from weir.cli.errors import CliError, ExitCode
from weir.cli.session import Session
from weir.cluster.kinds import EXECUTIONS


class _Words(NamedTuple):
    asked: str  # what is said of a run that was asked
    already: str  # and of one that needed not be asked


_WORDS = {
    DesiredState.CANCELLED: _Words("is to be cancelled", "is to be cancelled"),
    DesiredState.PAUSED: _Words("is to be paused, at the next call of its script", "is paused"),
    DesiredState.RUNNING: _Words("is resumed", "is not paused"),
}


async def ask(session: Session, names: list[str], state: DesiredState, *, wait: bool) -> ExitCode:
    """Ask Executions for a state. Nothing is asked when one of the names is unknown, or cannot be.

    Raises CliError, ClusterError.
    """
    executions = [await finding.execution(session, name) for name in dict.fromkeys(names)]
    if state != DesiredState.CANCELLED:
        for one in executions:
            _require_not_cancelled(one)
    for one in executions:
        await _ask(session, one, state)
    if wait:
        for one in executions:
            await _reached(session, one, state)
    return ExitCode.SUCCEEDED


def _require_not_cancelled(execution: Execution) -> None:
    cancelled = execution.spec.desired_state == DesiredState.CANCELLED
    if cancelled and not execution.phase.is_final:
        raise CliError(
            f"execution {execution.metadata.name} is to be cancelled, and that is final",
            ExitCode.UNABLE,
        )


async def _ask(session: Session, execution: Execution, state: DesiredState) -> None:
    name = execution.metadata.name
    if execution.phase.is_final:
        print(f"execution/{name} ended before ({execution.phase})", flush=True)
        return
    if execution.spec.desired_state == state:
        print(f"execution/{name} {_WORDS[state].already}", flush=True)
        return
    body = {"spec": {"desiredState": state}}
    await session.cluster.patch(EXECUTIONS, session.namespace, name, body)
    print(f"execution/{name} {_WORDS[state].asked}", flush=True)


async def _reached(session: Session, execution: Execution, state: DesiredState) -> None:
    """Return when the run is as asked, or has ended."""
    if execution.phase.is_final:
        return
    async for seen in following.states(session, execution.metadata.name):
        # One that has not started is held as it is.
        paused = seen.phase in (Phase.PAUSED, Phase.PENDING, Phase.QUEUED)
        reached = {
            DesiredState.CANCELLED: False,
            DesiredState.PAUSED: paused,
            DesiredState.RUNNING: not paused,
        }[state]
        if reached or seen.phase.is_final:
            print(trees.line(seen, now=session.now(), terminal=session.out), flush=True)
            return
