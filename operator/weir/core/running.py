"""What to do about an Execution that has a Pod: trouble at its start, its end, loss, and time."""

import signal
from datetime import datetime, timedelta
from typing import Any

from weir.api import durations
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core.actions import Action, LookAgain, Move, Nothing
from weir.core.observed import Observed
from weir.core.pod_state import PodPhase
from weir.core.starting import failed, losses_of, next_attempt, stay, timed_out, try_failed
from weir_protocol import EXIT_SERVER_LOST

# A report may still be under way when its Pod is seen to have ended.
REPORT_GRACE = timedelta(seconds=2)
# Pods wait for a node or an image for moments even when all is well.
_TROUBLE_GRACE = timedelta(seconds=3)
# From a started process to its first report, the server unreachable for a while included.
_FIRST_REPORT = timedelta(seconds=60)
_USED_THREADS = (
    "Its script called `this` from a second thread, and what threads ask for comes in no certain "
    "order, so that another Pod could not take it up"
)
# After its grace, a deleted Pod whose node does not answer stays for ever.
_NODE_GRACE = timedelta(seconds=30)


def with_pod(seen: Observed, now: datetime) -> Action:
    """Decide for an Execution that is Starting, Running or Waiting."""
    deadline = seen.deadline
    if deadline is not None and now >= deadline:
        return timed_out(seen)
    if seen.execution.is_hibernated:
        if seen.execution.spec.desired_state == DesiredState.PAUSED:
            fields = {"paused_at": now}
            return Move(phase=Phase.PAUSED, reason=None, message=None, fields=fields)
        return _until(deadline, "it waits without a Pod")
    match seen.pod.phase:
        case PodPhase.WAITING:
            return _waiting(seen, now)
        case PodPhase.RUNNING:
            return _running(seen, now)
        case PodPhase.DELETING:
            return _deleting(seen, now)
        case _:
            return _silent(seen, now)


def waits_on(seen: Observed) -> Action:
    """Decide for a run that was paused, has no Pod, and is to go on: it waits without one.

    The server wakes it as soon as its script has something to do.
    """
    fields: dict[str, Any] = {}
    if seen.execution.status.runner is not None:
        message = f"lost the Pod of attempt {seen.attempt} while it was paused"
        lost = _lost_for_good(seen, message)
        if lost is not None:
            return lost
        fields = {"runner": None, "losses": losses_of(seen)}
    return Move(phase=Phase.WAITING, reason=None, message=None, fields=fields)


def report_awaited_until(seen: Observed, now: datetime) -> datetime | None:
    """Return until when a report may still come from a Pod that is no more; None: no longer."""
    if not seen.pod.has_run and seen.pod.phase != PodPhase.ABSENT:
        return None
    until = (seen.silent_since or now) + REPORT_GRACE
    return until if now < until else None


def _waiting(seen: Observed, now: datetime) -> Action:
    made = seen.execution.status.starting_time or seen.pod.created or now
    limit = made + seen.plan.start_timeout
    trouble = seen.pod.trouble
    if now >= limit:
        waited = durations.render(seen.plan.start_timeout)
        why = trouble or f"see the events of Pod {seen.pod.name}"
        return failed(seen, Reason.POD_NOT_STARTING, f"the Pod did not start in {waited}: {why}")
    if trouble is None or seen.execution.phase != Phase.STARTING:
        return LookAgain(at=_first(limit, seen.deadline), description="its Pod starts")
    if now < made + _TROUBLE_GRACE:
        return LookAgain(at=made + _TROUBLE_GRACE, description=f"perhaps for a moment: {trouble}")
    told = stay(seen, Reason.POD_NOT_STARTING, trouble)
    if isinstance(told, Nothing):
        return LookAgain(at=_first(limit, seen.deadline), description=trouble)
    return told


