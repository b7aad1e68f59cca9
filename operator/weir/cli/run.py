"""`weir run`: makes an Execution, and follows it where that is wanted."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from weir.api import durations
from weir.api.execution import Execution
from weir.api.names import API_VERSION, CREATED_BY, MAX_NAME, MODE_LABEL, slug
from weir.api.phases import Mode
from weir.api.resource import JsonObject
from weir.cli import finding, following, inputs, logstream, printing, times, transcript, trees
from weir.cli.errors import CliError, ExitCode, Interrupted, program
from weir.cli.output import LISTS, VALUES, Output, way_of, written
from weir.cli.server import reached
from weir.cli.session import Session
from weir.cli.tables import PHASE_COLOURS
from weir.cli.terminal import one_line, say
from weir.cluster.errors import AlreadyExists, ClusterError
from weir.cluster.kinds import EXECUTIONS, SELF_SUBJECT_REVIEWS
from weir.core.views import masked

# No vowels and no look-alikes, as Kubernetes makes its own names.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
# How long the end of the log may take after the end of the run.
_LOG_PATIENCE = 10.0


@dataclass(frozen=True)
class Request:
    """What is to be run, as the command line says it."""

    flow: str
    inputs: tuple[str, ...] = ()  # name=value
    input_files: tuple[str, ...] = ()  # name=path
    inputs_file: Path | None = None
    name: str | None = None
    title: str | None = None
    mode: Mode | None = None
    draft: str | None = None  # source
    priority: int | None = None
    timeout: str | None = None
    defaults: JsonObject | None = None  # inputs that the others override


async def run(
    session: Session, request: Request, *, follow: bool, wait: bool, output: str | None
) -> ExitCode:
    """Create the Execution; with `follow` print its steps and its log, with `wait` its outputs.

    Raises CliError, ClusterError, Interrupted.
    """
    way = way_for(output, outputs=follow or wait)
    given = {
        **(request.defaults or {}),
        **inputs.gather(request.inputs, request.input_files, request.inputs_file),
    }
    if request.timeout is not None:
        _check_duration(request.timeout)
    flow = await finding.flow(session, request.flow)
    made = await _create(session, request, flow.metadata.name, given)
    name = made.metadata.name
    if not (follow or wait):
        await _print_made(session, made, way)
        return ExitCode.SUCCEEDED
    say(f"execution/{name} created")
    try:
        end = await (_follow(session, made) if follow else following.end_of(session, name))
    except (asyncio.CancelledError, KeyboardInterrupt):
        here = f"-n {session.namespace} " if session.options.namespace else ""
        raise Interrupted(
            f"{name} goes on. `{program()} {here}logs -f {name}` follows it, "
            f"`{program()} {here}cancel {name}` cancels it."
        ) from None
    _tell_end(session, end)
    await _print_outputs(session, end, way or Output.JSON)
    return following.EXIT_CODES[end.phase]


def way_for(output: str | None, *, outputs: bool) -> Output | None:
    """Return how to print the run that is made, or the `outputs` of it. Raises CliError."""
    if output is None:
        return None
    if outputs:
        return way_of(output, VALUES, "with --wait and --follow the outputs are printed")
    return way_of(output, LISTS)


async def _print_made(session: Session, made: Execution, way: Output | None) -> None:
    name = made.metadata.name
    if way is None:
        print(f"execution/{name} created")
    elif way == Output.NAME:  # without its kind, for who gives it to another verb
        print(name)
    else:
        item = await session.cluster.get(EXECUTIONS, session.namespace, name)
        printing.show(session, Execution, [item], way, single=True)


def derived_name(flow: str, suffix: str) -> str:
    """Return the name of a run of a flow: `<flow>-<suffix>`, cut to what a name may have."""
    return f"{slug(flow)[: MAX_NAME - 1 - len(suffix)].rstrip('-')}-{suffix}"


def _suffix() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))


def manifest(
    request: Request, flow: str, name: str, given: JsonObject, by: str | None = None
) -> JsonObject:
    """Return the Execution that is asked for; `by` is who asks."""
    spec: JsonObject = {"flow": flow}
    if given:
        spec["inputs"] = given
    for key in ("draft", "title", "mode", "priority", "timeout"):
        if (said := getattr(request, key)) is not None:
            spec[key] = str(said) if isinstance(said, str) else said
    metadata: JsonObject = {"name": name}
    if by is not None:
        metadata["annotations"] = {CREATED_BY: by}
    if request.mode == Mode.DEVELOPMENT:
        metadata["labels"] = {MODE_LABEL: str(request.mode)}  # or the operator would write it
    return {
        "apiVersion": API_VERSION,
        "kind": "Execution",
        "metadata": metadata,
        "spec": spec,
    }


def mode_of(mode: Mode | None, *, development: bool, draft: Path | None) -> Mode | None:
    """Return the mode that the options ask for; None: they do not say. Raises CliError."""
    if not development and draft is None:
        return mode
    if mode == Mode.PRODUCTIVE:
        said = "--draft" if draft is not None else "--development"
        raise CliError(f"{said} makes a Development run: leave --mode Productive out")
    return Mode.DEVELOPMENT


async def _create(session: Session, request: Request, flow: str, given: JsonObject) -> Execution:
    if request.name is not None and slug(request.name) != request.name:
        raise CliError(
            f"--name {request.name!r} cannot be an object's name: take {slug(request.name)}, or "
            "say what people call the run by --title"
        )
    by = await own_name(session)
    while True:
        name = request.name or derived_name(flow, _suffix())
        body = manifest(request, flow, name, given, by)
        try:
            return Execution.model_validate(
                await session.cluster.create(EXECUTIONS, session.namespace, body)
            )
        except AlreadyExists:
            if request.name is not None:
                raise CliError(
                    f"execution {name} is there already: take another --name, or none"
                ) from None


async def own_name(session: Session) -> str | None:
    """Return what the API server knows the caller as: for scripts, and good to have, no more."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        review = await session.cluster.create(SELF_SUBJECT_REVIEWS, None, body)
    except ClusterError:
        return None
    name = ((review.get("status") or {}).get("userInfo") or {}).get("username")
    return str(name) if name else None


