"""The verbs for who writes scripts; they ask no cluster: `weir lint`, `weir init`."""

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


async def init(
    options: Options,
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Default: the current one.")
    ] = Path("."),
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Of the FlowRepository. Default: that of the folder."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help="Of the Git repository. Default: the folder's origin."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Ask of each file that is there: overwrite it?"),
    ] = False,
    output: Annotated[
        str, output_option((Output.TEXT, *VALUES, Output.NAME), help="How; name: only the files.")
    ] = "text",
) -> ExitCode:
    """Begin a repository: a flow, its test, CI, and the manifest that brings it to the cluster."""
    from weir.cli import init as beginning

    plan = beginning.Plan(folder, name=name, url=url, namespace=options.namespace, force=force)
    return beginning.init(plan, output=output)


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
    verb(
        app,
        examples=(
            ("", "in the current folder"),
            ("team-flows --url https://git.example.com/team/flows.git", "in a folder of its own"),
            ("team-flows --force", "ask before files are overwritten"),
        ),
    )(init)
