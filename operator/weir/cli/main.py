"""The surface of the `weir` command: verbs, options, help. The modules of the verbs are imported
when their verb is called.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from weir.api.phases import Mode, Phase
from weir.cli import changes, file, people
from weir.cli.completion import execution_names, flow_names
from weir.cli.errors import ExitCode, program
from weir.cli.session import Options, Session, opened
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
app.add_typer(file.app)


@verb(
    app,
    examples=(
        ("hello", "start it and go on"),
        ("hello --input person=Ada --input count=3 --follow", "see its steps and its log"),
        ("'Monthly report' --inputs-file inputs.yaml --wait", "print only its outputs"),
        ("hello --draft hello.py --follow", "try a change that is only in this file"),
        ("hello.py --input person=Ada", "run this file here, without a cluster"),
    ),
)
async def run(
    options: Options,
    flow: Annotated[
        str,
        typer.Argument(
            metavar="FLOW|FILE",
            help="Name or title of a Flow; or a script's file, which runs here.",
            autocompletion=flow_names,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="NAME=VALUE",
            help="An input; a JSON value, else a text. May be repeated.",
        ),
    ] = None,
    input_files: Annotated[
        list[str] | None,
        typer.Option(
            "--input-file",
            metavar="NAME=PATH",
            help="An input from a file: its text, or its value if it is called *.json.",
        ),
    ] = None,
    inputs_file: Annotated[
        Path | None,
        typer.Option("--inputs-file", metavar="PATH", help="All inputs, from a JSON or YAML file."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Object name. Default: FLOW-xxxxx."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="What people call the run.")
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option("--mode", help="Default: Productive.", show_default=False)
    ] = None,
    development: Annotated[
        bool, typer.Option("--development", "-d", help="Short for --mode Development.")
    ] = False,
    draft: Annotated[
        Path | None,
        typer.Option(
            "--draft", metavar="PATH", help="A Development run of this script, else as the Flow is."
        ),
    ] = None,
    priority: Annotated[
        int | None,
        typer.Option(
            "--priority", metavar="N", min=-1000, max=1000, help="Higher leaves the queue first."
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout", metavar="DURATION", help="Longest run, instead of the Flow's: 90s, 2h."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print steps and log until the run ends.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Wait for the end; print only the outputs.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="name|json",
            help="name: print only the name. json, of a file: only the outputs.",
        ),
    ] = None,
    local: Annotated[
        bool | None,
        typer.Option(
            "--local/--cluster",
            help="Run it here, or in the cluster. Default: a file here, a name in the cluster.",
            show_default=False,
        ),
    ] = None,
    flows: Annotated[
        Path | None,
        typer.Option(
            "--flows",
            metavar="FOLDER",
            help="Where a run here finds other flows. Default: the file's folder.",
        ),
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--answer", metavar="SUBJECT=VALUE", help="What a message of a run here is answered."
        ),
    ] = None,
    connections: Annotated[
        list[str] | None,
        typer.Option(
            "--connection",
            metavar="NAME=OUTPUTS",
            help="What a connection of a run here comes to, instead of being made.",
        ),
    ] = None,
    skip_time: Annotated[
        bool, typer.Option("--skip-time", help="Sleeps and waits of a run here pass at once.")
    ] = False,
) -> ExitCode:
    """Run a flow: create an Execution of it. Run a file: in this process, without a cluster."""
    from weir.cli import local_options
    from weir.cli import run as running

    here = local_options.Here(
        target=flow,
        inputs=tuple(inputs or ()),
        input_files=tuple(input_files or ()),
        inputs_file=inputs_file,
        flows=flows,
        answers=tuple(answers or ()),
        connections=tuple(connections or ()),
        skip_time=skip_time,
        title=title,
        mode=mode,
        development=development,
        timeout=timeout,
        wait=wait,
        output=output,
    )
    only_in_cluster = {"--name": name, "--draft": draft, "--priority": priority}
    if local_options.is_meant(here, local):
        return await local_options.run(options, here, only_in_cluster)
    local_options.refuse_in_cluster(here)
    request = running.Request(
        flow=flow,
        inputs=tuple(inputs or ()),
        input_files=tuple(input_files or ()),
        inputs_file=inputs_file,
        name=name,
        title=title,
        mode=running.mode_of(mode, development=development, draft=draft),
        draft=running.draft_of(draft),
        priority=priority,
        timeout=timeout,
    )
    with local_options.pointing_to_files(here):
        async with opened(options) as session:
            return await running.run(session, request, follow=follow, wait=wait, output=output)


_Execution = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION", help="Name of an Execution.", autocompletion=execution_names
    ),
]
_Archived = Annotated[
    bool, typer.Option("--archived", help="Also what scripts have put away, such as failed tries.")
]


@verb(
    app,
    examples=(
        ("hello-x2k7q", "what it has logged so far"),
        ("hello-x2k7q -f --timestamps", "as it comes, to its end"),
        ("hello-x2k7q --tree", "with all that it started"),
    ),
)
async def logs(
    session: Session,
    execution: _Execution,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Local time before each line.")
    ] = False,
    tree: Annotated[
        bool, typer.Option("--tree", help="The logs of all its descendants, too.")
    ] = False,
) -> ExitCode:
    """Print the log of a run."""
    from weir.cli import logs as logging_

    return await logging_.show(session, execution, follow=follow, timestamps=timestamps, tree=tree)


@verb(
    app,
    examples=(
        ("hello-x2k7q", "the run and all below it"),
        ("step-one-b4d9kmzt --root", "from the top of its family"),
        ("hello-x2k7q --watch", "live, to the end"),
    ),
)
async def tree(
    session: Session,
    execution: _Execution,
    root: Annotated[bool, typer.Option("--root", help="Begin at the top of the family.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Draw anew after each change, to the end.")
    ] = False,
    archived: _Archived = False,
) -> ExitCode:
    """Show a run and all that it started."""
    from weir.cli import tree as showing

    return await showing.show(session, execution, root=root, watch=watch, archived=archived)


changes.add(app)


@verb(
    app,
    examples=(
        ("", "executions, the newest last"),
        ("executions --phase Failed -o wide", "what failed"),
        ("flows", "which flows there are, and whether they may run"),
        ("execution hello-x2k7q -o yaml", "the whole object"),
    ),
)
async def get(
    session: Session,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="executions, flows or connectors.")
    ] = "executions",
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="table|wide|json|yaml|name", help="How.")
    ] = "table",
    phase: Annotated[
        Phase | None, typer.Option("--phase", help="Only executions in this phase.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="FLOW", help="Only executions of this flow."),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Of all namespaces.")
    ] = False,
    archived: _Archived = False,
) -> ExitCode:
    """List executions, flows or connectors."""
    from weir.cli import get as getting

    return await getting.get(
        session,
        kind,
        names or [],
        output=output,
        phase=phase,
        flow=flow,
        everywhere=everywhere,
        archived=archived,
    )


@verb(
    app,
    examples=(
        ("flows/", "all scripts in a folder, manifests included"),
        ("report.py --strict", "fail for warnings, too"),
        ("- -o json <report.py", "for an editor"),
    ),
)
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
        str, typer.Option("--output", "-o", metavar="text|json", help="How.")
    ] = "text",
) -> ExitCode:
    """Check scripts before they run: what fails, what was probably not meant."""
    from weir.cli import lint as linting
    from weir.cli.errors import CliError

    if output not in ("text", "json"):
        raise CliError(f"--output {output!r}: text or json")
    return linting.lint(
        [str(path) for path in paths], strict=strict, ignore=ignore or [], output=output
    )


@verb(app, examples=(("", "of this command and of the server"),))
async def version(
    options: Options,
    client: Annotated[
        bool, typer.Option("--client", help="Of this command only; asks no cluster.")
    ] = False,
) -> ExitCode:
    """Print versions."""
    from weir.cli import version as telling

    return await telling.tell(options, client=client)


people.add(app)


def main() -> None:
    """Run the command. As `kubectl-weir` it calls itself `kubectl weir`."""
    # A watch that is interrupted warns and goes on, the client tells about kubeconfigs: no news
    # for who reads a terminal. Without any handler, warnings would be printed.
    logging.getLogger().addHandler(logging.NullHandler())
    app(prog_name=program())