def _check_duration(text: str) -> None:
    try:
        durations.parse(text)
    except ValueError as error:
        raise CliError(f"--timeout: {error}") from None


async def _follow(session: Session, execution: Execution) -> Execution:
    """Print phases to standard error and the log to standard output, to the end of both."""
    name = execution.metadata.name
    log = asyncio.create_task(_print_log(session, name))
    try:
        told: object = None
        async with aclosing(following.states(session, name)) as states:
            async for state in states:
                if state.phase.is_final:
                    await asyncio.wait({log}, timeout=_LOG_PATIENCE)
                    return state
                now = (state.phase, state.status.reason, trees.explain(state))
                if now != told:
                    told = now
                    _tell(session, state)
        raise AssertionError("states() ends with a final one")
    finally:
        log.cancel()
        await asyncio.gather(log, return_exceptions=True)


async def _print_log(session: Session, name: str) -> None:
    try:
        async with reached(session) as server:
            log = logstream.entries(session, server, name, follow=True)
            async with aclosing(log) as entries:
                async for entry in entries:
                    print(
                        transcript.render(entry, now=session.now(), terminal=session.out),
                        flush=True,
                    )
    except (CliError, ClusterError) as error:
        say(session.err.paint(f"no log: {one_line(str(error))}", "yellow"))


def _tell(session: Session, execution: Execution) -> None:
    now = session.now()
    why = trees.explain(execution)
    phase = session.err.paint(str(execution.phase), PHASE_COLOURS[execution.phase])
    say(f"{times.clock(now, now)}  {phase}{f': {why}' if why else ''}")


def _tell_end(session: Session, execution: Execution) -> None:
    now = session.now()
    length = times.duration(execution, now)
    why = trees.explain(execution)
    phase = session.err.paint(str(execution.phase), PHASE_COLOURS[execution.phase])
    moment = times.clock(execution.status.completion_time or now, now)
    say(f"{moment}  {phase}{f' after {length}' if length else ''}{f': {why}' if why else ''}")


async def _print_outputs(session: Session, execution: Execution, way: Output) -> None:
    status = execution.status
    outputs = masked(status.outputs or {}, execution.spec.protect_outputs)
    if status.outputs_ref is not None:
        async with reached(session) as server:
            outputs = await server.outputs(session.namespace, execution.metadata.name)
    if outputs:
        print(written(outputs, way), end="", flush=True)
