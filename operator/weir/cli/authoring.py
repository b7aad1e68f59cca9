"""The verbs for who writes scripts; they ask no cluster: `weir lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weir.cli.arguments import output as output_option
from weir.cli.errors import ExitCode
from weir.cli.output import VALUES, Output
from weir.cli.session import Options
from weir.cli.verbs import verb


async def lint(
    _options: Options,
    paths: Annotated[
        list[Path],  # whose names the shell completes
        typer.Argument(metavar="FILE...", help="Scripts, manifests, folders; - reads stdin."),
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 for warnings as well.")
    ] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="CODES", help="Leave out these, such as W113,N201."),
    ] = None,
    output: Annotated[
        str, output_option((Output.TEXT, *VALUES, Output.NAME), help="How; name: only the files.")
    ] = "text",
) -> ExitCode:
    """Check scripts before they run: what fails, what was probably not meant."""
    from weir.cli import lint as linting

    return linting.lint(
        [str(path) for path in paths], strict=strict, ignore=ignore or [], output=output
    )


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("flows/", "all scripts in a folder, manifests included"),
            ("report.py --strict", "fail for warnings, too"),
            ("- -o json <report.py", "for an editor"),
        ),
    )(lint)
