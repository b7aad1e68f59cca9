"""Waiting for Executions to end, and telling each step of theirs."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.cli.errors import CliError, ExitCode
from weir.cli.session import Session
from weir.cluster.kinds import EXECUTIONS
from weir.cluster.watching import ChangeType

EXIT_CODES = {
    Phase.SUCCEEDED: ExitCode.SUCCEEDED,
    Phase.FAILED: ExitCode.FAILED,
    Phase.CANCELLED: ExitCode.CANCELLED,
}


async def states(session: Session, name: str) -> AsyncGenerator[Execution, None]:
    """Yield an Execution as it is now and after every change, until it is final.

    Raises CliError when it is deleted meanwhile.
    """
    changes = session.cluster.watch(EXECUTIONS, session.namespace, fields=f"metadata.name={name}")
    seen = False
    async for change in changes:
        gone = change.type == ChangeType.SYNCED and not seen
        if gone or change.type == ChangeType.DELETED:
            raise CliError(f"execution {name} was deleted", ExitCode.UNABLE)
        if change.object:
            seen = True
            execution = Execution.model_validate(change.object)
            yield execution
            if execution.phase.is_final:
                return


async def end_of(session: Session, name: str) -> Execution:
    """Return an Execution when it is final. Raises CliError when it is deleted before."""
    last: Execution | None = None
    async for execution in states(session, name):
        last = execution
    assert last is not None, "states() ends with a final one"
    return last
