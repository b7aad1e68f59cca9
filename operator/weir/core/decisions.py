"""The one place that decides what is done about an Execution.

Level-triggered: it looks at how things are, never at what has just happened, so that missing or
repeating an event, or dying between two writes, changes nothing but the time it takes.
"""

from datetime import datetime, timedelta

from weir.api.names import MODE_LABEL
from weir.api.phases import DesiredState, Mode, Phase
from weir.api.reasons import Reason
from weir.core.actions import (
    Action,
    DeletePod,
    LabelMode,
    LookAgain,
    Nothing,
    RequestCancel,
)
from weir.core.observed import Observed, Parent
from weir.core.pod_state import PodPhase, PodState
from weir.core.running import report_awaited_until, waits_on, with_pod
from weir.core.starting import before_start, cancelled

CANCEL_GRACE = timedelta(seconds=15)
# An ended run's Pod is left to end by itself: stopping it would cost its node more.
_TIDY_AFTER = timedelta(seconds=2)
# Deleting Pods slows the node's starting of others, so that may wait; but not for ever.
_TIDY_AFTER_WHEN_BUSY = timedelta(seconds=20)
_LOOK_WHEN_BUSY = timedelta(seconds=5)


def next_action(seen: Observed, now: datetime) -> Action:
    """Return the one next thing to do about an Execution. Doing it and asking again converges."""
    execution = seen.execution
    if execution.metadata.deletion_timestamp is not None:
        return Nothing(description="it is being deleted")
    if execution.phase.is_final:
        return _after_end(seen, now)
    mode = execution.spec.mode
    labelled = execution.metadata.labels.get(MODE_LABEL, Mode.PRODUCTIVE)
    if mode != labelled:
        return LabelMode(mode=mode, description=f"it is a {mode} run")
    if execution.spec.desired_state != DesiredState.CANCELLED:
        orphaned = _ended_with_parent(seen)
        if orphaned is not None:
            return orphaned
    unneeded = _superseded_pod(seen)
    if unneeded is not None:
        return unneeded
    if execution.spec.desired_state == DesiredState.CANCELLED:
        return _cancelled(seen, now)
    match execution.phase:
        case Phase.PENDING | Phase.QUEUED:
            return before_start(seen, now)
        case Phase.PAUSED:
            return _paused(seen, now)
        case _:
            return with_pod(seen, now)


def _after_end(seen: Observed, now: datetime) -> Action:
    pods = [pod for pod in (seen.pod, *seen.strays) if pod.phase != PodPhase.ABSENT]
    if not pods:
        return Nothing(description="it ended, and has no Pod")
    pod = pods[0]
    if pod.phase == PodPhase.DELETING:
        return Nothing(description="it ended, and its Pod is being deleted")
    due = _tidy_at(seen, pod, now)
    if now < due:
        return LookAgain(at=due, description="it ended; its Pod may leave by itself first")
    return DeletePod(pod=pod.name, uid=pod.uid, description="the run ended")


def _tidy_at(seen: Observed, pod: PodState, now: datetime) -> datetime:
    status = seen.execution.status
    ended = status.completion_time or now
    if pod.phase == PodPhase.RUNNING and status.reason == Reason.TIMED_OUT:
        return ended + CANCEL_GRACE  # the script is told, and may tidy up
    if pod.phase == PodPhase.WAITING:
        return ended  # nothing of it runs
    if seen.busy:
        return min(max(now, ended) + _LOOK_WHEN_BUSY, ended + _TIDY_AFTER_WHEN_BUSY)
    return ended + _TIDY_AFTER


def _ended_with_parent(seen: Observed) -> Action | None:
    if seen.parent == Parent.DOWN:
        return RequestCancel(
            description="its parent failed, was cancelled, is gone, or tries again"
        )
    never_started = (
        seen.execution.phase == Phase.PENDING
        and seen.attempt == 0
        and seen.execution.spec.desired_state == DesiredState.PAUSED
    )
    if seen.parent == Parent.SUCCEEDED and never_started:
        return RequestCancel(description="its parent ended without starting it")
    return None


def _superseded_pod(seen: Observed) -> Action | None:
    """Return the deletion of a Pod that nobody names any more: of an earlier attempt, or given
    back.
    """
    if seen.execution.status.runner is not None:
        why = "another attempt took over"
    else:
        why = "the run gave it back"
    for pod in seen.strays:
        if pod.phase != PodPhase.DELETING:
            return DeletePod(pod=pod.name, uid=pod.uid, description=why)
    return None


def _cancelled(seen: Observed, now: datetime) -> Action:
    execution = seen.execution
    has_started = execution.phase in (Phase.RUNNING, Phase.WAITING) or execution.status.start_time
    begun = bool(has_started) or seen.pod.has_run
    if seen.pod.phase in (PodPhase.RUNNING, PodPhase.DELETING) and begun:
        until = (seen.cancel_since or now) + CANCEL_GRACE
        if now < until:
            return LookAgain(at=until, description="the script is told, and may tidy up")
        return cancelled(seen, "cancelled; the script did not end by itself in time")
    if execution.status.runner is not None and seen.pod.phase != PodPhase.WAITING:
        until_report = report_awaited_until(seen, now)
        if until_report is not None:
            return LookAgain(at=until_report, description="its Pod ended; a report may come")
    return cancelled(seen, "cancelled" if begun else "cancelled before it started")


def _paused(seen: Observed, now: datetime) -> Action:
    if seen.execution.spec.desired_state == DesiredState.PAUSED:
        return Nothing(description="paused; it is resumed when asked")
    if seen.pod.phase in (PodPhase.RUNNING, PodPhase.WAITING, PodPhase.DELETING):
        return Nothing(description="its Pod is there: the server resumes it")
    if seen.attempt == 0 or seen.execution.status.next_try_time is not None:
        return before_start(seen, now)
    return waits_on(seen)
