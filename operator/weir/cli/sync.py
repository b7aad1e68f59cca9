"""`weir sync`: asks the operator to sync FlowRepositories, and waits until it has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from weir.api import durations
from weir.api.names import API_VERSION, SYNC_REQUESTED
from weir.api.reasons import ConditionType
from weir.api.repository import FlowRepository
from weir.api.resource import Condition, JsonObject, render_time
from weir.cli import tables
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.finding import near, plain_name
from weir.cli.output import VALUES, Output, listing, way_of, written
from weir.cli.session import Session
from weir.cli.terminal import one_line, say
from weir.cluster.errors import NotFound
from weir.cluster.kinds import FLOW_REPOSITORIES
from weir.cluster.watching import ChangeType

_WAYS = (Output.TEXT, *VALUES, Output.NAME)


async def sync(
    session: Session,
    names: Sequence[str],
    *,
    all_: bool,
    wait: bool,
    timeout: str,
    output: str,
) -> ExitCode:
    """Sync FlowRepositories. Nothing is asked when one of the names is unknown, or suspended.

    Raises CliError, ClusterError.
    """
    way = way_of(output, _WAYS)
    if names and all_:
        raise CliError("--all and names: either")
    try:
        patience = durations.parse(timeout).total_seconds()
    except ValueError as error:
        raise CliError(f"--timeout {timeout!r}: {error}") from None
    chosen = await _chosen(session, names, all_=all_)
    for one in chosen:
        await _ask(session, one)
    if not wait:
        for name in (one.metadata.name for one in chosen):
            print(f"flowrepository/{name}" + ("" if way == Output.NAME else " is to be synced"))
        return ExitCode.SUCCEEDED
    items = await _synced(session, chosen, patience, timeout)
    _show(session, items, way)
    ready = [_ready(FlowRepository.model_validate(item)) for item in items]
    good = all(one is not None and one.status == "True" for one in ready)
    return ExitCode.SUCCEEDED if good else ExitCode.FAILED


async def _chosen(session: Session, names: Sequence[str], *, all_: bool) -> list[FlowRepository]:
    if names:
        wanted = dict.fromkeys(plain_name(name) for name in names)
        chosen = [await _found(session, name) for name in wanted]
    else:
        chosen = await _listed(session)
        if not chosen:
            raise CliError(f'there is no FlowRepository in namespace "{session.namespace}"')
        if all_:
            chosen = [one for one in chosen if not one.spec.suspend]
        elif len(chosen) > 1:
            known = ", ".join(one.metadata.name for one in chosen[:5])
            raise CliError(f"there are {len(chosen)} ({known}): name one, or say --all")
    for one in chosen:
        if one.spec.suspend:
            name = one.metadata.name
            raise CliError(
                f"FlowRepository {name} is suspended: "
                f"`{program()} unsuspend flowrepository {name}` lets it go on",
                ExitCode.UNABLE,
            )
    return chosen


async def _found(session: Session, name: str) -> FlowRepository:
    try:
        item = await session.cluster.get(FLOW_REPOSITORIES, session.namespace, name)
    except NotFound:
        known = [one.metadata.name for one in await _listed(session)]
        raise CliError(
            f'there is no FlowRepository "{name}" in namespace "{session.namespace}"'
            + near(name, known, f"{program()} get flowrepositories" if known else "")
        ) from None
    return FlowRepository.model_validate(item)


async def _listed(session: Session) -> list[FlowRepository]:
    listing = await session.cluster.list(FLOW_REPOSITORIES, session.namespace)
    return [FlowRepository.model_validate(item) for item in listing.items]


async def _ask(session: Session, repository: FlowRepository) -> None:
    value = render_time(session.now(), exact=True)
    body = {"metadata": {"annotations": {SYNC_REQUESTED: value}}}
    name = repository.metadata.name
    await session.cluster.patch(FLOW_REPOSITORIES, session.namespace, name, body)


async def _synced(
    session: Session, chosen: Sequence[FlowRepository], patience: float, timeout: str
) -> list[JsonObject]:
    """Return the FlowRepositories once the operator has answered for all of them."""
    try:
        async with asyncio.timeout(patience):
            return await asyncio.gather(*(_answered(session, one.metadata.name) for one in chosen))
    except TimeoutError:
        raise CliError(
            f"not synced within {timeout}: the Git host may be slow, or Weir's operator away; "
            f"`kubectl get flowrepositories` shows how far it came",
            ExitCode.UNABLE,
        ) from None


async def _answered(session: Session, name: str) -> JsonObject:
    changes = session.cluster.watch(
        FLOW_REPOSITORIES, session.namespace, fields=f"metadata.name={name}"
    )
    seen = False
    async for change in changes:
        gone = change.type == ChangeType.SYNCED and not seen
        if gone or change.type == ChangeType.DELETED:
            raise CliError(f"FlowRepository {name} was deleted", ExitCode.UNABLE)
        if not change.object:
            continue
        seen = True
        repository = FlowRepository.model_validate(change.object)
        # Who asked after us may be answered instead of us: that sync began later still.
        asked = repository.metadata.annotations.get(SYNC_REQUESTED)
        if asked is not None and repository.status.last_handled_request == asked:
            return change.object
    raise AssertionError("a watch goes on for ever")


def _ready(repository: FlowRepository) -> Condition | None:
    conditions = repository.status.conditions
    return next((one for one in conditions if one.type == ConditionType.READY), None)


def _show(session: Session, items: Sequence[JsonObject], way: Output) -> None:
    if way in VALUES:
        whole = [{"apiVersion": API_VERSION, "kind": FlowRepository.KIND} | item for item in items]
        print(written(whole[0] if len(whole) == 1 else listing(whole), way), end="")
        return
    for item in items:
        repository = FlowRepository.model_validate(item)
        if way == Output.NAME:
            print(f"flowrepository/{repository.metadata.name}")
            continue
        for line in _lines(session, repository):
            print(line)


def _lines(session: Session, repository: FlowRepository) -> list[str]:
    name, status, ready = repository.metadata.name, repository.status, _ready(repository)
    lines = []
    if status.last_synced_commit:
        by = f" by {one_line(status.last_synced_author)}" if status.last_synced_author else ""
        flows, objects = status.flows or 0, status.objects or 0
        lines.append(
            f"flowrepository/{name} shows {status.last_synced_commit[:12]}{by}: "
            f"{_counted(flows, 'flow')}, {_counted(objects - flows, 'other object')}"
        )
    if ready is None or ready.status != "True":
        why = one_line(f"{ready.reason}: {ready.message}") if ready else "nothing is known of it"
        word = session.out.paint("is not Ready", "red")
        lines.append(f"flowrepository/{name} {word}: {why}")
    rejected = status.rejected or []
    if rejected:
        rows = [[one_line(one.path), one.reason, one_line(one.message)] for one in rejected]
        lines += tables.render(
            ["REJECTED FILE", "REASON", "MESSAGE"], rows, terminal=session.out, flexible=2
        )
    more = (status.rejected_count or 0) - len(rejected)
    if more > 0:
        say(f"and {more} more files")
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
