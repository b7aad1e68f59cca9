"""The verbs by which people look: `weir get`, `weir tree`, `weir logs`, `weir describe`."""

from __future__ import annotations

from typing import Annotated

import typer

from weir.api.phases import Phase
from weir.cli.arguments import Archived, Everywhere, Execution
from weir.cli.arguments import output as output_option
from weir.cli.completion import columns_of_kind, flow_names, kind_words, names_of_kind
from weir.cli.errors import ExitCode
from weir.cli.output import LISTS, VALUES, Output
from weir.cli.session import Session
from weir.cli.verbs import verb


async def logs(
    session: Session,
    execution: Execution,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Local time before each line.")
    ] = False,
    tree: Annotated[
        bool, typer.Option("--tree", help="The logs of all its descendants, too.")
    ] = False,
    output: Annotated[
        str, output_option((Output.TEXT, *VALUES), help="How; json is one object a line.")
    ] = "text",
) -> ExitCode:
    """Print the log of a run."""
    from weir.cli import logs as logging_

    return await logging_.show(
        session, execution, follow=follow, timestamps=timestamps, tree=tree, output=output
    )


async def tree(
    session: Session,
    execution: Execution,
    root: Annotated[bool, typer.Option("--root", help="Begin at the top of the family.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Draw anew after each change, to the end.")
    ] = False,
    archived: Archived = False,
    output: Annotated[
        str | None, output_option(LISTS, help="Its members, parents first, as get prints them.")
    ] = None,
) -> ExitCode:
    """Show a run and all that it started."""
    from weir.cli import tree as showing

    return await showing.show(
        session, execution, root=root, watch=watch, archived=archived, output=output
    )


async def get(
    session: Session,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="executions, flows, schedules, …: several with commas, `all`, or KIND/NAME.",
            autocompletion=kind_words,
        ),
    ] = "executions",
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these.", autocompletion=names_of_kind),
    ] = None,
    output: Annotated[str, output_option(LISTS)] = "table",
    selector: Annotated[
        str | None,
        typer.Option(
            "--selector", "-l", metavar="LABELS", help="Only with these labels: a=b,c!=d,e."
        ),
    ] = None,
    phase: Annotated[
        Phase | None, typer.Option("--phase", help="Only executions in this phase.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            "--flow",
            metavar="FLOW",
            help="Only executions of this flow.",
            autocompletion=flow_names,
        ),
    ] = None,
    everywhere: Everywhere = False,
    sort_by: Annotated[
        str | None,
        typer.Option(
            "--sort-by",
            metavar="COLUMN|PATH",
            help="A column, or a path such as .status.phase. Default: executions and messages by "
            "age, others by name.",
            autocompletion=columns_of_kind,
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on, with a line at each change.")
    ] = False,
    events: Annotated[
        bool,
        typer.Option("--output-watch-events", help="With --watch: what happened to each, too."),
    ] = False,
    no_headers: Annotated[
        bool, typer.Option("--no-headers", help="Tables without their first line.")
    ] = False,
    archived: Archived = False,
) -> ExitCode:
    """List what there is: executions, flows, schedules, and every other kind of Weir's."""
    from weir.cli import get as getting

    choice = getting.Choice(
        everywhere=everywhere,
        selector=selector or "",
        phase=phase,
        flow=flow,
        archived=archived,
        sort_by=sort_by,
    )
    return await getting.get(
        session,
        [kind, *(names or [])],
        choice,
        output=output,
        watch=watch,
        events=events,
        headers=not no_headers,
    )


async def describe(
    session: Session,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="A kind, as in get; or KIND/NAME.", autocompletion=kind_words
        ),
    ],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Names.", autocompletion=names_of_kind),
    ] = None,
) -> ExitCode:
    """Show where an object stands and why: its conditions, files that were not taken, events."""
    from weir.cli import describing

    return await describing.describe(session, [kind, *(names or [])])


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("", "executions, the newest last"),
            ("executions --phase Failed -o wide", "what failed"),
            ("--watch", "with a line at each change"),
            ("flows", "which flows there are, and whether they may run"),
            ("schedules,webhooks -A", "what starts runs, in all namespaces"),
            ("flows -l weir.dev/repository=team-flows", "what a repository brought"),
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
    verb(
        app,
        examples=(
            ("flowrepository team-flows", "why it is not Ready, and which files were not taken"),
            ("schedule/nightly flow/hello", "of several kinds"),
        ),
    )(describe)
