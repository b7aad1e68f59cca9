"""The verbs by which people change what becomes of a run: cancel, pause, resume, promote; and of
what starts runs: suspend, unsuspend.
"""

from __future__ import annotations

from typing import Annotated

import typer

from weir.api.phases import DesiredState
from weir.cli.arguments import Executions
from weir.cli.arguments import output as output_option
from weir.cli.completion import kinds_among, names_of_kind
from weir.cli.errors import ExitCode
from weir.cli.kinds import SUSPENDABLE
from weir.cli.output import LISTS
from weir.cli.session import Session
from weir.cli.verbs import verb

Changed = Annotated[str | None, output_option(LISTS, help="Print the objects, as they are then.")]
SuspendableKind = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="flow, schedule or flowrepository; or KIND/NAME.",
        autocompletion=kinds_among(SUSPENDABLE),
    ),
]
Suspendable = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME...", help="Names.", autocompletion=names_of_kind),
]


async def cancel(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they have ended.")] = False,
    output: Changed = None,
) -> ExitCode:
    """Cancel runs, with all that they started."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.CANCELLED, wait=wait, output=output)


async def pause(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they are held.")] = False,
    output: Changed = None,
) -> ExitCode:
    """Pause runs: each is held at the next call of its script, until it is resumed."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.PAUSED, wait=wait, output=output)


async def resume(
    session: Session,
    executions: Executions,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until they go on.")] = False,
    output: Changed = None,
) -> ExitCode:
    """Resume paused runs, and start those that were made without being started."""
    from weir.cli import desired

    return await desired.ask(session, executions, DesiredState.RUNNING, wait=wait, output=output)


async def promote(session: Session, executions: Executions, output: Changed = None) -> ExitCode:
    """Make Development runs Productive, and with them what they start from now on."""
    from weir.cli import modes

    return await modes.promote(session, executions, output=output)


async def suspend(
    session: Session, kind: SuspendableKind, names: Suspendable = None, output: Changed = None
) -> ExitCode:
    """Suspend flows, schedules or repositories: no new runs, no syncs; what runs goes on."""
    from weir.cli import suspending

    return await suspending.suspend(session, [kind, *(names or [])], True, output=output)


async def unsuspend(
    session: Session, kind: SuspendableKind, names: Suspendable = None, output: Changed = None
) -> ExitCode:
    """Let suspended flows, schedules or repositories go on."""
    from weir.cli import suspending

    return await suspending.suspend(session, [kind, *(names or [])], False, output=output)


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
    verb(
        app,
        examples=(
            ("schedule nightly", "no more runs, until it is let go on"),
            ("flowrepository team-flows", "nothing is fetched, written, pruned or undone"),
            ("flow hello report", "their new runs stay Pending"),
        ),
    )(suspend)
    verb(
        app,
        examples=(
            ("schedule nightly", "from the next time on; what passed is not made up for"),
            ("flow/hello flow/report", "and their Pending runs start"),
        ),
    )(unsuspend)
