"""The Schedule: runs of a Flow at set times."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from weir.api.phases import Mode
from weir.api.resource import AnyObject, Condition, Duration, Model, Resource, Time


class ConcurrencyPolicy(StrEnum):
    """What happens when a run is due while an earlier one of the same Schedule has not ended."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class ScheduleSpec(Model):
    """What to run, and when."""

    flow: Annotated[str, Field(min_length=1, max_length=253)]
    """Name or title of the Flow, in this namespace."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Schedule; unique in the namespace.

    Default: its object name.
    """
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What it is for."""
    cron: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """When, as five cron fields: minute, hour, day of month, month, day of week; or `@yearly`,
    `@monthly`, `@weekly`, `@daily`, `@hourly`.
    """
    interval: Duration | None = None
    """Or: how long from one run's time to the next, counted from the Schedule's creation. At least
    1s.
    """
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "UTC"
    """The time zone that `cron` is read in, such as `Europe/Vienna`."""
    inputs: AnyObject = None
    """Inputs of every run."""
    mode: Mode = Mode.PRODUCTIVE
    """Whether the runs count."""
    concurrency_policy: ConcurrencyPolicy = ConcurrencyPolicy.ALLOW
    """What happens when an earlier run has not ended: both run (Allow), the new one is left out
    (Forbid), or the earlier one is cancelled and the new one starts at its end (Replace).
    """
    starting_deadline: Duration | None = None
    """How late a run may start. Default: however late. Of several missed times only the last is
    made up for.
    """
    suspend: bool = False
    """Whether no runs are started. Times that pass meanwhile are not made up for."""


class ScheduleStatus(Model):
    """What was started, and what comes next."""

    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Ready, with the reason when it is not."""
    observed_generation: int | None = None
    """The generation that the conditions are about."""
    timing: Annotated[str | None, Field(max_length=512)] = None
    """What the times are made of. When it changes, earlier times are not made up for."""
    settled_time: Time | None = None
    """Times up to this one are dealt with: run, left out, or passed while nothing was to run."""
    last_schedule_time: Time | None = None
    """The last time for which a run was started."""
    last_execution: str | None = None
    """The Execution that was started for it."""
    last_successful_time: Time | None = None
    """When a run of it last Succeeded."""
    active: Annotated[list[str] | None, Field(max_length=20)] = None
    """Executions of it that have not ended, up to 20."""
    missed: int | None = None
    """Times at which no run was started: too late, or an earlier run had not ended."""
    last_missed_time: Time | None = None
    """The last of them."""
    next: Annotated[list[Time] | None, Field(max_length=5)] = None
    """The next five times."""
    next_local: Annotated[str | None, Field(max_length=64)] = None
    """The next of them in the Schedule's time zone, for the eye."""


class Schedule(Resource):
    """Runs a Flow at set times."""

    PLURAL: ClassVar[str] = "schedules"
    KIND: ClassVar[str] = "Schedule"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("sched",)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Flow", "string", ".spec.flow", False),
        ("Cron", "string", ".spec.cron", False),
        ("Interval", "string", ".spec.interval", True),
        ("Zone", "string", ".spec.timeZone", True),
        ("Suspend", "boolean", ".spec.suspend", False),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', False),
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', True),
        ("Last", "date", ".status.lastScheduleTime", False),
        ("Next", "string", ".status.nextLocal", False),
        ("Missed", "integer", ".status.missed", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Schedule's name has at most 63 characters"),
        (
            "has(self.spec.cron) != has(self.spec.interval)",
            "spec has exactly one of cron and interval",
        ),
    )

    spec: ScheduleSpec
    status: ScheduleStatus = ScheduleStatus()

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name
