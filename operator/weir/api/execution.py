"""The Execution: one run of a flow, of a script, or of a connection."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from weir.api.flow import MAX_SCRIPT
from weir.api.names import ROOT_LABEL
from weir.api.phases import NEXT, DesiredState, Mode, Phase
from weir.api.reasons import ConditionType, Reason
from weir.api.resource import Condition, Duration, JsonObject, Model, Resource, Time

MAX_INLINE_INPUTS = 64 * 1024
MAX_INLINE_OUTPUTS = 32 * 1024

AnyObject = Annotated[JsonObject | None, Field(json_schema_extra={"preserve": True})]


class ConnectionRef(Model):
    """Which connection to run: a Connector, a type, or both."""

    connector: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """Name or title of a Connector in this namespace."""
    type: Annotated[str | None, Field(min_length=1, max_length=63)] = None
    """A connection type, such as GIT."""


class ParentRef(Model):
    """The Execution that created this one. Set by Weir's server only."""

    name: Annotated[str, Field(max_length=63)]
    """Its name."""
    uid: Annotated[str, Field(max_length=64)]
    """Its UID."""
    sequence: Annotated[int, Field(ge=1)]
    """The number of the operation that created this Execution."""
    try_number: Annotated[int, Field(ge=1, alias="try")] = 1
    """The parent's try that created it."""
    depth: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many Executions stand above this one."""


class StoredValue(Model):
    """A value that is too large for the object and kept by the server."""

    digest: Annotated[str, Field(max_length=128)]
    """sha256 of its JSON, in hex."""
    bytes: int
    """Its length as JSON."""


class ExecutionSpec(Model):
    """What is to be run. Never changed after creation, but for desiredState and mode."""

    flow: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """Name or title of the Flow, in this namespace."""
    draft: Annotated[str | None, Field(min_length=1, max_length=MAX_SCRIPT)] = None
    """Python source to run in place of the script of the Flow, which stands here by object name.

    Development runs only.
    """
    script: Annotated[str | None, Field(min_length=1, max_length=MAX_SCRIPT)] = None
    """Python source to run once, instead of a Flow."""
    connection: ConnectionRef | None = None
    """A connection to run, instead of a Flow."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What people call this run; need not be unique."""
    inputs: AnyObject = None
    """Inputs, any JSON object up to 64 KiB: the script's `input_value`."""
    inputs_ref: StoredValue | None = None
    """Larger inputs, kept by the server. Set by Weir's server only."""
    parent: ParentRef | None = None
    """The Execution that created this one. Set by Weir's server only."""
    mode: Mode = Mode.PRODUCTIVE
    """Whether the run counts.

    Children inherit it. A Development run may be made Productive, never the other way.
    """
    desired_state: DesiredState = DesiredState.RUNNING
    """What people ask of the run. Cancelled is final."""
    timeout: Duration | None = None
    """Longest run, instead of the Flow's."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Higher runs leave the queue first. Children inherit it."""
    ttl_after_finished: Duration | None = None
    """How long the ended run is kept as an object, whatever its Flow or mode say."""
    orphan: bool = False
    """Whether the run outlives the cancellation of its parent."""
    protect_inputs: Annotated[list[str], Field(max_length=100)] = []
    """Keys of inputs that are shown as *** to all but the script."""
    protect_outputs: Annotated[list[str], Field(max_length=100)] = []
    """Keys of outputs that are shown as *** to all but scripts."""


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


_LEGAL_MOVES = ", ".join(
    f"'{old}': [{', '.join(repr(str(new)) for new in Phase if new == old or new in NEXT[old])}]"
    for old in Phase
)
_FINAL = "['Succeeded', 'Failed', 'Cancelled']"
# The rules stand at the schema's root: on .status.phase itself a missing phase would slip through.
# They ask with has() for each step, since CEL's optionals defeat the API server's cost estimate.
_OLD_PHASE = "(has(oldSelf.status) && has(oldSelf.status.phase) ? oldSelf.status.phase : 'Pending')"
_NEW_PHASE = "(has(self.status) && has(self.status.phase) ? self.status.phase : 'Pending')"


def _unchanged(old: str, new: str, field: str) -> str:
    return (
        f"has({new}.{field}) == has({old}.{field}) "
        f"&& (!has({new}.{field}) || {new}.{field} == {old}.{field})"
    )


def _frozen_when_final(field: str) -> tuple[str, str]:
    same = _unchanged("oldSelf.status", "self.status", field)
    return (
        f"!({_OLD_PHASE} in {_FINAL}) || (has(self.status) && {same})",
        f"an ended Execution keeps its {field}",
    )


def _never_down(field: str) -> tuple[str, str]:
    return (
        f"!has(oldSelf.status) || !has(oldSelf.status.{field}) || (has(self.status) "
        f"&& has(self.status.{field}) && self.status.{field} >= oldSelf.status.{field})",
        f"status.{field.strip('_')} never goes down",
    )


