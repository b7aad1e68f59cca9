"""Objects of Weir's kinds, printed in every way that there is."""

from __future__ import annotations

from collections.abc import Sequence

from weir.api.execution import Execution
from weir.api.message import Message
from weir.api.names import API_VERSION
from weir.api.resource import JsonObject, Resource
from weir.cli import tables
from weir.cli.output import TABLES, Output, listing, written
from weir.cli.session import Session
from weir.core import messages, views


def show(
    session: Session,
    model: type[Resource],
    items: Sequence[JsonObject],
    way: Output,
    *,
    single: bool,
    namespaces: bool = False,
) -> None:
    """Print objects of one kind; of `single` ones JSON and YAML have no list around them."""
    if way in TABLES:
        print("\n".join(table(session, model, items, way, namespaces=namespaces)), flush=True)
    elif way == Output.NAME:
        for item in items:
            print(name_of(model, item), flush=True)
    else:
        shown = [public(model, item) for item in items]
        one = single and len(shown) == 1
        print(written(shown[0] if one else listing(shown), way), end="", flush=True)


def show_mixed(
    session: Session,
    items: Sequence[tuple[type[Resource], JsonObject]],
    way: Output,
    *,
    namespaces: bool = False,
    headers: bool = True,
) -> None:
    """Print objects of several kinds: a table for each kind, or all in one list."""
    if way == Output.NAME:
        for model, item in items:
            print(name_of(model, item), flush=True)
        return
    if way not in TABLES:
        print(written(listing([public(*one) for one in items]), way), end="", flush=True)
        return
    parts = []
    for model in dict.fromkeys(model for model, _ in items):
        made = tables.Table(
            model,
            terminal=session.out,
            wide=way == Output.WIDE,
            namespaces=namespaces,
            prefix=f"{model.KIND.lower()}/",
        )
        of_kind = [item for one, item in items if one is model]
        parts.append("\n".join(made.lines(of_kind, now=session.now(), head=headers)))
    print("\n\n".join(parts), flush=True)


def table(
    session: Session,
    model: type[Resource],
    items: Sequence[JsonObject],
    way: Output,
    *,
    namespaces: bool = False,
) -> list[str]:
    """Return the lines of a table of objects."""
    made = tables.Table(model, terminal=session.out, wide=way == Output.WIDE, namespaces=namespaces)
    return made.lines(items, now=session.now())


def name_of(model: type[Resource], item: JsonObject) -> str:
    """Return what names an object to other commands: `execution/hello-x2k7q`."""
    return f"{model.KIND.lower()}/{item['metadata']['name']}"


def public(model: type[Resource], item: JsonObject) -> JsonObject:
    """Return the object with its kind, as single objects of a list lack it, and with protected
    values hidden.
    """
    whole = {"apiVersion": API_VERSION, "kind": model.KIND} | item
    if model is Message:
        return messages.public(whole)
    return views.public(whole) if model is Execution else whole
