"""One way to change an Execution's status:

a move, checked against the table, with all that belongs to it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weir.api import durations
from weir.api.execution import END_CONDITIONS, Execution
from weir.api.execution_status import ExecutionStatus
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject, with_condition

MAX_MESSAGE = 4096


class IllegalMove(Exception):
    """The table of legal moves forbids it."""


@dataclass(frozen=True)
class StatusChange:
    """A merge patch of a status: only what changes; None removes a field.

    `whole` is there where a value holds a null of its own, which a merge patch cannot say: each
    changed field as it then is, None for one that is removed.
    """

    fields: JsonObject
    whole: JsonObject | None = None

    def __bool__(self) -> bool:
        return bool(self.fields)


def cut(message: str | None, limit: int = MAX_MESSAGE) -> str | None:
    """Shorten a message to what a status may hold, saying so at its end."""
    if message is None or len(message) <= limit:
        return message
    return message[: limit - 1] + "…"


def move(
    execution: Execution,
    phase: Phase,
    *,
    now: datetime,
    reason: Reason | None = None,
    message: str | None = None,
    **fields: Any,
) -> StatusChange:
    """Return the change that moves an Execution to a phase (or, in the same phase, renews its
    facts).

    `reason` and `message` replace the old ones; a message of None keeps the old message unless the
    reason changes away. Other fields are those of ExecutionStatus, by their Python names; None
    removes one. An end gets its times and conditions; who goes on after a pause gets the time of
    the pause added to the deadline. Raises IllegalMove.
    """
    before = execution.status
    if phase != before.phase and not before.phase.can_move_to(phase):
        raise IllegalMove(f"{execution.metadata.name} cannot move from {before.phase} to {phase}")
    if phase == before.phase and phase.is_final:
        raise IllegalMove(f"{execution.metadata.name} is {phase} already")
    fields |= {"phase": phase, "reason": reason}
    if message is not None or reason != before.reason:
        fields["message"] = cut(message)
    if phase.is_final:
        fields |= _ending(execution, phase, reason, fields, now)
    elif before.phase == Phase.PAUSED and phase != Phase.PAUSED:
        fields = _resuming(before, now) | fields
    after = before.model_copy(update=fields)
    new = after.dump()
    patch = _difference(before.dump(), new, fields)
    whole = {name: new.get(name) for name in patch}
    return StatusChange(patch, whole if any(map(_holds_null, whole.values())) else None)


def _ending(
    execution: Execution,
    phase: Phase,
    reason: Reason | None,
    fields: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    start = fields.get("start_time") or execution.status.start_time
    conditions = execution.status.conditions
    for kind in END_CONDITIONS[phase]:
        conditions = with_condition(
            conditions,
            kind,
            "True",
            reason or Reason(phase),
            str(fields.get("message") or ""),
            now=now,
        )
    return {
        "completion_time": now,
        "duration": durations.render(now - start) if start else None,
        "conditions": conditions,
        "waiting_for": None,
        "next_try_time": None,
        "deadline": None,
        "paused_at": None,
    }


def _resuming(before: ExecutionStatus, now: datetime) -> dict[str, Any]:
    fields: dict[str, Any] = {"paused_at": None}
    if before.deadline is not None and before.paused_at is not None:
        fields["deadline"] = before.deadline + (now - before.paused_at)
    return fields


def _difference(old: JsonObject, new: JsonObject, touched: dict[str, Any]) -> JsonObject:
    """Return the merge patch from one dumped status to the other, of the touched fields."""
    aliases = {name: info.alias or name for name, info in ExecutionStatus.model_fields.items()}
    patch: JsonObject = {}
    for name in touched:
        alias = aliases[name]
        if alias not in new:
            if alias in old:
                patch[alias] = None
        elif old.get(alias) != new[alias] or name == "phase":
            patch[alias] = _replacing(old.get(alias), new[alias])
    return patch


def _holds_null(value: object) -> bool:
    """Whether an object has a key whose value is null, at any depth that a merge patch looks at."""
    return isinstance(value, dict) and any(
        one is None or _holds_null(one) for one in value.values()
    )


def _replacing(old: object, new: object) -> object:
    """Return what a merge patch must say so that `new` replaces `old`:

    keys that vanish are named.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        gone = {key: None for key in old if key not in new}
        return gone | {key: _replacing(old.get(key), value) for key, value in new.items()}
    return new
