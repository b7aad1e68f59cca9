"""`weir get --watch`: a table that grows by a line at each change, as kubectl's does, or a stream
of objects.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field

from weir.api.resource import JsonObject
from weir.cli import finding, printing, tables
from weir.cli.errors import ExitCode
from weir.cli.get import Choice, Wanted, nothing, ordered
from weir.cli.output import TABLES, Output, in_stream
from weir.cli.session import Session
from weir.cli.terminal import say
from weir.cluster.kinds import Kind
from weir.cluster.watching import Change, ChangeType


async def follow(
    session: Session,
    wanted: Wanted,
    choice: Choice,
    way: Output,
    *,
    events: bool,
    headers: bool,
) -> ExitCode:
    """Print what there is, and then each change, for ever. Raises CliError, ClusterError."""
    _, kind = wanted.word.api
    namespace = None if choice.everywhere else session.namespace
    for name in wanted.names:
        await finding.named(session, wanted.word, name)
    if not wanted.names:
        await allowed(session, kind, namespace, choice.selector)
    view = _View(session, wanted, choice, way, events, headers)
    fields = f"metadata.name={wanted.names[0]}" if len(wanted.names) == 1 else ""
    changes = session.cluster.watch(kind, namespace, labels=choice.selector, fields=fields)
    first: list[JsonObject] | None = []
    async with aclosing(changes):  # type: ignore[type-var]  # an async generator
        async for change in changes:
            if change.type == ChangeType.SYNCED and first is not None:
                view.begin(first)
                first = None
            elif change.object and first is not None:
                first.append(change.object)
            elif change.object:
                view.tell(change)
    raise AssertionError("a watch never ends")


async def allowed(session: Session, kind: Kind, namespace: str | None, labels: str = "") -> None:
    """Raise ClusterError where the list cannot be had: a watch would go on asking, silently."""
    query = {"limit": "1"} | ({"labelSelector": labels} if labels else {})
    await session.cluster.raw("GET", kind.path(namespace), **query)


@dataclass
class _View:
    session: Session
    wanted: Wanted
    choice: Choice
    way: Output
    events: bool
    headers: bool
    told: dict[str, str] = field(default_factory=dict)  # by UID: the version that was printed last

    def __post_init__(self) -> None:
        self._model, _ = self.wanted.word.api
        self._table = tables.Table(
            self._model,
            terminal=self.session.out,
            wide=self.way == Output.WIDE,
            namespaces=self.choice.everywhere,
        )

    def begin(self, items: list[JsonObject]) -> None:
        """Print what is there."""
        shown = ordered(self.wanted.word, filter(self._takes, items), self.choice)
        for item in shown:
            self._note(item)
        if not shown:
            say(nothing(self.session, self.wanted.word, self.choice) + "; waiting")
        elif self.way in TABLES:
            self._print_rows(shown, str(ChangeType.ADDED))
        else:
            for item in shown:
                self._print_one(item, str(ChangeType.ADDED))

    def tell(self, change: Change) -> None:
        """Print a change."""
        item = change.object
        uid = item["metadata"]["uid"]
        if change.type == ChangeType.DELETED:
            # Of what vanished while nobody looked only its name is known.
            if self.told.pop(uid, None) is None:
                return
            if self.way in TABLES or self.events:
                item = {"spec": {}} | item
        elif not self._takes(item) or (_version(item) and self.told.get(uid) == _version(item)):
            return
        else:
            self._note(item)
        if self.way in TABLES:
            self._print_rows([item], str(change.type))
        elif self.events or change.type != ChangeType.DELETED:
            self._print_one(item, str(change.type))

    def _takes(self, item: JsonObject) -> bool:
        names = self.wanted.names
        if names:
            return item["metadata"]["name"] in names
        return self.choice.takes(item)

    def _note(self, item: JsonObject) -> None:
        self.told[item["metadata"]["uid"]] = _version(item)

    def _print_rows(self, items: list[JsonObject], event: str) -> None:
        lines = self._table.lines(items, now=self.session.now())
        head, rows = lines[0], lines[1:]
        if self.events:
            head, rows = f"{'EVENT':<11}{head}", [f"{event:<11}{row}" for row in rows]
        elif event == ChangeType.DELETED:
            rows = [self.session.out.paint(f"{row}   (deleted)", "dim") for row in rows]
        if self.headers:
            print(head)
            self.headers = False
        print("\n".join(rows), flush=True)

    def _print_one(self, item: JsonObject, event: str) -> None:
        if self.way == Output.NAME:
            line = printing.name_of(self._model, item)
            print(f"{event} {line}" if self.events else line, flush=True)
            return
        shown = printing.public(self._model, item)
        value = {"type": event, "object": shown} if self.events else shown
        print(in_stream(value, self.way), end="", flush=True)


def _version(item: JsonObject) -> str:
    return str(item["metadata"].get("resourceVersion", ""))
