"""The operations `acquire` and `release`: settings as locks, in the order of who came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weir_local.errors import Raises, denied, invalid, not_found
from weir_local.execution import Execution, at_second
from weir_local.records import checked_name
from weir_protocol import Answer

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_local.store import Kept
    from weir_protocol.arguments import AcquireArguments, ReleaseArguments


def acquire(asked: Asked, arguments: AcquireArguments) -> Answer:
    """Take a lock when it is free and those have had it who came before."""
    name = checked_name(arguments.name)
    timeout = arguments.timeout
    if timeout is not None and not 0 <= timeout < float("inf"):
        raise invalid("a timeout is a number of seconds from 0 on")
    me, settings = asked.execution, asked.services.store.settings
    lock = settings.made(name, asked.now)
    if lock.held_by is me:
        return Answer(state="done")

    def is_mine() -> bool | None:
        return True if lock.held_by is None and lock.line[0] is me else None

    lock.line.append(me)
    deadline = None if timeout is None else asked.now + timeout
    try:
        took = asked.world.wait(
            is_mine, deadline=deadline, execution=me, what=f"lock {lock.title!a}"
        )
    finally:
        lock.line.remove(me)
        asked.world.wake()  # the next one's turn, if this one gave up
    if took is None:
        raise Raises("LockTimeoutError", _timed_out(lock))
    lock.holder, lock.since = me, asked.now
    return Answer(state="done")


def release(asked: Asked, arguments: ReleaseArguments) -> Answer:
    """Free a lock, whoever in the caller's tree holds it."""
    lock = asked.services.store.settings.find(checked_name(arguments.name))
    if lock is None:
        raise not_found(
            f"there is no setting {arguments.name!a} in namespace {asked.services.namespace}"
        )
    holding = lock.held_by
    if holding is not None and holding.root is not asked.execution.root:
        raise denied(f"lock {lock.title!a} is held by {_who(holding)}, which is of another tree")
    lock.holder = None
    asked.world.wake()
    return Answer(state="done")


def _timed_out(lock: Kept) -> str:
    holding = lock.held_by
    if holding is None:
        return f"lock {lock.title!a} is free, but others waited before"
    return f"lock {lock.title!a} is held by {_who(holding)} since {at_second(lock.since)}"


def _who(execution: Execution) -> str:
    return f"execution {execution.name} ({execution.called})"
