"""Runs that wait without a Pod: which may, when they do, and which do so for others' sake.

Giving a Pod back is a loss on purpose: the journal has all that the run did, and the server goes on
waiting for it. Under a quota, or on a full cluster, runs that wait are asked to do so for runs that
find no place, or else parents would keep their own children from starting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from weir.api import durations
from weir.api.execution import Execution
from weir.api.flow import FlowSpec
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core.moves import StatusChange, move
from weir.core.observed import Observed
from weir.core.pod_state import PodPhase

# Pods find no place for moments even when all is well.
STARVED_AFTER = timedelta(seconds=5)
# What one run asks of others grows rarer: perhaps room is not what it lacks.
_MOST_DOUBLINGS = 6
# From Pod to Pod: the one that was given back has to be gone before it helps anybody.
BETWEEN_REQUESTS = timedelta(seconds=1)


def is_resumable(execution: Execution, spec: FlowSpec | None) -> bool:
    """Whether another Pod may take a run up where its Pod leaves it; `spec` is its revision's."""
    return (
        execution.spec.connection is None
        and execution.status.resumable is not False
        and (spec is None or spec.on_runner_lost == "Resume")
    )


def patience(execution: Execution, spec: FlowSpec | None) -> timedelta | None:
    """Return how long a run waits in its Pod; None: as long as it takes."""
    if spec is None or spec.hibernate_after is None or not is_resumable(execution, spec):
        return None
    return durations.parse(spec.hibernate_after)


def given_back(execution: Execution, *, now: datetime, **fields: Any) -> StatusChange | None:
    """Return the change by which a run that waits, or is paused, loses its Pod; None: it does not.

    Its phase stays: what it waits for is as it was, or as `fields` say.
    """
    status = execution.status
    if status.phase not in (Phase.WAITING, Phase.PAUSED) or status.runner is None:
        return None
    return move(
        execution,
        status.phase,
        now=now,
        reason=status.reason,
        runner=None,
        hibernations=(status.hibernations or 0) + 1,
        **fields,
    )


def woken(execution: Execution, *, now: datetime) -> StatusChange | None:
    """Return the change by which a run without a Pod gets into the queue for one; None: it does
    not wait without a Pod any more, or is to be paused or cancelled.
    """
    if not execution.is_hibernated or execution.phase != Phase.WAITING:
        return None
    if execution.spec.desired_state != DesiredState.RUNNING:
        return None
    return move(
        execution,
        Phase.QUEUED,
        now=now,
        reason=Reason.WOKEN,
        message=execution.status.message,  # the script's own words stay
        waiting_for=None,
    )


@dataclass(frozen=True, kw_only=True)
class Starved:
    """A run whose Pod finds no place."""

    since: datetime
    namespace: str | None  # whose quota is used up; None: the whole cluster is full


def starved(seen: Observed) -> Starved | None:
    """Return why a run needs another's place, if it does."""
    if seen.execution.phase.is_final:
        return None
    if seen.execution.spec.desired_state != DesiredState.RUNNING:
        return None
    if seen.over_quota_since is not None and seen.pod.phase == PodPhase.ABSENT:
        return Starved(since=seen.over_quota_since, namespace=seen.execution.metadata.namespace)
    if seen.pod.phase == PodPhase.WAITING and seen.pod.lacks_room and seen.pod.created:
        return Starved(since=seen.pod.created, namespace=None)
    return None


def asks_at(starved: Starved, requests: int, last: datetime | None) -> datetime:
    """Return when a starved run asks for a place, after so many requests before."""
    if last is None:
        return starved.since + STARVED_AFTER
    return last + STARVED_AFTER * (1 << min(requests, _MOST_DOUBLINGS))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A run that waits in a Pod."""

    uid: str
    namespace: str
    waits_since: datetime
    resumable: bool


def chosen(starved: Starved, candidates: Iterable[Candidate]) -> Candidate | None:
    """Return the run that gives its Pod back: the one that has waited longest, if any may."""
    fit = [
        one for one in candidates if one.resumable and starved.namespace in (None, one.namespace)
    ]
    return min(fit, key=lambda one: (one.waits_since, one.uid), default=None)
