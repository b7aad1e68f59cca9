"""The verbs by which people look: `weir get`, `weir tree`, `weir logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from weir.api.phases import Phase
from weir.cli.completion import execution_names
from weir.cli.errors import ExitCode
from weir.cli.session import Session
from weir.cli.verbs import verb

_Execution = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION", help="Name of an Execution.", autocompletion=execution_names
    ),
]
_Archived = Annotated[
    bool, typer.Option("--archived", help="Also what scripts have put away, such as failed tries.")
]


async def logs(
    session: Session,
    execution: _Execution,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Local time before each line.")
    ] = False,
    tree: Annotated[
        bool, typer.Option("--tree", help="The logs of all its descendants, too.")
    ] = False,
) -> ExitCode:
    """Print the log of a run."""
    from weir.cli import logs as logging_

    return await logging_.show(session, execution, follow=follow, timestamps=timestamps, tree=tree)


async def tree(
    session: Session,
    execution: _Execution,
    root: Annotated[bool, typer.Option("--root", help="Begin at the top of the family.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Draw anew after each change, to the end.")
    ] = False,
    archived: _Archived = False,
) -> ExitCode:
    """Show a run and all that it started."""
    from weir.cli import tree as showing

    return await showing.show(session, execution, root=root, watch=watch, archived=archived)


async def get(
    session: Session,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="executions, flows or connectors.")
    ] = "executions",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="table|wide|json|yaml|name", help="How.")
    ] = "table",
    phase: Annotated[
        Phase | None, typer.Option("--phase", help="Only executions in this phase.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="FLOW", help="Only executions of this flow."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")
    ] = False,
    archived: _Archived = False,
) -> ExitCode:
    """List executions, flows or connectors."""
    from weir.cli import get as getting

    return await getting.get(
        session,
        kind,
        names or [],
        output=output,
        phase=phase,
        flow=flow,
        everywhere=everywhere,
        archived=archived,
    )


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("", "executions, the newest last"),
            ("executions --phase Failed -o wide", "what failed"),
            ("flows", "which flows there are, and whether they may run"),
            ("execution hello-x2k7q -o yaml", "the whole object"),
        ),
    )(get)
    verb(
        app,
        examples=(
            ("hello-x2k7q", "the run and all below it"),
            ("step-one-b4d9kmzt --root", "from the top of its family"),
            ("hello-x2k7q --watch", "live, to the end"),
        ),
    )(tree)
    verb(
        app,
        examples=(
            ("hello-x2k7q", "what it has logged so far"),
            ("hello-x2k7q -f --timestamps", "as it comes, to its end"),
            ("hello-x2k7q --tree", "with all that it started"),
        ),
    )(logs)
