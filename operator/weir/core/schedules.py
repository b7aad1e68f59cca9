"""What should happen next to a Schedule. Pure: no cluster, no clock.

What is due is everything later than the settled time and not later than now. Of several due times
only the last may run; the others are missed. The settled time moves on with each of them that was
run or left out, and to now when a Schedule begins to run that did not, or at other times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from weir.api import names
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.phases import Mode
from weir.api.reasons import ConditionType, Reason
from weir.api.resource import JsonObject, render_time, with_condition
from weir.api.schedule import ConcurrencyPolicy, Schedule, ScheduleStatus
from weir.core.due_times import DueTimes, latest
from weir.core.lookup import Catalog
from weir.core.readiness import Verdict, taken
from weir.core.timings import InvalidTiming, Timing, local, next_times, timing_of

SHOWN_TIMES = 5
SHOWN_RUNS = 20
_TICK = timedelta(microseconds=1)


class ScheduledRun(NamedTuple):
    """A run of a Schedule that has not ended."""

    name: str
    due: datetime | None  # as its annotation says; None: it says none


@dataclass(frozen=True)
class Decision:
    """What is to be done about a Schedule."""

    start: datetime | None = None
    """The due time whose run is to be made now."""
    cancel: bool = False
    """Whether the runs that have not ended are asked to: the start waits for their end."""
    settled: datetime | None = None
    """Up to where times are dealt with now; None: nothing new."""
    missed: int = 0
    """How many of those are missed."""
    last_missed: datetime | None = None
    """The last of these."""
    again: datetime | None = None
    """The next moment at which the answer is another."""


def check(
    schedule: Schedule, others: Catalog[Schedule], flows: Catalog[Flow]
) -> tuple[Verdict, Timing | None]:
    """Return whether a Schedule runs, and when; both catalogs are those of its namespace."""
    older = others.title_taken_by(schedule)
    if older is not None:
        return Verdict(False, Reason.TITLE_TAKEN, taken(schedule, older)), None
    try:
        timing = timing_of(schedule)
    except InvalidTiming as error:
        return Verdict(False, error.reason, error.message), None
    if schedule.spec.suspend:
        message = "nothing is started (spec.suspend); times that pass are not made up for"
        return Verdict(False, Reason.SUSPENDED, message), timing
    message = "starts runs when they are due"
    if flows.find(schedule.spec.flow) is None:
        message += (
            f"; there is no Flow called {schedule.spec.flow!r} in this namespace yet, and a run "
            "that does not find it within a minute fails (FlowNotFound)"
        )
    return Verdict(True, Reason.READY, message), timing


def settled_until(schedule: Schedule, timing: Timing, now: datetime) -> datetime:
    """Return up to when the times of a Schedule that runs are dealt with.

    Of one that did not run before, or at other times, that is now: nothing is made up for.
    """
    status = schedule.status
    known = next((one for one in status.conditions if one.type == ConditionType.READY), None)
    if known is not None and (known.status != "True" or status.timing != timing.text):
        return now
    return status.settled_time or schedule.metadata.creation_timestamp or now


def decide(
    schedule: Schedule,
    timing: Timing,
    running: Sequence[ScheduledRun],
    now: datetime,
) -> Decision:
    """Return what is to be done about a Schedule that is ready."""
    times, policy = timing.times, schedule.spec.concurrency_policy
    settled = settled_until(schedule, timing, now)
    resumed = settled if settled != schedule.status.settled_time else None
    begun = _begun(schedule, times, running, settled, now)
    if begun is not None:  # its run was made, but not written down
        return _left(times, settled, begun, start=True, again=now)
    due = latest(times, settled, now)
    following = next(times.after(max(now, settled)), None)
    if due is None:
        return Decision(settled=resumed, again=following)
    late = timing.deadline is not None and now - due > timing.deadline
    if late or (running and policy is ConcurrencyPolicy.FORBID):
        return _left(times, settled, due, start=False, again=following)
    if running and policy is ConcurrencyPolicy.REPLACE:
        too_late = due + timing.deadline + _TICK if timing.deadline is not None else None
        moments = [moment for moment in (following, too_late) if moment is not None]
        return Decision(cancel=True, settled=resumed, again=min(moments, default=None))
    return _left(times, settled, due, start=True, again=following)


def without_start(decision: Decision) -> Decision:
    """Return the decision where the run to be started cannot be."""
    return Decision(
        settled=decision.settled,
        missed=decision.missed + 1,
        last_missed=decision.start,
        again=decision.again,
    )


def run_name(schedule: Schedule, due: datetime) -> str:
    """Name the run of a due time: always the same, so that making it twice is making it once."""
    metadata = schedule.metadata
    return names.scheduled_name(metadata.name, metadata.uid, render_time(due, exact=True))


def manifest(schedule: Schedule, due: datetime) -> JsonObject:
    """Return the Execution that is the run of a due time."""
    spec: JsonObject = {"flow": schedule.spec.flow, "mode": str(schedule.spec.mode)}
    if schedule.spec.inputs is not None:
        spec["inputs"] = schedule.spec.inputs
    labels = {names.SCHEDULE_LABEL: schedule.metadata.name}
    if schedule.spec.mode == Mode.DEVELOPMENT:
        labels[names.MODE_LABEL] = str(Mode.DEVELOPMENT)
    return {
        "apiVersion": names.API_VERSION,
        "kind": Execution.KIND,
        "metadata": {
            "name": run_name(schedule, due),
            "labels": labels,
            "annotations": {names.SCHEDULED_TIME: render_time(due, exact=bool(due.microsecond))},
        },
        "spec": spec,
    }


def is_run_of(item: JsonObject, schedule: Schedule) -> bool:
    """Whether an Execution of a run's name is that run."""
    labels = item["metadata"].get("labels") or {}
    return labels.get(names.SCHEDULE_LABEL) == schedule.metadata.name


