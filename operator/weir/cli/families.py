"""The members of a tree of Executions, live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from weir.api.execution import Execution
from weir.api.names import ROOT_LABEL
from weir.cli.session import Session
from weir.cluster.kinds import EXECUTIONS
from weir.cluster.watching import Change, ChangeType

# Changes come in bursts; what falls into this many seconds is told at once.
_BURST = 0.1


async def states(
    session: Session, root: str, *, tick: float | None = None
) -> AsyncGenerator[list[Execution], None]:
    """Yield all members of a tree as they are, and again after each burst of changes, until all
    have ended; with `tick` also after so many seconds without one.
    """
    queue: asyncio.Queue[tuple[int, Change]] = asyncio.Queue()

    async def listen(number: int, labels: str, fields: str) -> None:
        async for change in session.cluster.watch(
            EXECUTIONS, session.namespace, labels=labels, fields=fields
        ):
            queue.put_nowait((number, change))

    watches = [
        asyncio.create_task(listen(0, "", f"metadata.name={root}")),
        asyncio.create_task(listen(1, f"{ROOT_LABEL}={root}", "")),
    ]
    members: dict[str, Execution] = {}
    synced: set[int] = set()
    try:
        while True:
            try:
                told = [await asyncio.wait_for(queue.get(), tick)]
            except TimeoutError:
                if len(synced) == len(watches):
                    yield list(members.values())
                continue
            if len(synced) == len(watches):
                await asyncio.sleep(_BURST)
            while not queue.empty():
                told.append(queue.get_nowait())
            for number, change in told:
                if change.type == ChangeType.SYNCED:
                    synced.add(number)
                _take(members, change)
            if len(synced) == len(watches) and any(
                change.type != ChangeType.ALIVE for _, change in told
            ):
                yield list(members.values())
                if all(one.phase.is_final for one in members.values()):
                    return
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


def _take(members: dict[str, Execution], change: Change) -> None:
    if not change.object:
        return
    uid = change.object["metadata"]["uid"]
    if change.type == ChangeType.DELETED:
        members.pop(uid, None)
    else:
        members[uid] = Execution.model_validate(change.object)


def below(members: list[Execution], top: Execution) -> list[Execution]:
    """Return `top` and its descendants, of the members of its tree."""
    kept = {top.uid: top}
    grew = True
    while grew:
        grew = False
        for one in members:
            parent = one.spec.parent
            if parent is not None and one.uid not in kept and parent.uid in kept:
                kept[one.uid] = one
                grew = True
    # As they are among the members: `top` itself may be an older state.
    newest = {one.uid: one for one in members}
    return [newest.get(uid, one) for uid, one in kept.items()]
