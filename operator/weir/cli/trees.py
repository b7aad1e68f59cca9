"""A family of Executions as a tree: who created whom, how each stands, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.cli.tables import PHASE_COLOURS
from weir.cli.terminal import Terminal, cut, one_line, pad, width_of
from weir.cli.times import duration
from weir.core import retries

_MARKS = {
    Phase.PENDING: "○",
    Phase.QUEUED: "○",
    Phase.STARTING: "◔",
    Phase.RUNNING: "●",
    Phase.WAITING: "◑",
    Phase.PAUSED: "‖",
    Phase.SUCCEEDED: "✔",
    Phase.FAILED: "✘",
    Phase.CANCELLED: "⊘",
}
_BRANCH, _LAST, _DOWN, _BLANK = "├─ ", "└─ ", "│  ", "   "
_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-"})
_SHORTEST = 20


@dataclass(frozen=True)
class Node:
    """An Execution and those that it created."""

    execution: Execution
    children: tuple[Node, ...] = ()


def build(executions: Iterable[Execution], top: str) -> Node:
    """Return the tree below the Execution `top`. Raises KeyError when it is not among them.

    Children stand in the order in which their parent created them. One whose parent is another
    object of the same name is left out.
    """
    by_name: dict[str, Execution] = {}
    below: dict[str, list[Execution]] = {}
    for one in executions:
        by_name[one.metadata.name] = one
        if one.spec.parent is not None:
            below.setdefault(one.spec.parent.uid, []).append(one)
    return _node(by_name[top], below, frozenset())


def _node(execution: Execution, below: dict[str, list[Execution]], above: frozenset[str]) -> Node:
    above |= {execution.uid}
    children = sorted(
        (child for child in below.get(execution.uid, ()) if child.uid not in above), key=_order
    )
    return Node(execution, tuple(_node(child, below, above) for child in children))


def _order(execution: Execution) -> tuple[int, int, datetime, str]:
    parent, metadata = execution.spec.parent, execution.metadata
    created = metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC)
    if parent is None:
        return (0, 0, created, metadata.name)
    return (parent.try_number, parent.sequence, created, metadata.name)


def walk(node: Node) -> Iterator[Execution]:
    """Yield the Executions of a tree, parents before their children."""
    yield node.execution
    for child in node.children:
        yield from walk(child)


def render(node: Node, *, now: datetime, terminal: Terminal) -> list[str]:
    """Return the lines of a tree: name and title, mark and phase, duration, message."""
    rows = [
        (
            stem + one.metadata.name + _title(one) + _try(one, above),
            one.phase,
            duration(one, now),
            explain(one),
        )
        for stem, one, above in _stems(node, None, "", "")
    ]
    if not terminal.symbols:
        rows = [(name.translate(_ASCII), *rest) for name, *rest in rows]  # type: ignore[misc]
    names = max(width_of(name) for name, *_ in rows)
    phases = max(len(phase) for _, phase, *_ in rows) + (2 if terminal.symbols else 0)
    lengths = max(len(length) for *_, length, _ in rows)
    room = None
    if terminal.width is not None:
        room = max(terminal.width - names - phases - lengths - 6, _SHORTEST)
    lines = []
    for name, phase, length, message in rows:
        mark = f"{_MARKS[phase]} " if terminal.symbols else ""
        shown = terminal.paint(pad(mark + phase, phases), PHASE_COLOURS[phase])
        text = cut(message, room) if room is not None else message
        lines.append(f"{pad(name, names)}  {shown}  {pad(length, lengths)}  {text}".rstrip())
    return lines


def line(execution: Execution, *, now: datetime, terminal: Terminal) -> str:
    """Return one Execution on one line, as the tree shows it."""
    return render(Node(execution), now=now, terminal=terminal)[0]


def explain(execution: Execution) -> str:
    """Return the message of a run, or what else says why it stands where it does."""
    status = execution.status
    if status.message:
        return one_line(status.message)
    if status.phase == Phase.WAITING and status.waiting_for:
        names = [one.name for one in status.waiting_for]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"for {', '.join(names[:3])}{more}"
    if status.reason is not None and str(status.reason) != str(status.phase):
        return str(status.reason)
    return ""


def _title(execution: Execution) -> str:
    title = one_line(execution.title)
    return f"  {title}" if title != execution.metadata.name else ""


def _try(execution: Execution, above: Execution | None) -> str:
    """Return which try of its parent a run is of, if that is over, or else which try it is in."""
    parent, number = execution.spec.parent, retries.number_of(execution.status)
    if above is not None and parent and parent.try_number < retries.number_of(above.status):
        return f"  (of try {parent.try_number})"
    return f"  (try {number})" if number > 1 else ""


def _stems(
    node: Node, above: Execution | None, first: str, rest: str
) -> Iterator[tuple[str, Execution, Execution | None]]:
    """Yield what stands before each Execution, itself, and its parent."""
    yield first, node.execution, above
    for child in node.children:
        last = child is node.children[-1]
        yield from _stems(
            child,
            node.execution,
            rest + (_LAST if last else _BRANCH),
            rest + (_BLANK if last else _DOWN),
        )
