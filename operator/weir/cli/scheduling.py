"""The verb about Schedules: `weir backfill`."""

from __future__ import annotations

from typing import Annotated

import typer

from weir.cli.arguments import Schedule
from weir.cli.arguments import output as output_option
from weir.cli.errors import ExitCode
from weir.cli.output import Output
from weir.cli.session import Session
from weir.cli.verbs import verb


async def backfill(
    session: Session,
    schedule: Schedule,
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME",
            help="The first time: 2026-11-01, 2026-11-01T03:00, in the Schedule's time zone "
            "unless it says another.",
        ),
    ],
    end: Annotated[
        str,
        typer.Option("--to", metavar="TIME", help="The last time; a day alone is all of it."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be started.")
    ] = False,
    max_active: Annotated[
        int | None,
        typer.Option(
            "--max-active",
            metavar="N",
            min=1,
            help="So many of its runs at once. Default: one, or any number where its "
            "concurrencyPolicy is Allow.",
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The latest time first.")] = False,
    output: Annotated[
        str | None,
        output_option((Output.NAME, Output.JSON), help="Only names of what was started."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also where that is more than a hundred runs.")
    ] = False,
) -> ExitCode:
    """Run a Schedule for times that have passed: those in a range that have no run yet."""
    from weir.cli import backfill as backfilling

    request = backfilling.Request(
        schedule=schedule,
        begin=begin,
        end=end,
        dry_run=dry_run,
        max_active=max_active,
        reverse=reverse,
        output=output,
        yes=yes,
    )
    return await backfilling.backfill(session, request)


def add(app: typer.Typer) -> None:
    """Register the verb."""
    verb(
        app,
        examples=(
            ("nightly --from 2026-11-01 --to 2026-11-07 --dry-run", "what it would start"),
            ("nightly --from 2026-11-01 --to 2026-11-07", "a week of nights"),
            ("hourly --from 2026-11-01 --to 2026-11-30 --max-active 4 --yes", "720 runs"),
        ),
    )(backfill)