def _running(seen: Observed, now: datetime) -> Action:
    status = seen.execution.status
    if seen.execution.phase != Phase.STARTING or status.start_time is not None:
        return _until(seen.deadline, "it runs")
    made = status.starting_time or seen.pod.created or now
    limit = max(made + seen.plan.start_timeout, (seen.pod.started or now) + _FIRST_REPORT)
    if now >= limit:
        message = "its Pod runs, but the runner has not reported: can it reach Weir's server?"
        return failed(seen, Reason.POD_NOT_STARTING, message)
    return LookAgain(at=_first(limit, seen.deadline), description="the runner starts")


def _deleting(seen: Observed, now: datetime) -> Action:
    limit = (seen.pod.gone_by or now) + _NODE_GRACE
    if now < limit:
        return LookAgain(at=_first(limit, seen.deadline), description="its Pod is being deleted")
    return _lost(seen, now, "the Pod was deleted and its node does not answer")


def _silent(seen: Observed, now: datetime) -> Action:
    """Decide for a Pod that is no more while the run has no end."""
    until = report_awaited_until(seen, now)
    if until is not None:
        return LookAgain(at=until, description="its Pod ended; a report may be under way")
    pod = seen.pod
    if pod.cannot_run:
        message = f"the container could not be started: {pod.trouble or pod.exit_code}"
        return failed(seen, Reason.POD_NOT_STARTING, message)
    if pod.phase == PodPhase.ABSENT:
        return _lost(seen, now, "the Pod is gone")
    if pod.phase == PodPhase.LOST:
        return _lost(seen, now, pod.trouble or "the cluster took the Pod away")
    if pod.exit_code == EXIT_SERVER_LOST:
        return _lost(seen, now, "the runner could not reach Weir's server")
    if pod.out_of_memory and pod.memory_limited:
        message = "the script used more memory than its limit: raise spec.runner.resources.limits"
        return try_failed(seen, Reason.OUT_OF_MEMORY, message, now)
    if pod.out_of_memory:
        return _lost(seen, now, "the node ran out of memory")
    return try_failed(seen, Reason.RUNNER_EXITED, _exited(seen), now)


def _lost(seen: Observed, now: datetime, why: str) -> Action:
    message = f"lost the Pod of attempt {seen.attempt}: {why}"
    lost = _lost_for_good(seen, message)
    if lost is not None:
        return lost
    if seen.execution.spec.desired_state == DesiredState.PAUSED:
        return Move(
            phase=Phase.PAUSED,
            reason=Reason.RUNNER_LOST,
            message=message,
            fields={"runner": None, "paused_at": now, "losses": losses_of(seen)},
        )
    return next_attempt(seen, now, reason=Reason.RUNNER_LOST, message=message)


def _lost_for_good(seen: Observed, message: str) -> Action | None:
    """Return the end of a run that no other Pod can take up."""
    if seen.plan.fails_when_lost:
        return failed(seen, Reason.RUNNER_LOST, f"{message} (spec.onRunnerLost is Fail)")
    if seen.execution.status.resumable is False:
        told = f"{message}. {_USED_THREADS}"
        return failed(seen, Reason.RUNNER_LOST, told)
    if not seen.plan.repeatable and _may_have_begun(seen):
        told = f"{message}. It may have had effects, so it is not run again"
        return failed(seen, Reason.RUNNER_LOST, told)
    return None


def _may_have_begun(seen: Observed) -> bool:
    if seen.execution.phase != Phase.STARTING or seen.execution.status.start_time is not None:
        return True
    # Of a Pod that is gone nobody knows what it did.
    return seen.pod.has_run or seen.pod.phase == PodPhase.ABSENT


def _exited(seen: Observed) -> str:
    code = seen.pod.exit_code or 0
    killed = ""
    if code > 128:
        try:
            killed = f" ({signal.Signals(code - 128).name})"
        except ValueError:
            killed = ""
    more = f": {seen.pod.trouble}" if seen.pod.trouble else ""
    return f"the runner's process exited with code {code}{killed} and reported no end{more}"


def _until(deadline: datetime | None, description: str) -> Action:
    if deadline is None:
        return Nothing(description=description)
    return LookAgain(at=deadline, description=description)


def _first(moment: datetime, other: datetime | None) -> datetime:
    return min(moment, other) if other is not None else moment