def scheduled_time(execution: Execution) -> datetime | None:
    """Return the time that the run of a Schedule was due, as far as it says so."""
    try:
        due = datetime.fromisoformat(execution.metadata.annotations.get(names.SCHEDULED_TIME, ""))
    except ValueError:
        return None
    return due if due.tzinfo is not None else None


def status_after(
    schedule: Schedule,
    verdict: Verdict,
    timing: Timing | None,
    decision: Decision,
    running: Sequence[ScheduledRun],
    *,
    last_success: datetime | None,
    now: datetime,
) -> ScheduleStatus:
    """Return the status of a Schedule once a decision is carried out.

    `running` and `last_success` are as they are then.
    """
    before = schedule.status
    fields: dict[str, object] = {
        "conditions": with_condition(
            before.conditions,
            ConditionType.READY,
            "True" if verdict.ready else "False",
            verdict.reason,
            verdict.message,
            now=now,
            generation=schedule.metadata.generation,
        ),
        "observed_generation": schedule.metadata.generation,
        "active": sorted(one.name for one in running)[:SHOWN_RUNS],
        "missed": (before.missed or 0) + decision.missed,
        "next": None,
        "next_local": None,
    }
    if timing is not None and verdict.ready:
        fields["timing"] = timing.text
        settled = decision.settled or before.settled_time
        upcoming = next_times(timing.times, max(now, settled or now), SHOWN_TIMES)
        fields["next"] = upcoming
        fields["next_local"] = local(upcoming[0], timing.zone) if upcoming else None
    if decision.settled is not None:
        fields["settled_time"] = decision.settled
    if decision.start is not None:
        fields["last_schedule_time"] = decision.start
        fields["last_execution"] = run_name(schedule, decision.start)
    if decision.last_missed is not None:
        fields["last_missed_time"] = decision.last_missed
    fields["last_successful_time"] = _last_success(schedule, last_success)
    return before.model_copy(update=fields)


def _last_success(schedule: Schedule, seen: datetime | None) -> datetime | None:
    """Return when a run last succeeded; those of an earlier Schedule of the name do not count."""
    known, created = schedule.status.last_successful_time, schedule.metadata.creation_timestamp
    if seen is None or (created is not None and seen < created):
        return known
    return seen if known is None or seen > known else known


def _begun(
    schedule: Schedule,
    times: DueTimes,
    running: Sequence[ScheduledRun],
    settled: datetime,
    now: datetime,
) -> datetime | None:
    """Return the last unsettled due time whose run is there already."""
    return max(
        (
            run.due
            for run in running
            if run.due is not None
            and settled < run.due <= now
            and run.name == run_name(schedule, run.due)
            and next(times.after(run.due - _TICK), None) == run.due
        ),
        default=None,
    )


def _left(
    times: DueTimes, settled: datetime, due: datetime, *, start: bool, again: datetime | None
) -> Decision:
    """Return the decision that settles all up to `due`, of which at most that one runs."""
    missed = times.count(settled, due) - (1 if start else 0)
    last_missed = None
    if missed:
        last_missed = latest(times, settled, due - _TICK) if start else due
    return Decision(
        start=due if start else None,
        settled=due,
        missed=missed,
        last_missed=last_missed,
        again=again,
    )
