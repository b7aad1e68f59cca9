"""New tries of a whole run: which failures deserve one, when, and what is left of the last.

The number of the try in the status is that of the current try or, between two, of the coming one:
it rises with the write that ends a try. So whatever says an earlier number (a Pod, a child, the
holder of a lock) is of a try that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from weir.api import durations
from weir.api.execution import Execution
from weir.api.execution_status import ExecutionStatus, TryStatus
from weir.api.flow import RetryPolicy
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.api.resource import render_time
from weir.core.actions import Move
from weir.core.moves import cut

# What a script did, or what became of its process: the next time it may go well. All else would be
# the same again (its text, its inputs), was wanted by people, or is about the journal, which no
# new try should paper over.
RETRIED = frozenset(
    {
        Reason.SCRIPT_ERROR,
        Reason.SCRIPT_ENDED,
        Reason.SCRIPT_EXITED,
        Reason.DEPENDENCY_FAILED,
        Reason.INVALID_OUTPUTS,
        Reason.OUTPUT_TOO_LARGE,
        Reason.OUT_OF_MEMORY,
        Reason.RUNNER_EXITED,
    }
)

MAX_TRIES_SHOWN = 10
# Room for what is said around the message of a try.
_MAX_QUOTE = 3800


def number_of(status: ExecutionStatus) -> int:
    """Return the number of the current try, or of the coming one between two."""
    return status.try_number or 1


def is_over(status: ExecutionStatus, try_number: int) -> bool:
    """Whether a try of a run is over: the run has ended, or another try has taken its place."""
    return status.phase.is_final or try_number < number_of(status)


def delay_after(policy: RetryPolicy, failed: int) -> timedelta:
    """Return how long the next try waits after the try of that number, from 1, has failed."""
    first, longest = durations.parse(policy.delay), durations.parse(policy.max_delay)
    seconds = first.total_seconds() * policy.factor ** (failed - 1)
    return timedelta(seconds=min(seconds, longest.total_seconds()))


def another_try(
    execution: Execution,
    policy: RetryPolicy | None,
    *,
    reason: Reason | None,
    message: str | None,
    began: datetime | None,
    deadline: datetime | None,
    now: datetime,
) -> Move | None:
    """Return the move that puts off a failed run to its next try; None: it has failed for good.

    `began` is when the failed try's script began, as far as is known. A try that could not begin
    before the deadline is none.
    """
    status = execution.status
    number = number_of(status)
    if policy is None or number > policy.limit or reason not in RETRIED:
        return None
    if execution.spec.desired_state == DesiredState.CANCELLED:
        return None
    due = now + delay_after(policy, number)
    if deadline is not None and due >= deadline:
        return None
    failed = TryStatus(
        try_number=number,
        start_time=began,
        end_time=now,
        reason=reason,
        message=cut(message),
    )
    return Move(
        phase=Phase.QUEUED,
        reason=Reason.TRY_FAILED,
        message=_announcement([failed], number + 1, due),
        fields={
            "try_number": number + 1,
            "next_try_time": due,
            "tries": [*(status.tries or []), failed][-MAX_TRIES_SHOWN:],
            "runner": None,
            # What was known of the failed try only. Its journal ends with it.
            "losses": None,
            "resumable": None,
            "journal": None,
            "outputs": None,
            "outputs_ref": None,
            "cause": None,
            "waiting_for": None,
            "paused_at": None,
            "queued_time": None,
        },
    )


def announced(status: ExecutionStatus, due: datetime) -> str:
    """Return what is said between two tries, from the status alone."""
    return _announcement((status.tries or [])[-1:], number_of(status), due)


def _announcement(failed: Sequence[TryStatus], coming: int, due: datetime) -> str:
    told = f"try {coming} begins at {render_time(due)}"
    for one in failed:
        why = f"{one.reason}: {one.message}" if one.message else str(one.reason)
        told = f"try {one.try_number} failed ({cut(why, _MAX_QUOTE)}); {told}"
    return told
