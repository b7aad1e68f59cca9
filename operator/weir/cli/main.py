"""The `weir` command: its verbs, in the order in which --help lists them. What a verb does is in a
module that is imported when the verb is called.
"""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from weir.cli import (
    authoring,
    changes,
    completion,
    file,
    looks,
    people,
    repositories,
    scheduling,
    starts,
)
from weir.cli.arguments import output as output_option
from weir.cli.errors import ExitCode, program
from weir.cli.output import VALUES, Output
from weir.cli.session import Options
from weir.cli.verbs import connection, verb

app = typer.Typer(
    name="weir",
    help="Run Python automations on Kubernetes: flows and their executions.",
    epilog="Exit codes: 0 done, or the run Succeeded · 1 the run Failed · 2 the call is wrong · "
    "3 the run was Cancelled · 4 cluster or server refused · 130 Ctrl-C, the run goes on.",
    no_args_is_help=True,
    # rich would triple the time that --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


app.callback()(connection)
starts.add(app)
scheduling.add(app)
looks.add(app)
changes.add(app)
people.add(app)
app.add_typer(file.app)
repositories.add(app)
authoring.add(app)


@verb(app, examples=(("", "of this command and of the server"),))
async def version(
    options: Options,
    client: Annotated[
        bool, typer.Option("--client", help="Of this command only; asks no cluster.")
    ] = False,
    output: Annotated[str, output_option((Output.TEXT, *VALUES))] = "text",
) -> ExitCode:
    """Print versions."""
    from weir.cli import version as telling

    return await telling.tell(options, client=client, output=output)


def main() -> None:
    """Run the command. As `kubectl-weir` it calls itself `kubectl weir`."""
    # A watch that is interrupted warns and goes on, the client tells about kubeconfigs: no news
    # for who reads a terminal. Without any handler, warnings would be printed.
    logging.getLogger().addHandler(logging.NullHandler())
    completion.prepare()
    app(prog_name=program())
