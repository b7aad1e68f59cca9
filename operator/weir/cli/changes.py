"""The verbs by which people change what becomes of a run: cancel, pause, resume, promote."""

from __future__ import annotations

from typing import Annotated

import typer

from weir.api.phases import DesiredState
from weir.cli.arguments import Executions
from weir.cli.errors import ExitCode
from weir.cli.session import Session
from weir.cli.verbs import verb


async def cancel(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they have ended.")] = False,
) -> ExitCode:
    """Cancel runs, with all that they started."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.CANCELLED, wait=wait)


async def pause(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they are held.")] = False,
) -> ExitCode:
    """Pause runs: each is held at the next call of its script, until it is resumed."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.PAUSED, wait=wait)


async def resume(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they go on.")] = False,
) -> ExitCode:
    """Resume paused runs, and start those that were made without being started."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.RUNNING, wait=wait)


async def promote(session: Session, executions: Executions) -> ExitCode:
    """Make Development runs Productive, and with them what they start from now on."""
    from weir.cli import modes

    return await modes.promote(session, executions)


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("hello-x2k7q", "and all that it started"),
            ("hello-x2k7q report-9wzb4 --wait", "return when they have ended"),
        ),
    )(cancel)
    verb(
        app,
        examples=(
            ("hello-x2k7q", "hold it at the next call of its script"),
            ("hello-x2k7q --wait", "return when it is held"),
        ),
    )(pause)
    verb(
        app,
        examples=(
            ("hello-x2k7q", "let it go on"),
            ("hello-x2k7q --wait", "return when it goes on"),
        ),
    )(resume)
    verb(app, examples=(("hello-x2k7q", "from now on it counts"),))(promote)
