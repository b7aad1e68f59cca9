"""The Execution: one run of a flow, of a script, or of a connection."""

from typing import Annotated, ClassVar

from pydantic import Field

from weir.api.execution_status import ExecutionStatus, StoredValue
from weir.api.flow import MAX_SCRIPT
from weir.api.names import ROOT_LABEL
from weir.api.phases import NEXT, DesiredState, Mode, Phase
from weir.api.reasons import ConditionType
from weir.api.resource import AnyObject, Duration, Model, Resource

MAX_INLINE_INPUTS = 64 * 1024
MAX_INLINE_OUTPUTS = 32 * 1024


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
