"""`weir tree`: a run and all that it started, with phases, durations and messages."""

from __future__ import annotations

import sys
from contextlib import aclosing

from weir.api.execution import Execution
from weir.api.names import ARCHIVED_LABEL, SCHEDULE_LABEL, SCHEDULED_TIME, WEBHOOK_LABEL
from weir.cli import families, finding, printing, trees
from weir.cli.errors import CliError, ExitCode
from weir.cli.output import LISTS, way_of
from weir.cli.session import Session
from weir.cli.terminal import one_line

# Durations of what runs are drawn anew so often, in seconds.
_TICK = 1.0


async def show(
    session: Session,
    name: str,
    *,
    root: bool,
    watch: bool,
    archived: bool = False,
    output: str | None = None,
) -> ExitCode:
    """Print the tree below an Execution, or below the root of its family; with `watch` anew after
    each change, until all have ended. What its scripts have archived is shown with `archived`.
    With `output` its members, parents first, as `weir get` prints them.

    Raises CliError, ClusterError.
    """
    way = way_of(output, LISTS) if output is not None else None
    if way is not None and watch:
        raise CliError("--watch draws a tree: leave --output out")
    execution = await finding.execution(session, name)
    if not watch:
        members = await finding.family(session, execution.root)
        node = _tree(members, execution, root, archived)
        if way is None:
            print("\n".join([*_lines(session, node), *_origin(session, node.execution)]))
        else:
            items = [one.dump() for one in trees.walk(node)]
            printing.show(session, Execution, items, way, single=False)
        return ExitCode.SUCCEEDED
    drawing = Drawing(session)
    tick = _TICK if session.out.width is not None else None
    async with aclosing(families.states(session, execution.root, tick=tick)) as states:
        async for members in states:
            node = _tree(members, execution, root, archived)
            over = all(one.phase.is_final for one in trees.walk(node))
            drawing.draw(node, whole=over)
            if over:
                break
    return ExitCode.SUCCEEDED


def _tree(members: list[Execution], execution: Execution, root: bool, archived: bool) -> trees.Node:
    top = execution.root if root else execution.metadata.name
    shown = [
        one
        for one in members
        if archived or ARCHIVED_LABEL not in one.metadata.labels or one.metadata.name == top
    ]
    try:
        return trees.build(shown, top)
    except KeyError:
        raise CliError(f"execution {top} was deleted", ExitCode.UNABLE) from None


def _lines(session: Session, node: trees.Node) -> list[str]:
    return trees.render(node, now=session.now(), terminal=session.out)


def _origin(session: Session, top: Execution) -> list[str]:
    """Return what started the top, and where its script is from, as far as it is known."""
    said = []
    labels, annotations = top.metadata.labels, top.metadata.annotations
    if schedule := labels.get(SCHEDULE_LABEL):
        due = annotations.get(SCHEDULED_TIME)
        said.append(f"schedule {schedule}{f', due {due}' if due else ''}")
    if webhook := labels.get(WEBHOOK_LABEL):
        said.append(f"webhook {webhook}")
    if (source := top.status.source) is not None:
        said.append(f"{source.path} of {source.repository} at {(source.commit or '')[:7]}")
    return [session.out.paint(one_line(" · ".join(said)), "dim")] if said else []


class Drawing:
    """Draws over what it drew before on a terminal; elsewhere it prints the lines that changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drawn: list[str] = []
        self._phases: dict[str, object] = {}

    def draw(self, node: trees.Node, *, whole: bool) -> None:
        """Show the tree; one that is higher than the terminal only in part, unless `whole`."""
        if self._session.out.width is None:
            self._print_changes(node)
            return
        lines = _lines(self._session, node)
        room = self._session.out.height - 2  # a line that says so, and that of the cursor
        if not whole and len(lines) > room:
            lines = [*lines[:room], f"… and {len(lines) - room} more"]
        self._draw_over(lines)

    def _draw_over(self, lines: list[str]) -> None:
        up = f"\x1b[{len(self._drawn)}F\x1b[J" if self._drawn else ""
        sys.stdout.write(up + "\n".join(lines) + "\n")
        sys.stdout.flush()
        self._drawn = lines

    def _print_changes(self, node: trees.Node) -> None:
        for one in trees.walk(node):
            state = (one.phase, one.status.message)
            if self._phases.get(one.uid) != state:
                self._phases[one.uid] = state
                line = trees.line(one, now=self._session.now(), terminal=self._session.out)
                print(line, flush=True)
