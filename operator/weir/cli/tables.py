"""Tables as kubectl prints them, made from the columns that the models declare for the CRDs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.resource import JsonObject, Resource, parse_time
from weir.cli.terminal import Terminal, cut, one_line, pad, width_of
from weir.cli.times import age, duration

_GAP = "   "
# A message longer than this is for -o wide, `weir tree` and the object itself.
_LONGEST = 80
_SHORTEST = 16
_STEP = re.compile(r'\.((?:\\.|[^.\[\\])+)|\[\?\(@\.(\w+)=="([^"]*)"\)\]')

PHASE_COLOURS = {
    Phase.SUCCEEDED: "green",
    Phase.FAILED: "red",
    Phase.CANCELLED: "yellow",
    Phase.RUNNING: "cyan",
    Phase.STARTING: "cyan",
    Phase.WAITING: "blue",
    Phase.PAUSED: "yellow",
    Phase.QUEUED: "dim",
    Phase.PENDING: "dim",
}


def at(item: object, path: str) -> object:
    """Return what a JSONPath of a printer column finds in an object, or None.

    Understands names, escaped dots in them, and `[?(@.key=="value")]`.
    """
    found = item
    for name, key, wanted in _STEP.findall(path):
        if name:
            found = found.get(name.replace("\\", "")) if isinstance(found, dict) else None
        else:
            rows = found if isinstance(found, list) else []
            found = next((row for row in rows if row.get(key) == wanted), None)
    return found


def of_resources(
    model: type[Resource],
    items: Sequence[JsonObject],
    *,
    now: datetime,
    terminal: Terminal,
    wide: bool = False,
    namespaces: bool = False,
) -> list[str]:
    """Return the lines of a table of resources, its head included."""
    columns = [column for column in model.COLUMNS if wide or not column[3]]
    head = ["NAMESPACE"] * namespaces + ["NAME"] + [column[0].upper() for column in columns]
    rows = []
    for item in items:
        metadata = item["metadata"]
        cells = [_cell(item, kind, path, now) for _, kind, path, _ in columns]
        if model is Execution:
            run = Execution.model_validate(item)
            named = {column[0]: i for i, column in enumerate(columns)}
            cells[named["Flow"]] = cells[named["Flow"]] or run.target
            cells[named["Phase"]] = cells[named["Phase"]] or Phase.PENDING
            cells[named["Duration"]] = duration(run, now)
        rows.append([metadata.get("namespace", "")] * namespaces + [metadata["name"], *cells])
    flexible = None
    if not wide:
        flexible = next((head.index(one) for one in ("MESSAGE", "SUBJECT") if one in head), None)
    coloured = head.index("PHASE") if "PHASE" in head else None
    return render(head, rows, terminal=terminal, flexible=flexible, phases=coloured)


def of_tries(execution: Execution, *, now: datetime, terminal: Terminal) -> list[str]:
    """Return the lines of a table of a run's failed tries; none when there was no such try."""
    tries = execution.status.tries or []
    if not tries:
        return []
    rows = [
        [
            str(one.try_number),
            str(one.reason or ""),
            age(now - one.start_time) if one.start_time else "",
            age(now - one.end_time) if one.end_time else "",
            one_line(one.message or ""),
        ]
        for one in tries
    ]
    head = ["TRY", "REASON", "STARTED", "FAILED", "MESSAGE"]
    return render(head, rows, terminal=terminal, flexible=len(head) - 1)


def render(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    terminal: Terminal,
    flexible: int | None = None,
    phases: int | None = None,
) -> list[str]:
    """Return the lines of a table.

    The column `flexible` is cut to what the terminal has room for; the column `phases` has colours.
    """
    table = [list(head), *(list(row) for row in rows)]
    if flexible is not None:
        room = _room(table, flexible, terminal.width)
        for row in table:
            row[flexible] = cut(row[flexible], room)
    widths = [max(width_of(row[i]) for row in table) for i in range(len(head))]
    lines = []
    for number, row in enumerate(table):
        padded = [pad(cell, width) for cell, width in zip(row, widths, strict=True)]
        if number and phases is not None:
            padded[phases] = terminal.paint(padded[phases], _colour(row[phases]))
        lines.append(_GAP.join(padded).rstrip())
    return lines


def _room(table: Sequence[Sequence[str]], flexible: int, width: int | None) -> int:
    if width is None:
        return _LONGEST
    others = sum(
        max(width_of(row[i]) for row in table) + len(_GAP)
        for i in range(len(table[0]))
        if i != flexible
    )
    return max(width - others, _SHORTEST)


def _colour(phase: str) -> str | None:
    return PHASE_COLOURS.get(Phase(phase)) if phase in set(Phase) else None


def _cell(item: JsonObject, kind: str, path: str, now: datetime) -> str:
    found = at(item, path)
    if found is None:
        return ""
    if isinstance(found, bool):
        return str(found).lower()
    if kind == "date":
        return age(now - parse_time(str(found)))
    return one_line(str(found))
