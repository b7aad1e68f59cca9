"""The verbs that start runs: `weir run` and `weir trigger`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weir.api.phases import Mode
from weir.cli.arguments import Follow, RunOutput, Schedule, Wait
from weir.cli.completion import flow_names
from weir.cli.errors import ExitCode
from weir.cli.session import Options, Session, opened
from weir.cli.verbs import verb


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
    follow: Follow = False,
    wait: Wait = False,
    output: RunOutput = None,
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
    from weir.cli.inputs import script_in

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
        draft=script_in(draft, f"--draft {draft}") if draft is not None else None,
        priority=priority,
        timeout=timeout,
    )
    with local_options.pointing_to_files(here):
        async with opened(options) as session:
            return await running.run(session, request, follow=follow, wait=wait, output=output)


async def trigger(
    session: Session,
    schedule: Schedule,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", "-i", metavar="NAME=VALUE", help="Instead of an input of the Schedule."
        ),
    ] = None,
    follow: Follow = False,
    wait: Wait = False,
    output: RunOutput = None,
) -> ExitCode:
    """Run the flow of a Schedule now, with the inputs and the mode that the Schedule says."""
    from weir.cli import finding
    from weir.cli import run as running

    running.way_for(output, outputs=follow or wait)
    spec = (await finding.schedule(session, schedule)).spec
    request = running.Request(
        flow=spec.flow, inputs=tuple(inputs or ()), mode=spec.mode, defaults=spec.inputs
    )
    return await running.run(session, request, follow=follow, wait=wait, output=output)


def add(app: typer.Typer) -> None:
    """Register the verbs."""
    verb(
        app,
        examples=(
            ("hello", "start it and go on"),
            ("hello --input person=Ada --input count=3 --follow", "see its steps and its log"),
            ("'Monthly report' --inputs-file inputs.yaml --wait", "print only its outputs"),
            ("hello --draft hello.py --follow", "try a change that is only in this file"),
            ("hello.py --input person=Ada", "run this file here, without a cluster"),
        ),
    )(run)
    verb(
        app,
        examples=(
            ("nightly", "now, whatever its times are"),
            ("nightly -i day=2026-11-01 --follow", "with another input, and see its log"),
        ),
    )(trigger)
