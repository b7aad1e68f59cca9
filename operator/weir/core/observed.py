"""What is known about an Execution when it is decided what to do: gathered once, then only read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from weir.api import durations
from weir.api.execution import Execution
from weir.api.execution_status import SourceStatus
from weir.api.flow import FlowSpec, Runner
from weir.api.reasons import Reason
from weir.core.pod_state import ABSENT, PodState
from weir.core.queueing import Place

_DEFAULT_START_TIMEOUT = durations.parse(FlowSpec.model_fields["start_timeout"].default)


class Parent(StrEnum):
    """What became of an Execution's parent, as far as the child must care."""

    NONE = "none"  # a root, or an orphan
    LIVE = "live"
    SUCCEEDED = "succeeded"
    DOWN = "down"  # failed, cancelled or gone, or in another try by now


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why a run cannot start now."""

    reason: Reason
    message: str
    patience: timedelta | None = None  # then the run fails; None: it waits for ever
    silent: bool = False  # settles itself in a moment: not worth a write


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an Execution runs, and how."""

    title: str  # of status.flow: the Flow's name, the connection's type, or `script`
    flow: str | None = None  # object name of the Flow
    revision: str | None = None
    spec: FlowSpec | None = None  # of the Flow, at that revision
    source: SourceStatus | None = None  # the commit that revision came from
    obstacle: Obstacle | None = None
    repeatable: bool = True  # whether what has begun may be run again
    max_concurrent: int | None = None

    @property
    def runner(self) -> Runner | None:
        """What the Flow sets of the Pod."""
        return self.spec.runner if self.spec else None

    @property
    def start_timeout(self) -> timedelta:
        """How long a Pod may take to start."""
        return durations.parse(self.spec.start_timeout) if self.spec else _DEFAULT_START_TIMEOUT

    @property
    def fails_when_lost(self) -> bool:
        """Whether the loss of a Pod is the run's failure."""
        return self.spec is not None and self.spec.on_runner_lost == "Fail"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the installation."""

    max_depth: int = 32
    max_attempts: int = 5


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One Execution and everything that its next step depends on."""

    execution: Execution
    plan: Plan
    pod: PodState = ABSENT  # the one that status.runner names
    strays: tuple[PodState, ...] = ()  # its other Pods
    parent: Parent = Parent.NONE
    place: Place = Place.FREE
    limits: Limits = Limits()
    cancel_since: datetime | None = None  # when its cancellation was first seen
    silent_since: datetime | None = None  # when its Pod was first seen ended or missing
    refused_until: datetime | None = None  # a Pod was refused: no new attempt before this
    over_quota_since: datetime | None = None  # when a quota first refused a Pod that it needs
    left_children: int = 0  # of earlier tries, that have not ended: the next try waits for them
    busy: bool = False  # other runs are starting: tidying up can wait

    @property
    def attempt(self) -> int:
        """How many Pods were started for the run."""
        return self.execution.status.attempt or 0

    @property
    def deadline(self) -> datetime | None:
        """When the run has lasted too long; None without a timeout, or before its Pod."""
        status, spec = self.execution.status, self.execution.spec
        if status.deadline is not None:
            return status.deadline
        timeout = spec.timeout or (self.plan.spec.timeout if self.plan.spec else None)
        if timeout is None:
            return None
        if status.start_time is not None:
            return status.start_time + durations.parse(timeout)
        if status.starting_time is not None:
            # No start was ever reported: it had at most all the time that a start may take.
            return status.starting_time + self.plan.start_timeout + durations.parse(timeout)
        return None
