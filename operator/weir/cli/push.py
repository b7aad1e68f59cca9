"""`weir push`: commits an edited script, through Weir's server, to the repository of its Flow."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from weir.api.flow import Flow
from weir.api.names import REPOSITORY_LABEL, SOURCE_PATH
from weir.api.resource import JsonObject
from weir.cli import finding
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.inputs import script_in
from weir.cli.local_options import is_file
from weir.cli.output import Output, way_of, written
from weir.cli.session import Session
from weir.cli.terminal import one_line, safe
from weir.cluster.kinds import FLOWS


@dataclass(frozen=True)
class Edit:
    """What the command line says."""

    target: str  # name or title of a Flow, or its script's file here
    file: Path | None = None
    branch: str | None = None
    message: str | None = None
    author: str | None = None


async def push(session: Session, edit: Edit, *, dry_run: bool, output: str) -> ExitCode:
    """Commit a script. Raises CliError, ClusterError."""
    way = way_of(output, (Output.TEXT, Output.JSON))
    flow, file = await _meant(session, edit)
    repository, path = _origin(flow)
    script = script_in(file, str(file), unreadable=f"cannot read {file}")
    if script == flow.spec.script:
        if way == Output.JSON:
            print(written({"flow": flow.metadata.name, "commit": None}, way), end="")
        else:
            print(f"flow/{flow.metadata.name} has this script: nothing to commit")
        return ExitCode.SUCCEEDED
    wanted = {"branch": edit.branch, "message": edit.message, "author": edit.author}
    body: JsonObject = {"flow": flow.metadata.name, "script": script, "dryRun": dry_run}
    body |= {key: value for key, value in wanted.items() if value is not None}

    from weir.cli.server import reached  # a second of imports: not for --help

    async with reached(session) as server:
        answer = await server.commit(session.namespace, repository, body)
    if way == Output.JSON:
        print(written(answer, way), end="")
        return ExitCode.SUCCEEDED
    if dry_run:
        for line in _difference(flow.spec.script, script, path):
            print(_painted(session, line))
    for line in _told(answer, repository):
        print(line)
    return ExitCode.SUCCEEDED


async def _meant(session: Session, edit: Edit) -> tuple[Flow, Path]:
    """Return the Flow, and the file with its edited script. Raises CliError, ClusterError."""
    if edit.file is None and is_file(edit.target):
        path = Path(edit.target)
        return await _flow_of_file(session, path), path
    flow = await finding.flow(session, edit.target)
    return flow, edit.file or _file_here(flow)


async def _flow_of_file(session: Session, path: Path) -> Flow:
    """Return the Flow whose file in its repository has the same end as a path here."""
    listing = await session.cluster.list(FLOWS, session.namespace, labels=REPOSITORY_LABEL)
    flows = [Flow.model_validate(item) for item in listing.items]
    here = path.resolve().parts
    fits = {flow.metadata.name: _common(here, flow) for flow in flows}
    best = max(fits.values(), default=0)
    found = [flow for flow in flows if best and fits[flow.metadata.name] == best]
    if len(found) == 1:
        return found[0]
    if not found:
        raise CliError(
            f'no Flow of namespace "{session.namespace}" came from a file {path.name} of a Git '
            f"repository; name the Flow: `{program()} push FLOW -f {path}`"
        )
    known = " or ".join(flow.metadata.name for flow in found[:5])
    raise CliError(f"{path} may be Flow {known}; name it: `{program()} push FLOW -f {path}`")


def _common(here: tuple[str, ...], flow: Flow) -> int:
    """Return how many last parts of a path here are those of the Flow's file; 0: another file."""
    there = PurePosixPath(flow.metadata.annotations.get(SOURCE_PATH, "")).parts
    count = 0
    for one, other in zip(reversed(here), reversed(there), strict=False):
        if one != other:
            break
        count += 1
    return count


def _file_here(flow: Flow) -> Path:
    source = flow.metadata.annotations.get(SOURCE_PATH, "")
    # In the repository's folder, in the script's own, or a draft beside nothing.
    names = [source, PurePosixPath(source).name, f"{flow.metadata.name}.py"]
    for name in names:
        if name and Path(name).is_file():
            return Path(name)
    raise CliError(f"there is no {names[1] or names[2]} here: say where the script is by -f PATH")


def _origin(flow: Flow) -> tuple[str, str]:
    """Return the FlowRepository of a Flow, and the path of its file there."""
    name = flow.metadata.name
    repository = flow.metadata.labels.get(REPOSITORY_LABEL)
    if not repository:
        raise CliError(
            f"flow {name} came from no FlowRepository: `kubectl apply` changes it, and whatever "
            "brought it",
            ExitCode.UNABLE,
        )
    return repository, flow.metadata.annotations.get(SOURCE_PATH, "")


def _difference(before: str, after: str, path: str) -> Iterator[str]:
    return difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", lineterm=""
    )


def _painted(session: Session, line: str) -> str:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    return session.out.paint(safe(line), colours.get(line[:1]))


def _told(answer: JsonObject, repository: str) -> Iterator[str]:
    said = {key: one_line(str(value)) for key, value in answer.items() if value}
    where = f"{said['path']} to branch {said['branch']} of flowrepository/{repository}"
    if "commit" not in said:
        yield f"would commit {where}, by {said['author']}"
        return
    yield f"committed {where} as {said['commit'][:12]}, by {said['author']}"
    if "syncRequested" in said:
        yield f"to be synced at once: `{program()} sync {repository}` waits for it"
    elif "pullRequest" in said:
        yield f"pull request: {said['pullRequest']}"
