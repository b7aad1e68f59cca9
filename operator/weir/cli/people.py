"""The verbs by which people answer what runs ask: `weir messages` and `weir respond`."""

from __future__ import annotations

from typing import Annotated

import typer

from weir.cli.arguments import Everywhere
from weir.cli.arguments import output as output_option
from weir.cli.completion import execution_names, message_names
from weir.cli.errors import ExitCode
from weir.cli.output import LISTS
from weir.cli.session import Session
from weir.cli.verbs import verb


async def messages(
    session: Session,
    execution: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXECUTION]",
            help="Only those of this run and all below it.",
            autocompletion=execution_names,
        ),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", "-a", help="Also those that take no answer any more.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, with new ones.")] = False,
    output: Annotated[str, output_option(LISTS)] = "table",
    everywhere: Everywhere = False,
) -> ExitCode:
    """List the messages that wait for an answer."""
    from weir.cli import messages as listing

    return await listing.show(
        session, execution, all_=all_, watch=watch, output=output, everywhere=everywhere
    )


async def respond(
    session: Session,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="[MESSAGE|EXECUTION]",
            help="Name of a message, or of a run that waits. Default: the only one that waits.",
            autocompletion=message_names,
        ),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="A field, or a button=true. May be repeated."
        ),
    ] = None,
    response: Annotated[
        str | None, typer.Option("--response", metavar="JSON", help="The whole answer, an object.")
    ] = None,
    output: Annotated[
        str | None, output_option(LISTS, help="Print the message, as it is then.")
    ] = None,
) -> ExitCode:
    """Answer a message; without --set and --response its form is shown and filled in."""
    from weir.cli import respond as responding

    return await responding.respond(
        session, message, fields=fields or [], response=response, output=output
    )


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("", "what waits for an answer"),
            ("deploy-x2k7q", "of one run and all below it"),
            ("--watch -o name", "the names of new ones, as they come"),
        ),
    )(messages)
    verb(
        app,
        examples=(
            ("", "fill in the form of the one that waits"),
            ("deploy-x2k7q", "of the one that this run waits for"),
            ("release-b4d9kmzt --set version=1.2 --set approve=true", "from a script"),
            ("release-b4d9kmzt --response '{\"ok\": true}'", "the same, as JSON"),
        ),
    )(respond)
