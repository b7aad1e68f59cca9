"""Finding what people name on the command line; an unknown name comes back with its near ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.names import ROOT_LABEL, slug
from weir.cli.errors import CliError, program
from weir.cli.session import Session
from weir.cluster.errors import NotFound
from weir.cluster.kinds import EXECUTIONS, FLOWS
from weir.core.lookup import Catalog

_SHOWN = 5


async def flow(session: Session, word: str) -> Flow:
    """Return the Flow called so: by object name, title, or slug. Raises CliError."""
    listing = await session.cluster.list(FLOWS, session.namespace)
    flows: Catalog[Flow] = Catalog()
    for item in listing.items:
        flows.put(Flow.model_validate(item))
    found = flows.find(word)
    if found is None:
        known = [name for one in flows for name in (one.metadata.name, one.title)]
        raise CliError(
            f'there is no flow "{word}" in namespace "{session.namespace}"'
            + near(word, known, f"{program()} get flows" if len(flows) else "")
        )
    return found


async def execution(session: Session, name: str) -> Execution:
    """Return the Execution of that object name. Raises CliError."""
    try:
        item = await session.cluster.get(EXECUTIONS, session.namespace, plain_name(name))
    except NotFound:
        listing = await session.cluster.list(EXECUTIONS, session.namespace)
        known = [item["metadata"]["name"] for item in listing.items]
        raise CliError(
            f'there is no execution "{name}" in namespace "{session.namespace}"'
            + near(name, known, f"{program()} get executions" if known else "")
        ) from None
    return Execution.model_validate(item)


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


def near(word: str, known: Iterable[str], listing: str) -> str:
    """Return how an error goes on: names that are near, or the command that lists all."""
    names = sorted(set(known))
    close = get_close_matches(word, names, n=_SHOWN, cutoff=0.5)
    close += [name for name in names if slug(name).startswith(slug(word)) and name not in close]
    if close:
        return f"; do you mean {' or '.join(close[:_SHOWN])}?"
    return f"; `{listing}` lists what there is" if listing else "; there is none at all"
