"""`weir promote`: makes Development runs count."""

from __future__ import annotations

from collections.abc import Callable

from weir.api.execution import Execution
from weir.api.names import MODE_LABEL
from weir.api.phases import Mode
from weir.cli import finding
from weir.cli.desired import say_line, say_nothing, show_again
from weir.cli.errors import CliError, ExitCode
from weir.cli.output import LISTS, way_of
from weir.cli.session import Session
from weir.cluster.kinds import EXECUTIONS


async def promote(session: Session, names: list[str], *, output: str | None) -> ExitCode:
    """Make Executions Productive. Nothing is changed when one of the names is unknown, or a draft.

    Raises CliError, ClusterError.
    """
    way = way_of(output, LISTS) if output is not None else None
    executions = [await finding.execution(session, name) for name in dict.fromkeys(names)]
    for one in executions:
        if one.spec.draft is not None:
            raise CliError(
                f"execution {one.metadata.name} runs a draft, and a draft never counts: put its "
                "script into the Flow, and run that",
                ExitCode.UNABLE,
            )
    for one in executions:
        await _promote(session, one, say_line if way is None else say_nothing)
    if way is not None:
        await show_again(session, executions, way)
    return ExitCode.SUCCEEDED


async def _promote(session: Session, execution: Execution, tell: Callable[[str], None]) -> None:
    name = execution.metadata.name
    if execution.spec.mode == Mode.PRODUCTIVE:
        tell(f"execution/{name} is Productive")
        return
    mode = str(Mode.PRODUCTIVE)
    body = {"metadata": {"labels": {MODE_LABEL: mode}}, "spec": {"mode": mode}}
    await session.cluster.patch(EXECUTIONS, session.namespace, name, body)
    tell(f"execution/{name} is Productive from now on")
