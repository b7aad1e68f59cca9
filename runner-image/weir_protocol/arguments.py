"""What each kind of operation asks for: its arguments, as a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

ReturnWhen: TypeAlias = Literal["ALL_SUCCEEDED", "ALL_ENDED", "FIRST_ENDED"]
RecordKind: TypeAlias = Literal[
    "setting", "file", "schema", "message", "flow", "connector", "execution", "schedule", "webhook"
]
OperationKind: TypeAlias = Literal[
    "child",
    "run",
    "wait",
    "read",
    "save",
    "cancel",
    "pause",
    "delete",
    "archive",
    "children",
    "cached",
    "sleep",
    "once",
    "message",
    "response",
    "acquire",
    "release",
    "get_record",
    "list_records",
    "save_record",
    "delete_record",
    "validate",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildArguments:
    """Create a child, and start it unless `run` is False.

    Exactly one of flow, script, and connector/type is set.
    """

    flow: str | None = None
    script: str | None = None
    connector: str | None = None
    connector_type: str | None = None
    inputs: JsonObject = field(default_factory=dict)
    title: str | None = None
    run: bool = True
    orphan: bool = False
    protect_inputs: list[str] = field(default_factory=list)
    protect_outputs: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunArguments:
    """Start an execution that was created with `run=False`, or resume a paused one.

    One that runs or has ended is left as it is.
    """

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitArguments:
    """Wait for executions. `timeout` is in seconds, counted from the operation's first arrival."""

    uids: list[str]
    return_when: ReturnWhen = "ALL_SUCCEEDED"
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadArguments:
    """Read one execution afresh, outputs and inputs included."""

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SaveArguments:
    """Store facts about the caller itself; None leaves a fact as it is."""

    message: str | None = None
    title: str | None = None
    description: str | None = None
    outputs: JsonObject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelArguments:
    """Cancel an execution of the caller's own tree."""

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseArguments:
    """Pause an execution of the caller's own tree, or the caller itself.

    Another's answer comes at once, with that execution. The caller's own comes when a person (or
    another run) has resumed it.
    """

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteArguments:
    """Delete an execution of the caller's own tree, below the caller, with all below it."""

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveArguments:
    """Hide an ended execution of the caller's own tree from lists, such as a try that failed."""

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildrenArguments:
    """List the children of an execution of the caller's own tree, oldest first.

    The answer is recorded: a resumed run sees the same ones.
    """

    uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedArguments:
    """Find the newest execution in the namespace that succeeded with the same target and inputs and
    ended within the last `max_age` seconds.

    Targets are those of ChildArguments. The answer has that execution, values included, or none.
    """

    flow: str | None = None
    script: str | None = None
    connector: str | None = None
    connector_type: str | None = None
    inputs: JsonObject = field(default_factory=dict)
    max_age: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SleepArguments:
    """Be answered when the time has come; exactly one of both is given.

    `seconds` count from the operation's first arrival, so a resumed run sleeps no longer.
    """

    seconds: float | None = None
    until: float | None = None  # Unix time


@dataclass(frozen=True, kw_only=True, slots=True)
class OnceArguments:
    """Record what a function of the script returned, or raised.

    `ask` is answered with the record (`done`: Answer.value; `failed`: Answer.error), or `open`:
    there is none, so call the function and send `done` or `failed` under the same number.
    A run that is not resumed may leave `ask` out.
    """

    name: str  # of the function: the target
    step: Literal["ask", "done", "failed"]
    value: Any = None
    error_type: str | None = None  # name of the class of what it raised
    error_message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageArguments:
    """Ask people. The answer's value is `{"name": …}`, the Message's object name.

    `body` is the form, a JSON-schema-like object (docs/messages.md), `message` Markdown. `request`
    asks for one text. Without both the form is an OK button.
    """

    subject: str
    message: str | None = None
    request: str | None = None
    body: JsonObject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResponseArguments:
    """Wait for the response to a Message of the caller's own. The answer's value is the response.

    Fails with MessageResponseTimeoutError after `timeout` seconds, counted from the operation's
    first arrival.
    """

    name: str
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AcquireArguments:
    """Take a Setting's lock; it is made where there is no such Setting. The holder may take it
    again: that is answered at once.

    Fails with LockTimeoutError after `timeout` seconds. A lock is freed when its holder ends,
    however it ends.
    """

    name: str
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseArguments:
    """Free a Setting's lock, whoever in the caller's tree holds it. A free one is left as it is."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GetRecordArguments:
    """Read a record by object name, title or slug.

    The answer's value is its fields, `name` among them; `failed` with ResourceNotFoundError. What
    was read is recorded. Without `content` a file's may be left out.
    """

    kind: RecordKind
    name: str
    content: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ListRecordsArguments:
    """List the records of a kind in the namespace, by name. The answer's value is a list of names.

    `filter` is None or `{"field": …, "op": "eq" | "like" | …, "value": …}`, or
    `{"and": [filter, …]}` or `{"or": [filter, …]}`; see docs/flow_api.md.
    """

    kind: RecordKind
    filter: JsonObject | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SaveRecordArguments:
    """Create a record, or overwrite the given fields of the one of that name.

    The answer's value is its fields. A file's `content` is base64.
    """

    kind: RecordKind
    name: str
    fields: JsonObject


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteRecordArguments:
    """Delete a record; one that is not there fails with ResourceNotFoundError."""

    kind: RecordKind
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidateArguments:
    """Check a value against a stored Schema.

    With `coerce` it is bent towards the Schema before, and the answer's value is what came of that;
    else the answer has no value.

    Fails with SchemaValidationError, with SchemaError where the Schema itself is not valid, and
    with ResourceNotFoundError.
    """

    name: str
    value: Any
    coerce: bool = False


ARGUMENTS: dict[OperationKind, type[Any]] = {
    "child": ChildArguments,
    "run": RunArguments,
    "wait": WaitArguments,
    "read": ReadArguments,
    "save": SaveArguments,
    "cancel": CancelArguments,
    "pause": PauseArguments,
    "delete": DeleteArguments,
    "archive": ArchiveArguments,
    "children": ChildrenArguments,
    "cached": CachedArguments,
    "sleep": SleepArguments,
    "once": OnceArguments,
    "message": MessageArguments,
    "response": ResponseArguments,
    "acquire": AcquireArguments,
    "release": ReleaseArguments,
    "get_record": GetRecordArguments,
    "list_records": ListRecordsArguments,
    "save_record": SaveRecordArguments,
    "delete_record": DeleteRecordArguments,
    "validate": ValidateArguments,
}
