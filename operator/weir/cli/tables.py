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
# A commit's whole SHA-1 is for `-o yaml`; this many letters tell it from others.
_COMMIT, _SHORT_COMMIT = re.compile(r"[0-9a-f]{40}"), 7
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


class Table:
    """A table of resources of one kind, which may grow line by line.

    `prefix` comes before each name, such as `flow/`. Columns once printed only become wider.
    """

    def __init__(
        self,
        model: type[Resource],
        *,
        terminal: Terminal,
        wide: bool = False,
        namespaces: bool = False,
        prefix: str = "",
    ) -> None:
        self._model = model
        self._terminal = terminal
        self._namespaces = namespaces
        self._prefix = prefix
        self._columns = [column for column in model.COLUMNS if wide or not column[3]]
        names = [column[0].upper() for column in self._columns]
        self._head = ["NAMESPACE"] * namespaces + ["NAME", *names]
        self._flexible = None
        if not wide:
            among = ("MESSAGE", "SUBJECT")
            self._flexible = next((names.index(one) for one in among if one in names), None)
        if self._flexible is not None:
            self._flexible += len(self._head) - len(names)
        self._phases = self._head.index("PHASE") if "PHASE" in self._head else None
        self._widths = [0] * len(self._head)

    def lines(self, items: Sequence[JsonObject], *, now: datetime, head: bool = True) -> list[str]:
        """Return the lines of these resources, those of earlier ones are as wide."""
        return render(
            self._head,
            [self._row(item, now) for item in items],
            terminal=self._terminal,
            flexible=self._flexible,
            phases=self._phases,
            widths=self._widths,
        )[0 if head else 1 :]

    def _row(self, item: JsonObject, now: datetime) -> list[str]:
        metadata = item["metadata"]
        cells = [cell(item, kind, path, now) for _, kind, path, _ in self._columns]
        if self._model is Execution:
            run = Execution.model_validate(item)
            named = {column[0]: i for i, column in enumerate(self._columns)}
            cells[named["Flow"]] = cells[named["Flow"]] or run.target
            cells[named["Phase"]] = cells[named["Phase"]] or Phase.PENDING
            cells[named["Duration"]] = duration(run, now)
        name = self._prefix + metadata["name"]
        return [metadata.get("namespace", "")] * self._namespaces + [name, *cells]


def column_path(model: type[Resource], word: str) -> str | None:
    """Return the JSONPath of the column that is called so, in whatever case."""
    if word.lower() == "name":
        return ".metadata.name"
    found = [column[2] for column in model.COLUMNS if column[0].lower() == word.lower()]
    return found[0] if found else None


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
    widths: list[int] | None = None,
) -> list[str]:
    """Return the lines of a table.

    The column `flexible` is cut to what the terminal has room for; the column `phases` has colours.
    `widths` are those of lines printed before: the least ones, and changed to those of these lines.
    """
    table = [list(head), *(list(row) for row in rows)]
    if flexible is not None:
        room = _room(table, flexible, terminal.width)
        for row in table:
            row[flexible] = cut(row[flexible], room)
    least = widths if widths is not None else [0] * len(head)
    least[:] = [max(least[i], *(width_of(row[i]) for row in table)) for i in range(len(head))]
    lines = []
    for number, row in enumerate(table):
        padded = [pad(cell, width) for cell, width in zip(row, least, strict=True)]
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


def cell(item: JsonObject, kind: str, path: str, now: datetime) -> str:
    """Return what stands in a column of an object; empty where there is nothing."""
    found = at(item, path)
    if found is None:
        return ""
    if isinstance(found, bool):
        return str(found).lower()
    if kind == "date":
        return age(now - parse_time(str(found)))
    text = one_line(str(found))
    return text[:_SHORT_COMMIT] if _COMMIT.fullmatch(text) else text
