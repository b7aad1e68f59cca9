"""`weir describe`: one object for people: where it stands, why, and what happened to it."""

from __future__ import annotations

from collections.abc import Sequence

from weir.api.resource import JsonObject, Resource, parse_time
from weir.cli import finding, kinds, tables
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.get import read_words
from weir.cli.session import Session
from weir.cli.terminal import one_line, pad, width_of
from weir.cli.times import age
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import EVENTS

# More rows than that are for `-o yaml`, or `kubectl get events`.
_ROWS = 20


async def describe(session: Session, words: Sequence[str]) -> ExitCode:
    """Print objects, `KIND NAME…` or `KIND/NAME…`. Raises CliError, ClusterError."""
    found: list[tuple[kinds.Word, JsonObject]] = []
    for wanted in read_words(words, "describe"):
        if not wanted.names:
            raise CliError(f"say which: {program()} describe {wanted.word.singular} NAME…")
        for name in wanted.names:
            found.append((wanted.word, await finding.named(session, wanted.word, name)))
    for number, (word, item) in enumerate(found):
        print("\n" * bool(number) + "\n".join(await _lines(session, word, item)), flush=True)
    return ExitCode.SUCCEEDED


async def _lines(session: Session, word: kinds.Word, item: JsonObject) -> list[str]:
    model, _ = word.api
    status = item.get("status") or {}
    parts = [
        [f"{word.singular}/{item['metadata']['name']}", *_fields(session, model, item)],
        _table(session, "conditions", _conditions(session, status.get("conditions") or [])),
        _table(session, "files that were not taken", _rejected(status.get("rejected") or [])),
        await _events(session, item),
    ]
    return [
        line for part in parts if part for line in ([""] if part is not parts[0] else []) + part
    ]


def _fields(session: Session, model: type[Resource], item: JsonObject) -> list[str]:
    """Return what `weir get -o wide` has in columns, one below the other."""
    rows = []
    for name, kind, path, _ in model.COLUMNS:
        value = tables.cell(item, kind, path, session.now())
        if value:
            rows.append((name, f"{value} ago" if kind == "date" else value))
    for key, value in sorted((item["metadata"].get("labels") or {}).items()):
        rows.append(("Label", one_line(f"{key}={value}")))
    wide = max((width_of(name) for name, _ in rows), default=0)
    return [f"  {pad(name, wide)}  {value}" for name, value in rows]


def _conditions(session: Session, conditions: Sequence[JsonObject]) -> list[list[str]]:
    rows = [
        [
            one["type"],
            one["status"],
            one.get("reason", ""),
            age(session.now() - parse_time(one["lastTransitionTime"])),
            one.get("message", ""),
        ]
        for one in conditions
    ]
    return [["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"], *rows] if rows else []


def _rejected(rejected: Sequence[JsonObject]) -> list[list[str]]:
    rows = [[one["path"], one["reason"], one["message"]] for one in rejected]
    return [["PATH", "REASON", "MESSAGE"], *rows] if rows else []


async def _events(session: Session, item: JsonObject) -> list[str]:
    fields = f"involvedObject.uid={item['metadata']['uid']}"
    try:
        found = (await session.cluster.list(EVENTS, session.namespace, fields=fields)).items
    except ClusterError as error:
        return [f"no events: {one_line(error.message)}"]
    rows = []
    for event in sorted(found, key=_time_of):
        since = age(session.now() - parse_time(_time_of(event)))
        rows.append(
            [since, event.get("type", ""), event.get("reason", ""), event.get("message", "")]
        )
    return _table(session, "events", [["AGE", "TYPE", "REASON", "MESSAGE"], *rows] if rows else [])


def _time_of(event: JsonObject) -> str:
    for key in ("lastTimestamp", "eventTime", "firstTimestamp"):
        if event.get(key):
            return str(event[key])
    return str(event["metadata"]["creationTimestamp"])


def _table(session: Session, title: str, table: list[list[str]]) -> list[str]:
    """Return a table below its title, of many rows the last; nothing where there are none."""
    if not table:
        return []
    head, *rows = [[one_line(cell) for cell in row] for row in table]
    lines = tables.render(head, rows[-_ROWS:], terminal=session.out)
    left = f" (the last {_ROWS} of {len(rows)})" if len(rows) > _ROWS else ""
    return [title + left, *(f"  {line}" for line in lines)]
