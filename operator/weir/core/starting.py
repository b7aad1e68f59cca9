"""What to do about an Execution that has no Pod yet: checks, limits, and the first or next Pod."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from weir.api.execution import MAX_INLINE_INPUTS
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.api.resource import JsonObject
from weir.core import retries
from weir.core.actions import Action, LookAgain, Move, Nothing, StartPod
from weir.core.observed import Observed
from weir.core.queueing import Place
from weir_protocol import schemas, scripts

# Where an attempt is lost as soon as it is made, the next ones wait longer and longer.
_FIRST_ATTEMPT_DELAY = timedelta(seconds=1)
_MAX_ATTEMPT_DELAY = timedelta(seconds=30)
_MOST_DOUBLINGS = 5


def before_start(seen: Observed, now: datetime) -> Action:
    """Decide for a Pending or Queued Execution, and for a paused one that is to go on."""
    if seen.execution.spec.desired_state == DesiredState.PAUSED:
        return _not_started(seen, now)
    deadline = seen.deadline
    has_run = seen.execution.status.start_time is not None
    if deadline is None or not has_run or seen.execution.phase != Phase.QUEUED:
        return _next_pod(seen, now)
    if now >= deadline:
        return timed_out(seen)
    action = _next_pod(seen, now)
    match action:
        case Nothing():
            return LookAgain(at=deadline, description=action.description)
        case LookAgain():
            return replace(action, at=min(action.at, deadline))
    return action


def _next_pod(seen: Observed, now: datetime) -> Action:
    if seen.attempt == 0:
        refusal = _refusal(seen, now)
        if refusal is not None:
            return refusal
    between = _between_tries(seen, now)
    if between is not None:
        return between
    if seen.place != Place.FREE:
        return _queued(seen, now)
    status = seen.execution.status
    # What the script of a woken run last said of itself is still so.
    return next_attempt(
        seen, now, message=status.message if status.reason == Reason.WOKEN else None
    )


def _between_tries(seen: Observed, now: datetime) -> Action | None:
    """Return what the next try waits for: its time, and the end of what the last one started."""
    status = seen.execution.status
    if status.next_try_time is None:
        return None
    told = retries.announced(status, status.next_try_time)
    if now < status.next_try_time:
        if seen.execution.phase == Phase.PAUSED:
            return _told(seen, Phase.QUEUED, Reason.TRY_FAILED, told)
        return LookAgain(at=status.next_try_time, description="the next try has its delay")
    if seen.left_children:
        waits = f"{told}, when what the earlier one started has ended"
        return _told(seen, Phase.QUEUED, Reason.TRY_FAILED, waits)
    return None


def next_attempt(
    seen: Observed, now: datetime, *, reason: Reason | None = None, message: str | None = None
) -> Action:
    """Decide for an Execution that needs a Pod: its first, or one more."""
    attempt, losses = seen.attempt + 1, losses_of(seen)
    if losses >= seen.limits.max_attempts:
        told = f"{losses} Pods of this run were lost, the last so: {message or 'unknown'}"
        return failed(seen, Reason.TOO_MANY_ATTEMPTS, told)
    if seen.attempt > 0 and seen.plan.obstacle is not None:
        return failed(seen, seen.plan.obstacle.reason, seen.plan.obstacle.message)
    earliest = _earliest(seen)
    if earliest is not None and now < earliest:
        return LookAgain(at=earliest, description=f"attempt {attempt} has its delay")
    return StartPod(
        attempt=attempt,
        losses=losses,
        reason=reason,
        message=message,
        description=f"attempt {attempt} may start",
    )


def losses_of(seen: Observed) -> int:
    """Return how many Pods the current try has lost.

    A Pod that the status still names when another is needed is one more than the status counts.
    Pods that were given back, and those of earlier tries, are not named any more.
    """
    status = seen.execution.status
    return (status.losses or 0) + (status.runner is not None)


def refused(seen: Observed, message: str) -> Action:
    """Return what to write when quota or admission refused the Pod: it is tried again."""
    told = _told(seen, Phase.QUEUED, Reason.POD_REFUSED, f"the Pod was refused: {message}")
    if isinstance(told, Move) and seen.execution.status.runner is not None:
        # The lost Pod that it names must not report any more.
        return replace(told, fields=told.fields | {"runner": None, "losses": losses_of(seen)})
    return told


def failed(seen: Observed, reason: Reason, message: str) -> Move:
    """Return the move that fails the run."""
    return Move(phase=Phase.FAILED, reason=reason, message=message, fields=_named(seen))


def timed_out(seen: Observed) -> Move:
    """Return the move that fails a run whose time is over."""
    spec = seen.plan.spec
    allowed = seen.execution.spec.timeout or (spec.timeout if spec else None) or "its timeout"
    return failed(seen, Reason.TIMED_OUT, f"the run took longer than {allowed}")


def try_failed(seen: Observed, reason: Reason, message: str, now: datetime) -> Move:
    """Return the move that puts off a run to its next try, or fails it where no try is left."""
    status = seen.execution.status
    began = status.starting_time if status.tries else status.start_time
    again = retries.another_try(
        seen.execution,
        seen.plan.spec.retry if seen.plan.spec else None,
        reason=reason,
        message=message,
        began=began,
        deadline=seen.deadline,
        now=now,
    )
    return again or failed(seen, reason, message)


def stay(seen: Observed, reason: Reason, message: str) -> Action:
    """Return what says why the run stays in its phase, or nothing when that is said already."""
    return _told(seen, seen.execution.phase, reason, message)


def cancelled(seen: Observed, message: str) -> Move:
    """Return the move that ends the run as cancelled."""
    return Move(
        phase=Phase.CANCELLED, reason=Reason.CANCELLED, message=message, fields=_named(seen)
    )


def _told(seen: Observed, phase: Phase, reason: Reason, message: str) -> Action:
    status = seen.execution.status
    if (status.phase, status.reason, status.message) == (phase, reason, message):
        return Nothing(description=message)
    return Move(phase=phase, reason=reason, message=message, fields=_named(seen))


def _named(seen: Observed) -> JsonObject:
    return {} if seen.execution.status.flow else {"flow": seen.plan.title}


def _earliest(seen: Observed) -> datetime | None:
    moments = [seen.refused_until]
    losses = losses_of(seen)
    if losses > 1 and seen.silent_since is not None:
        doubled = min(losses - 2, _MOST_DOUBLINGS)
        delay = min(_FIRST_ATTEMPT_DELAY * 2**doubled, _MAX_ATTEMPT_DELAY)
        moments.append(seen.silent_since + delay)
    return max((moment for moment in moments if moment is not None), default=None)


def _not_started(seen: Observed, now: datetime) -> Action:
    status = seen.execution.status
    if seen.execution.phase == Phase.QUEUED:
        if status.start_time is None:
            return Move(phase=Phase.PAUSED, reason=None, message="paused before its start")
        coming = f" before try {retries.number_of(status)}" if status.next_try_time else ""
        return Move(
            phase=Phase.PAUSED, reason=None, message=f"paused{coming}", fields={"paused_at": now}
        )
    message = "created without being started: set spec.desiredState to Running to start it"
    return stay(seen, Reason.NOT_STARTED, message)


def _refusal(seen: Observed, now: datetime) -> Action | None:
    """Return what keeps a run from its first Pod, if anything does."""
    execution = seen.execution
    spec, plan = execution.spec, seen.plan
    if execution.phase == Phase.PENDING:  # what follows never changes: one look is enough
        unfit = _unfit(seen)
        if unfit is not None:
            return unfit
    if plan.obstacle is not None:
        return _obstructed(seen, now)
    if plan.spec is not None and plan.spec.input_schema is not None and spec.inputs_ref is None:
        found = schemas.problem_with_value(plan.spec.input_schema, spec.inputs or {}, what="inputs")
        if found is not None:
            return failed(seen, Reason.INVALID_INPUTS, found)
    return None


def _unfit(seen: Observed) -> Action | None:
    spec = seen.execution.spec
    if spec.parent is not None and spec.parent.depth > seen.limits.max_depth:
        message = f"more than {seen.limits.max_depth} Executions stand above this one"
        return failed(seen, Reason.TOO_DEEP, f"{message}: does a flow call itself without end?")
    size = len(json.dumps(spec.inputs, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > MAX_INLINE_INPUTS:
        message = f"the inputs have {size} bytes of JSON, {MAX_INLINE_INPUTS} are allowed"
        return failed(seen, Reason.INPUTS_TOO_LARGE, message)
    source = spec.draft if spec.draft is not None else spec.script
    if source is not None:
        problem = scripts.problem_with(source)
        if problem is not None:
            return failed(seen, Reason(problem.reason), problem.message)
    return None


def _obstructed(seen: Observed, now: datetime) -> Action:
    obstacle = seen.plan.obstacle
    assert obstacle is not None
    if obstacle.silent:
        return Nothing(description=obstacle.message)
    if obstacle.patience is None:
        return stay(seen, obstacle.reason, obstacle.message)
    created = seen.execution.metadata.creation_timestamp or now
    until = created + obstacle.patience
    if seen.execution.spec.parent is not None or now >= until:
        return failed(seen, obstacle.reason, obstacle.message)
    told = stay(seen, obstacle.reason, obstacle.message)
    if isinstance(told, Nothing):
        return LookAgain(at=until, description=f"until then it may come: {obstacle.message}")
    return told


def _queued(seen: Observed, now: datetime) -> Action:
    if seen.place == Place.FLOW_LIMIT:
        reason = Reason.FLOW_LIMIT
        message = f"{seen.plan.flow} may have {seen.plan.max_concurrent} runs at once"
    else:
        reason = Reason.CLUSTER_LIMIT
        message = "as many runs as this installation allows are active"
    told = _told(seen, Phase.QUEUED, reason, message)
    if isinstance(told, Move) and seen.execution.status.queued_time is None:
        return replace(told, fields=told.fields | {"queued_time": now})
    return told
