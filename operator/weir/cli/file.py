"""`weir file`: the files that scripts keep, for people: put, get, ls, rm."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from weir.cli.arguments import output as output_option
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.output import LISTS, TABLES, Output, way_of, written
from weir.cli.session import Session
from weir.cli.terminal import one_line, say
from weir.cli.verbs import verb

app = typer.Typer(
    name="file",
    help="Put, get, list and remove files that scripts share (system.file).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What scripts call the file.")]


@verb(app, group="file", examples=(("elements.csv", "under its own name"),))
async def put(
    session: Session,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to read; - is the input.")],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Default: the last part of the path.")
    ] = None,
) -> ExitCode:
    """Store a file, overwriting the one of that name."""
    from weir.cli.server import reached  # a second of imports: not for --help

    if name is None and str(path) == "-":
        raise CliError("say under what name: weir file put - NAME")
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror or error}") from None
    chosen = name or path.name
    async with reached(session) as server:
        await server.put_file(session.namespace, chosen, content)
    print(f"file/{one_line(chosen)} stored, {len(content)} bytes")
    return ExitCode.SUCCEEDED


@verb(
    app,
    group="file",
    examples=(("report.txt", "print it"), ("report.txt --output report.txt", "into a file")),
)
async def get(
    session: Session,
    name: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write it there, not to the output."),
    ] = None,
) -> ExitCode:
    """Write a file's content to standard output, or into a file here."""
    from weir.cli.server import reached

    async with reached(session) as server:
        content = await server.file(session.namespace, name)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return ExitCode.SUCCEEDED
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CliError(f"cannot write {output}: {error.strerror or error}") from None
    return ExitCode.SUCCEEDED


@verb(app, group="file", examples=(("", "what there is"),))
async def ls(session: Session, output: Annotated[str, output_option(LISTS)] = "table") -> ExitCode:
    """List the files of the namespace: size, when each was written, name."""
    from weir.cli.server import reached

    way = way_of(output, LISTS)
    async with reached(session) as server:
        items = await server.files(session.namespace)
    if way == Output.NAME:
        for item in items:
            print(f"file/{one_line(item['name'])}")
    elif way not in TABLES:
        print(written(items, way), end="")
    elif not items:
        say(f'no files in namespace "{session.namespace}": `{program()} file put PATH` stores one')
    width = max((len(str(item["bytes"])) for item in items), default=0)
    for item in items if way in TABLES else []:
        moment = datetime.fromisoformat(item["modified"]).astimezone()
        size = str(item["bytes"]).rjust(width)
        print(f"{size}  {moment:%Y-%m-%d %H:%M:%S}  {one_line(item['name'])}")
    return ExitCode.SUCCEEDED


@verb(app, group="file", examples=(("report.txt", "remove it"),))
async def rm(session: Session, name: Name) -> ExitCode:
    """Remove a file."""
    from weir.cli.server import reached

    async with reached(session) as server:
        await server.delete_file(session.namespace, name)
    print(f"file/{one_line(name)} removed")
    return ExitCode.SUCCEEDED
