"""What the conditions of a FlowRepository say, as kstatus reads them:

Ready tells how things stand, Reconciling that they are still moving, Stalled that they will not
move before a person acts. The last two are there only while they are true.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from weir.api.reasons import ConditionType, Reason
from weir.api.repository import FlowRepository, RejectedFile
from weir.api.resource import Condition

_LONGEST = 4096
_NAMED = 3


class Said(NamedTuple):
    """One condition that is to be there."""

    type: ConditionType
    status: Literal["True", "False", "Unknown"]
    reason: Reason
    message: str


def begun(repository: FlowRepository, message: str, now: datetime) -> list[Condition]:
    """Return the conditions while a sync has something to do: Ready stays as it was."""
    ready = _find(repository.status.conditions, ConditionType.READY)
    first = Said(ConditionType.READY, "Unknown", Reason.SYNCING, message)
    if ready is not None:
        first = Said(ready.type, ready.status, ready.reason, ready.message)
    moving = Said(ConditionType.RECONCILING, "True", Reason.SYNCING, message)
    return _conditions(repository, [first, moving], now)


def suspended(repository: FlowRepository, now: datetime) -> list[Condition]:
    """Return the conditions of one that is left alone."""
    message = "nothing is fetched, written, pruned or undone while spec.suspend is true"
    said = Said(ConditionType.READY, "False", Reason.SUSPENDED, message)
    return _conditions(repository, [said], now)


def synced(repository: FlowRepository, message: str, now: datetime) -> list[Condition]:
    """Return the conditions after a sync that left nothing out."""
    said = Said(ConditionType.READY, "True", Reason.SYNCED, message)
    return _conditions(repository, [said], now)


def failed(
    repository: FlowRepository, reason: Reason, message: str, *, moves: bool, now: datetime
) -> list[Condition]:
    """Return the conditions after a sync that left something out, or did not come to its end.

    `moves` is whether the same may succeed with nothing changed.
    """
    kind = ConditionType.RECONCILING if moves else ConditionType.STALLED
    said = [
        Said(ConditionType.READY, "False", reason, message),
        Said(kind, "True", reason, message),
    ]
    return _conditions(repository, said, now)


def of_rejected(rejected: Sequence[RejectedFile]) -> str:
    """Return the message about files that were not taken: the first few, and how many."""
    told = "; ".join(f"{one.path}: {one.reason}: {one.message}" for one in rejected[:_NAMED])
    more = f"; and {len(rejected) - _NAMED} more" if len(rejected) > _NAMED else ""
    files = "1 file was" if len(rejected) == 1 else f"{len(rejected)} files were"
    return f"{files} not taken: {told}{more}"


def _conditions(repository: FlowRepository, said: Sequence[Said], now: datetime) -> list[Condition]:
    """Return conditions in their order. Each keeps its time while its status is the same."""
    conditions = []
    for one in said:
        before = _find(repository.status.conditions, one.type)
        since = before.last_transition_time if before and before.status == one.status else now
        conditions.append(
            Condition(
                type=one.type,
                status=one.status,
                reason=one.reason,
                message=one.message[:_LONGEST],
                observed_generation=repository.metadata.generation,
                last_transition_time=since,
            )
        )
    return conditions


def _find(conditions: Sequence[Condition], type_: ConditionType) -> Condition | None:
    return next((one for one in conditions if one.type == type_), None)
