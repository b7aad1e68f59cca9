"""`weir messages`: what waits for people; and finding the message that somebody means."""

from __future__ import annotations

from collections.abc import Iterable

from weir.api.message import Message
from weir.api.names import EXECUTION_LABEL, ROOT_LABEL
from weir.api.resource import JsonObject
from weir.cli import finding, live, printing, tables
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.output import LISTS, TABLES, Output, in_stream, way_of
from weir.cli.session import Session
from weir.cli.terminal import one_line, say
from weir.cluster.errors import NotFound
from weir.cluster.kinds import MESSAGES
from weir.cluster.watching import ChangeType
from weir.core.messages import form_of, is_open
from weir_protocol.forms import FormError

_SHOWN = 5


async def show(
    session: Session,
    execution: str | None,
    *,
    all_: bool,
    watch: bool,
    output: str,
    everywhere: bool,
) -> ExitCode:
    """Print the open Messages, or all; with `watch` go on. Raises CliError, ClusterError."""
    way = way_of(output, LISTS)
    if execution is not None and everywhere:
        raise CliError("--all-namespaces lists; with a run, say the namespace by -n")
    items = [] if watch else await _listed(session, execution, everywhere)
    shown = [item for item in items if all_ or is_open(Message.model_validate(item))]
    if watch:
        await _follow(session, execution, all_, way, everywhere)
    elif not shown and way in TABLES:
        where = "any namespace" if everywhere else f'namespace "{session.namespace}"'
        say(f"no message waits in {where}" if not all_ else f"no messages in {where}")
    else:
        printing.show(session, Message, shown, way, single=False, namespaces=everywhere)
    return ExitCode.SUCCEEDED


async def found(session: Session, word: str | None) -> Message:
    """Return the Message that is meant: by its name, by that of a run, or the only one that waits.

    Raises CliError, ClusterError.
    """
    if word is None:
        listing = await session.cluster.list(MESSAGES, session.namespace)
        return _only(session, _opened(listing.items), "")
    name = finding.plain_name(word)
    try:
        return Message.model_validate(await session.cluster.get(MESSAGES, session.namespace, name))
    except NotFound:
        pass
    for label in (EXECUTION_LABEL, ROOT_LABEL):
        listing = await session.cluster.list(MESSAGES, session.namespace, labels=f"{label}={name}")
        if waiting := _opened(listing.items):
            return _only(session, waiting, f" of {name}")
    listing = await session.cluster.list(MESSAGES, session.namespace)
    known = [item["metadata"]["name"] for item in listing.items]
    runs = [item["spec"]["execution"]["name"] for item in listing.items]
    raise CliError(
        f'there is no message "{name}" in namespace "{session.namespace}", nor a run of that name '
        "that waits for one" + finding.near(name, known + runs, f"{program()} messages --all")
    )


def _opened(items: Iterable[JsonObject]) -> list[Message]:
    every = [Message.model_validate(item) for item in items]
    return [message for message in every if is_open(message)]


def _only(session: Session, waiting: list[Message], of: str) -> Message:
    """Return the one Message that waits; of several, the one that is more than a notice."""
    if not waiting:
        raise CliError(f'no message{of} waits for an answer in namespace "{session.namespace}"')
    chosen = waiting if len(waiting) == 1 else [one for one in waiting if not _is_notice(one)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(one.metadata.name for one in waiting[:_SHOWN])
    more = ", …" if len(waiting) > _SHOWN else ""
    raise CliError(f"{len(waiting)} messages{of} wait for an answer: say which: {names}{more}")


def _is_notice(message: Message) -> bool:
    try:
        return form_of(message).is_notice
    except FormError:
        return False


async def _listed(session: Session, execution: str | None, everywhere: bool) -> list[JsonObject]:
    namespace = None if everywhere else session.namespace
    items = (await session.cluster.list(MESSAGES, namespace)).items
    return sorted(
        (item for item in items if _is_of(item, execution)),
        key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]),
    )


def _is_of(item: JsonObject, execution: str | None) -> bool:
    if execution is None:
        return True
    labels, name = item["metadata"].get("labels") or {}, finding.plain_name(execution)
    return name in (
        item["spec"]["execution"]["name"],
        labels.get(ROOT_LABEL),
    )


async def _follow(
    session: Session, execution: str | None, all_: bool, way: Output, everywhere: bool
) -> None:
    """Print each Message when it comes, and with `all_` again when it changes, for ever."""
    namespace = None if everywhere else session.namespace
    await live.allowed(session, MESSAGES, namespace)
    told: set[str] = set()
    wide = way == Output.WIDE
    table = tables.Table(Message, terminal=session.out, wide=wide, namespaces=everywhere)
    async for change in session.cluster.watch(MESSAGES, namespace):
        if not change.object or change.type == ChangeType.DELETED:
            continue
        item = change.object
        message = Message.model_validate(item)
        if not _is_of(item, execution) or not (all_ or is_open(message)):
            continue
        if message.metadata.uid in told and not all_:
            continue
        if way in TABLES:
            print("\n".join(table.lines([item], now=session.now(), head=not told)), flush=True)
        elif way == Output.NAME:
            print(printing.name_of(Message, item), flush=True)
        else:
            print(in_stream(printing.public(Message, item), way), end="", flush=True)
        told.add(message.metadata.uid)


def line(message: Message) -> str:
    """Return what names a Message to people: `message/release-b4d9kmzt (Release?)`."""
    return f"message/{message.metadata.name} ({one_line(message.spec.subject)})"