class Execution(Resource):
    """One run of a Flow, of a script, or of a connection."""

    PLURAL: ClassVar[str] = "executions"
    KIND: ClassVar[str] = "Execution"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("exe",)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Flow", "string", ".status.flow", False),
        ("Phase", "string", ".status.phase", False),
        ("Parent", "string", ".spec.parent.name", False),
        ("Message", "string", ".status.message", False),
        ("Duration", "string", ".status.duration", False),
        ("Started", "date", ".status.startTime", False),
        ("Title", "string", ".status.title", True),
        ("Reason", "string", ".status.reason", True),
        ("Pod", "string", ".status.runner.pod", True),
        ("Try", "integer", ".status.try", True),
        ("Attempt", "integer", ".status.attempt", True),
        ("Mode", "string", ".spec.mode", True),
        ("Schedule", "string", r".metadata.labels.weir\.dev/schedule", True),
        ("Webhook", "string", r".metadata.labels.weir\.dev/webhook", True),
        ("Commit", "string", ".status.source.commit", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    SELECTABLE: ClassVar[tuple[str, ...]] = (
        ".spec.flow",
        ".status.phase",
        ".spec.parent.name",
        ".spec.connection.type",
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "an Execution's name has at most 63 characters"),
        (
            "[has(self.spec.flow), has(self.spec.script), has(self.spec.connection)]"
            ".filter(given, given).size() == 1",
            "spec has exactly one of flow, script and connection",
        ),
        (
            "!has(self.spec.draft) || has(self.spec.flow) && has(self.spec.mode) "
            "&& self.spec.mode == 'Development'",
            "spec.draft needs spec.flow, and mode Development",
        ),
        (
            "!has(self.spec.connection) || has(self.spec.connection.connector) "
            "|| has(self.spec.connection.type)",
            "spec.connection names a connector, a type, or both",
        ),
        (
            f"{_NEW_PHASE} in {{{_LEGAL_MOVES}}}[{_OLD_PHASE}]",
            "this move of status.phase is not legal",
        ),
        (
            "!has(oldSelf.status) || !has(oldSelf.status.phase) "
            "|| (has(self.status) && has(self.status.phase))",
            "status.phase never disappears",
        ),
        _frozen_when_final("phase"),
        _frozen_when_final("reason"),
        _frozen_when_final("outputs"),
        _frozen_when_final("outputsRef"),
        _frozen_when_final("completionTime"),
        _never_down("attempt"),
        _never_down("try"),
        (
            "!has(oldSelf.spec.desiredState) || oldSelf.spec.desiredState != 'Cancelled' "
            "|| (has(self.spec.desiredState) && self.spec.desiredState == 'Cancelled')",
            "a cancelled Execution stays cancelled",
        ),
        (
            "has(oldSelf.spec.mode) && oldSelf.spec.mode == 'Development' "
            "|| !has(self.spec.mode) || self.spec.mode == 'Productive'",
            "a Productive Execution stays Productive",
        ),
        *(
            (
                _unchanged("oldSelf.spec", "self.spec", field),
                f"spec.{field} cannot be changed: create another Execution",
            )
            for field in (
                "flow",
                "draft",
                "script",
                "connection",
                "title",
                "inputs",
                "inputsRef",
                "parent",
                "timeout",
                "priority",
                "ttlAfterFinished",
                "orphan",
                "protectInputs",
                "protectOutputs",
            )
        ),
    )

    spec: ExecutionSpec
    status: ExecutionStatus = ExecutionStatus()

    @property
    def uid(self) -> str:
        """The object's UID: what journal, logs and derived names hang on."""
        return self.metadata.uid

    @property
    def phase(self) -> Phase:
        """Where the run stands."""
        return self.status.phase

    @property
    def is_hibernated(self) -> bool:
        """Whether the run has started, waits or is paused, and has no Pod."""
        status = self.status
        waits = status.phase in (Phase.WAITING, Phase.PAUSED)
        return waits and status.runner is None and bool(status.attempt)

    @property
    def root(self) -> str:
        """Name of the Execution at the top of its tree."""
        return self.metadata.labels.get(ROOT_LABEL, self.metadata.name)

    @property
    def title(self) -> str:
        """What people call this run: its own title, else what it runs."""
        return self.status.title or self.spec.title or self.target

    @property
    def target(self) -> str:
        """What it runs: the Flow's name, the connector's name or type, or `script`."""
        if self.spec.flow is not None:
            return self.spec.flow
        if self.spec.connection is not None:
            return self.spec.connection.connector or self.spec.connection.type or ""
        return "script"


END_CONDITIONS: dict[Phase, tuple[ConditionType, ...]] = {
    Phase.SUCCEEDED: (ConditionType.SUCCEEDED, ConditionType.ENDED),
    Phase.FAILED: (ConditionType.FAILED, ConditionType.ENDED),
    Phase.CANCELLED: (ConditionType.ENDED,),
}
