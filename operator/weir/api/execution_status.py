"""What became of an Execution: its status, part by part."""

from typing import Annotated, Literal

from pydantic import Field

from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.resource import AnyObject, Condition, Model, Time


class StoredValue(Model):
    """A value that is too large for the object and kept by the server."""

    digest: Annotated[str, Field(max_length=128)]
    """sha256 of its JSON, in hex."""
    bytes: int
    """Its length as JSON."""


class RunnerStatus(Model):
    """Which Pod runs the current attempt. Reports from any other are refused."""

    pod: str
    """Name of the Pod."""
    pod_uid: Annotated[str, Field(alias="podUID")]
    """UID of the Pod."""
    node: str | None = None
    """The node it runs on."""


class TryStatus(Model):
    """A try of the whole run that failed."""

    try_number: Annotated[int, Field(ge=1, alias="try")]
    """Its number."""
    start_time: Time | None = None
    """When its script began, as far as is known."""
    end_time: Time | None = None
    """When it failed."""
    reason: Reason | None = None
    """Why it failed, in one word."""
    message: Annotated[str | None, Field(max_length=4096)] = None
    """Why it failed."""


class CauseStatus(Model):
    """The run at the bottom of a failure."""

    execution: str
    """Name of the Execution that failed first."""
    title: str
    """What people call it."""
    message: Annotated[str, Field(max_length=4096)]
    """Why it failed."""


class SourceStatus(Model):
    """The commit that what the run runs came from."""

    repository: Annotated[str, Field(max_length=63)]
    """Name of the FlowRepository."""
    path: Annotated[str | None, Field(max_length=1024)] = None
    """The file in it."""
    commit: Annotated[str, Field(max_length=64)]
    """The commit, as its whole SHA-1."""
    author: Annotated[str | None, Field(max_length=512)] = None
    """Who wrote it, as `Name <address>`."""


class Waited(Model):
    """One thing that the run waits for."""

    kind: Literal["Execution", "Message", "Lock", "Time"]
    """What kind of thing."""
    name: Annotated[str, Field(max_length=253)]
    """Its name, or the moment."""


class ChildCounts(Model):
    """How many children the run has. Written when the run is written anyway, so it may lag."""

    total: int = 0
    """All."""
    active: int = 0
    """Not ended."""
    failed: int = 0
    """Failed."""


class ExecutionStatus(Model):
    """What became of the run."""

    phase: Phase = Phase.PENDING
    """Where the run stands."""
    reason: Reason | None = None
    """Why it stands there, in one word."""
    message: Annotated[str | None, Field(max_length=4096)] = None
    """The script's own words, or what a person should do."""
    title: Annotated[str | None, Field(max_length=253)] = None
    """What people call this run."""
    description: Annotated[str | None, Field(max_length=4096)] = None
    """What the run is for, in the script's own words."""
    flow: Annotated[str | None, Field(max_length=253)] = None
    """Name of the Flow, or the connection's type, or `script`."""
    revision: str | None = None
    """sha256 of the runnable part that this run keeps to its end."""
    source: SourceStatus | None = None
    """The commit that the script came from, where a FlowRepository brought it."""
    try_number: Annotated[int | None, Field(ge=1, alias="try")] = None
    """Which try of the whole run this is, or comes next; each has a journal of its own."""
    attempt: Annotated[int | None, Field(ge=0)] = None
    """How many Pods were started for this run. Never goes down."""
    losses: Annotated[int | None, Field(ge=0)] = None
    """How many Pods the current try has lost."""
    hibernations: Annotated[int | None, Field(ge=0)] = None
    """How often the run gave its Pod back while it waited."""
    resumable: bool | None = None
    """False: the script used threads, so that the loss of its Pod ends the run."""
    tries: Annotated[list[TryStatus] | None, Field(max_length=10)] = None
    """Tries that failed before the current one, the last ten."""
    runner: RunnerStatus | None = None
    """The Pod of the current attempt."""
    waiting_for: Annotated[list[Waited] | None, Field(max_length=20)] = None
    """What the run waits for, up to 20."""
    outputs: AnyObject = None
    """Outputs up to 32 KiB: the script's `output_value`."""
    outputs_ref: StoredValue | None = None
    """Larger outputs, kept by the server."""
    cause: CauseStatus | None = None
    """The run that failed first, when this one failed for it."""
    children: ChildCounts | None = None
    """How many children the run has."""
    journal: str | None = None
    """UUID of the database that holds the run's journal."""
    queued_time: Time | None = None
    """When the run began to wait for a place."""
    starting_time: Time | None = None
    """When the current attempt's Pod was made."""
    start_time: Time | None = None
    """When the script began."""
    deadline: Time | None = None
    """When the run fails with TimedOut."""
    next_try_time: Time | None = None
    """When the next try may start."""
    paused_at: Time | None = None
    """Since when the run is paused."""
    completion_time: Time | None = None
    """When the run ended."""
    duration: str | None = None
    """From start to end, for the eye."""
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Succeeded, Failed and Ended, for `kubectl wait`."""
