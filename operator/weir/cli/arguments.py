"""Arguments and options that several verbs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from weir.cli.completion import execution_names, one_of, schedule_names
from weir.cli.output import LISTS, Output, metavar

Execution = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION", help="Name of an Execution.", autocompletion=execution_names
    ),
]
Executions = Annotated[
    list[str],
    typer.Argument(metavar="EXECUTION...", help="Names.", autocompletion=execution_names),
]
Schedule = Annotated[
    str,
    typer.Argument(
        metavar="SCHEDULE", help="Name or title of a Schedule.", autocompletion=schedule_names
    ),
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Print steps and log until the run ends.")
]
Wait = Annotated[
    bool, typer.Option("--wait", "-w", help="Wait for the end; print only the outputs.")
]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")]
Archived = Annotated[
    bool, typer.Option("--archived", help="Also what scripts have put away, such as failed tries.")
]


def output(ways: Sequence[Output], help: str = "How.") -> Any:
    """Return the option `--output` of a verb that prints in these ways."""
    return typer.Option(
        "--output",
        "-o",
        metavar=metavar(ways),
        help=help,
        autocompletion=one_of(list(ways)),
    )


RunOutput = Annotated[
    str | None,
    output(LISTS, help="Of the run that is made; with --wait json or yaml: its outputs."),
]
