"""`weir cancel`, `weir pause`, `weir resume`: ask runs for another state, and wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.cli import finding, following, printing, trees
from weir.cli.errors import CliError, ExitCode
from weir.cli.output import LISTS, Output, way_of
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


async def ask(
    session: Session, names: list[str], state: DesiredState, *, wait: bool, output: str | None
) -> ExitCode:
    """Ask Executions for a state. Nothing is asked when one of the names is unknown, or cannot be.

    Raises CliError, ClusterError.
    """
    way = way_of(output, LISTS) if output is not None else None
    executions = [await finding.execution(session, name) for name in dict.fromkeys(names)]
    if state != DesiredState.CANCELLED:
        for one in executions:
            _require_not_cancelled(one)
    tell = say_nothing if way is not None else say_line
    for one in executions:
        await _ask(session, one, state, tell)
    if wait:
        for one in executions:
            await _reached(session, one, state, tell)
    if way is not None:
        await show_again(session, executions, way)
    return ExitCode.SUCCEEDED


def say_line(line: str) -> None:
    """Print what became of one run."""
    print(line, flush=True)


def say_nothing(line: str) -> None:
    """Print nothing: the objects are printed at the end."""


async def show_again(session: Session, executions: list[Execution], way: Output) -> None:
    """Print Executions as they are now."""
    items = [
        await session.cluster.get(EXECUTIONS, session.namespace, one.metadata.name)
        for one in executions
    ]
    printing.show(session, Execution, items, way, single=len(items) == 1)


def _require_not_cancelled(execution: Execution) -> None:
    cancelled = execution.spec.desired_state == DesiredState.CANCELLED
    if cancelled and not execution.phase.is_final:
        raise CliError(
            f"execution {execution.metadata.name} is to be cancelled, and that is final",
            ExitCode.UNABLE,
        )


async def _ask(
    session: Session, execution: Execution, state: DesiredState, tell: Callable[[str], None]
) -> None:
    name = execution.metadata.name
    if execution.phase.is_final:
        tell(f"execution/{name} ended before ({execution.phase})")
        return
    if execution.spec.desired_state == state:
        tell(f"execution/{name} {_WORDS[state].already}")
        return
    body = {"spec": {"desiredState": str(state)}}
    await session.cluster.patch(EXECUTIONS, session.namespace, name, body)
    tell(f"execution/{name} {_WORDS[state].asked}")


async def _reached(
    session: Session, execution: Execution, state: DesiredState, tell: Callable[[str], None]
) -> None:
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
            tell(trees.line(seen, now=session.now(), terminal=session.out))
            return
