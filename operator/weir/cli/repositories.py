"""The verbs of FlowRepositories: `weir sync` and `weir push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weir.cli.arguments import output as output_option
from weir.cli.completion import flow_names, repository_names
from weir.cli.errors import ExitCode
from weir.cli.output import VALUES, Output
from weir.cli.session import Session
from weir.cli.verbs import verb


async def sync(
    session: Session,
    repositories: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FLOWREPOSITORY]...",
            help="Names. Default: the only one of the namespace.",
            autocompletion=repository_names,
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", "-a", help="All of the namespace.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Only ask; do not wait for the end.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="How long to wait: 90s, 5m.")
    ] = "5m",
    output: Annotated[str, output_option((Output.TEXT, *VALUES, Output.NAME))] = "text",
) -> ExitCode:
    """Bring a namespace in step with its Git repository now; exit with 1 if not all was taken."""
    from weir.cli import sync as syncing

    return await syncing.sync(
        session,
        repositories or [],
        all_=all_,
        wait=not no_wait,
        timeout=timeout,
        output=output,
    )


async def push(
    session: Session,
    flow: Annotated[
        str,
        typer.Argument(
            metavar="FLOW|FILE",
            help="Name or title of a Flow; or its script's file here.",
            autocompletion=flow_names,
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", "-f", metavar="PATH", help="The edited script. Default: FLOW.py here."
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(
            "--branch", metavar="NAME", help="Default: spec.push.branch, else weir/ and your name."
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="TEXT", help="Of the commit.")
    ] = None,
    author: Annotated[
        str | None,
        typer.Option("--author", metavar="'NAME <ADDRESS>'", help="Default: you, as the cluster."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it, show what would change; commit nothing.")
    ] = False,
    output: Annotated[str, output_option((Output.TEXT, Output.JSON))] = "text",
) -> ExitCode:
    """Commit an edited script to the Git repository that its Flow came from."""
    from weir.cli import push as pushing

    edit = pushing.Edit(flow, file, branch=branch, message=message, author=author)
    return await pushing.push(session, edit, dry_run=dry_run, output=output)


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("", "the only FlowRepository of the namespace"),
            ("flows", "and print what was not taken"),
            ("--all --no-wait", "ask for all of the namespace"),
        ),
    )(sync)
    verb(
        app,
        examples=(
            ("report", "commit report.py to a branch of your own"),
            ("flows/report.py -m 'Send it on Mondays'", "the same, by its file"),
            ("'Monthly report' -f draft.py --dry-run", "see what would change"),
        ),
    )(push)
