"""Arguments and options that several verbs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from weir.cli.completion import execution_names, one_of
from weir.cli.output import Output, metavar

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
