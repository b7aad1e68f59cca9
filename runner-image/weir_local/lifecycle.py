"""The operations about executions that are there: waiting, reading, pausing, cancelling, …"""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING

from weir_local.errors import Raises, denied, invalid, not_found
from weir_local.execution import Execution, cut, full_view, view
from weir_local.waiting import Seen, Verdict, failure, late, verdict
from weir_protocol import Answer, Cause, ErrorInfo, ExecutionView

if TYPE_CHECKING:
    from weir_local.asked import Asked
    from weir_protocol.arguments import (
        ArchiveArguments,
        CancelArguments,
        DeleteArguments,
        OnceArguments,
        PauseArguments,
        ReadArguments,
        RunArguments,
        SaveArguments,
        SleepArguments,
        WaitArguments,
    )

_MAX_WAITED = 10_000
_MAX_TITLE = 253
_MAX_ONCE = 2**20
_DELETED = "it was deleted"
# The end of the year 9999: what no time can be shown beyond.
_LATEST = 253_402_300_799.0


def run(asked: Asked, arguments: RunArguments) -> Answer:
    """Start an execution that was only made, or let a paused one go on."""
    target = asked.found(arguments.uid)
    asked.world.resume(target)
    return _shown(asked, target)


def cancel(asked: Asked, arguments: CancelArguments) -> Answer:
    """Ask an execution to end."""
    target = asked.found(arguments.uid)
    asked.world.cancel(target)
    return _shown(asked, target)


def pause(asked: Asked, arguments: PauseArguments) -> Answer:
    """Pause another execution, or the caller itself until somebody resumes it."""
    target = asked.found(arguments.uid)
    asked.world.pause(target)
    if target is asked.execution:
        asked.world.heed(target)
    return _shown(asked, target)


def delete(asked: Asked, arguments: DeleteArguments) -> Answer:
    """Delete an execution below the caller; one that is gone already is fine."""
    if arguments.uid in asked.world.deleted:
        return Answer(state="done")
    target = asked.found(arguments.uid)
    above = target.parent
    while above is not None and above is not asked.execution:
        above = above.parent
    if above is None:
        raise denied(
            f"execution {target.name} does not stand below {asked.execution.name}: "
            "a run deletes only what it started"
        )
    asked.world.delete(target)
    return Answer(state="done")


def archive(asked: Asked, arguments: ArchiveArguments) -> Answer:
    """Hide an ended execution from lists."""
    target = asked.found(arguments.uid)
    if not target.is_final:
        phase = target.phase_at(asked.now)
        raise invalid(f"execution {target.name} is {phase}: only ended ones are archived")
    target.is_archived = True
    return _shown(asked, target)


def read(asked: Asked, arguments: ReadArguments) -> Answer:
    """Read an execution, inputs and outputs included."""
    target = asked.found(arguments.uid)
    return Answer(state="done", executions=[full_view(target, asked.now)])


def save(asked: Asked, arguments: SaveArguments) -> Answer:
    """Keep what a run says about itself."""
    own = asked.execution
    if arguments.message is not None:
        own.message = cut(arguments.message)
    if arguments.title is not None:
        own.title = cut(arguments.title, _MAX_TITLE)
    if arguments.description is not None:
        own.description = cut(arguments.description)
    if arguments.outputs is not None:
        own.outputs = arguments.outputs
    return _shown(asked, own)


def sleep(asked: Asked, arguments: SleepArguments) -> Answer:
    """Let time pass."""
    if (arguments.seconds is None) == (arguments.until is None):
        raise invalid("a sleep has either seconds or until")
    until = arguments.until
    if until is None:
        until = asked.now + (arguments.seconds or 0.0)
    if not isfinite(until) or until > _LATEST:
        raise invalid("a sleep ends before the year 10000")
    length = arguments.seconds if arguments.seconds is not None else until - asked.now
    asked.execution.slept += max(length, 0.0)
    asked.world.wait(lambda: None, deadline=until, execution=asked.execution, what="time")
    return Answer(state="done")


def once(asked: Asked, arguments: OnceArguments) -> Answer:
    """Let a function of the script be called: a local run is not resumed, so nothing is kept."""
    size = len(json.dumps(arguments.value))
    if size > _MAX_ONCE:
        raise invalid(
            f"the result has {size} bytes as JSON and may have {_MAX_ONCE}: "
            "save a file, and return its name"
        )
    if arguments.step == "ask":
        return Answer(state="open")
    if arguments.error_type is not None:
        error = ErrorInfo(type=arguments.error_type[:200], message=arguments.error_message)
        return Answer(state="failed", error=error)
    return Answer(state="done", value=arguments.value)


def wait(asked: Asked, arguments: WaitArguments) -> Answer:
    """Wait for executions."""
    if len(arguments.uids) > _MAX_WAITED:
        raise invalid(f"a wait takes at most {_MAX_WAITED} executions")
    if asked.execution.uid in arguments.uids:
        raise invalid("an execution cannot wait for itself")
    uids = list(dict.fromkeys(arguments.uids))
    for uid in uids:
        _known(asked, uid)

    def seen(expired: bool) -> Verdict:
        return verdict(arguments.return_when, [_seen(asked, uid) for uid in uids], expired=expired)

    def over() -> Verdict | None:
        now = seen(expired=False)
        return None if now.state == "pending" else now

    deadline = None if arguments.timeout is None else asked.now + arguments.timeout
    names = ", ".join(_name(asked, uid) for uid in uids[:3])
    said = asked.world.wait(over, deadline=deadline, execution=asked.execution, what=names)
    return _judged(asked, arguments, said or seen(expired=True))


def _judged(asked: Asked, arguments: WaitArguments, said: Verdict) -> Answer:
    if said.state == "over":
        return Answer(state="done", executions=[_view(asked, uid) for uid in said.uids])
    if said.state == "failed":
        failed = _view(asked, said.uids[0])
        raise Raises("DependencyFailedError", failure(failed), failed)
    names = [_name(asked, uid) for uid in said.uids]
    raise Raises("DependencyTimeoutError", late(names, arguments.timeout or 0.0))


def _known(asked: Asked, uid: str) -> None:
    if uid in asked.world.deleted:
        return
    if uid not in asked.world.executions:
        raise not_found(f"there is no execution {uid[:64]}")
    asked.same_tree(asked.world.executions[uid])


def _seen(asked: Asked, uid: str) -> Seen:
    one = asked.world.executions.get(uid)
    return Seen(uid, None) if one is None else Seen(uid, one.phase, one.ended)


def _name(asked: Asked, uid: str) -> str:
    one = asked.world.executions.get(uid)
    return asked.world.deleted[uid] if one is None else one.name


def _view(asked: Asked, uid: str) -> ExecutionView:
    one = asked.world.executions.get(uid)
    if one is not None:
        return view(one, asked.now)
    name = asked.world.deleted[uid]
    return ExecutionView(
        uid=uid,
        name=name,
        title=name,
        type="FLOW",
        status="ENDED_ERROR",
        phase="Failed",
        message=_DELETED,
        cause=Cause(execution=name, title="Deleted", message=_DELETED),
    )


def _shown(asked: Asked, target: Execution) -> Answer:
    return Answer(state="done", executions=[view(target, asked.now)])
