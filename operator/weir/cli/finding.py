"""Finding what people name on the command line; an unknown name comes back with its near ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.names import ROOT_LABEL, slug
from weir.api.resource import JsonObject
from weir.api.schedule import Schedule
from weir.cli import kinds
from weir.cli.errors import CliError, program
from weir.cli.session import Session
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS, FLOWS, SCHEDULES, Kind
from weir.core.lookup import Catalog

_SHOWN = 5

Named = TypeVar("Named", Flow, Schedule)


async def flow(session: Session, word: str) -> Flow:
    """Return the Flow called so: by object name, title, or slug. Raises CliError."""
    return await _titled(session, FLOWS, Flow, word, word)


async def schedule(session: Session, word: str) -> Schedule:
    """Return the Schedule called so: by object name, title, or slug. Raises CliError."""
    return await _titled(session, SCHEDULES, Schedule, word, plain_name(word))


async def _titled(session: Session, kind: Kind, model: type[Named], said: str, word: str) -> Named:
    """Return the object called `word`, for which somebody `said` something."""
    catalog: Catalog[Named] = Catalog()
    for item in (await session.cluster.list(kind, session.namespace)).items:
        catalog.put(model.model_validate(item))
    found = catalog.find(word)
    if found is None:
        known = [name for one in catalog for name in (one.metadata.name, one.title)]
        raise CliError(
            f'there is no {model.KIND.lower()} "{said}" in namespace "{session.namespace}"'
            + near(said, known, f"{program()} get {model.PLURAL}" if len(catalog) else "")
        )
    return found


async def execution(session: Session, name: str) -> Execution:
    """Return the Execution of that object name. Raises CliError."""
    word = kinds.named("executions", "get")
    item = await named(session, word, name_of_kind(name, word))
    return Execution.model_validate(item)


async def named(session: Session, word: kinds.Word, name: str) -> JsonObject:
    """Return the object of a kind and object name. Raises CliError."""
    _, kind = word.api
    try:
        return await session.cluster.get(kind, session.namespace, name)
    except NotFound:
        listing = await session.cluster.list(kind, session.namespace)
        known = [item["metadata"]["name"] for item in listing.items]
        raise CliError(
            f'there is no {word.singular} "{name}" in namespace "{session.namespace}"'
            + near(name, known, f"{program()} get {word.plural}" if known else "")
        ) from None


async def family(session: Session, root: str) -> list[Execution]:
    """Return the Execution `root`, where it still is there, and all its descendants."""
    try:
        items = [await session.cluster.get(EXECUTIONS, session.namespace, root)]
    except NotFound:
        items = []
    listing = await session.cluster.list(
        EXECUTIONS, session.namespace, labels=f"{ROOT_LABEL}={root}"
    )
    items += [item for item in listing.items if item["metadata"]["name"] != root]
    return [Execution.model_validate(item) for item in items]


def plain_name(name: str) -> str:
    """Return the name without the kind that kubectl and we print before it."""
    return name.rpartition("/")[2]


def name_of_kind(name: str, word: kinds.Word) -> str:
    """Return the name without the kind before it. Raises CliError where that is another kind."""
    kind, slash, plain = name.rpartition("/")
    if slash and kinds.find(kind) not in (None, word):
        raise CliError(f"{name} is no {word.singular}: name one of {word.plural}")
    return plain


def near(word: str, known: Iterable[str], listing: str) -> str:
    """Return how an error goes on: names that are near, or the command that lists all."""
    names = sorted(set(known))
    close = get_close_matches(word, names, n=_SHOWN, cutoff=0.5)
    close += [name for name in names if slug(name).startswith(slug(word)) and name not in close]
    if close:
        return f"; do you mean {' or '.join(close[:_SHOWN])}?"
    return f"; `{listing}` lists what there is" if listing else "; there is none at all"
