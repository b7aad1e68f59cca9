"""The messages that a runner and the server exchange: HTTP/JSON over TLS, `POST` below `PATH`.

Both sides import this module, so it knows nothing but the standard library. A message is a frozen
dataclass; `encode` makes JSON-ready data of it and `decode` makes it again. `decode` ignores fields
that it does not know: within one protocol version either side may be the newer one.

    POST assignment   Ask        -> Assignment, or 204 when there is no work yet (ask again)
    POST operations   Operation  -> Answer; `pending` means: send the same operation again
    POST logs         LogBatch   -> {}
    POST control      Ask        -> Control; a long poll, empty when nothing happened
    POST end          End        -> {}; the runner leaves only when this is acknowledged

A refusal is an HTTP status with a `Refusal` body. 403 and 409 are final (wrong token, stale
attempt, ended execution); 429 and 5xx are retried with the same body, which is safe since an
operation carries its sequence number.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

from weir_protocol.arguments import JsonObject, OperationKind

PATH = "/runner/v1"
AUDIENCE = "weir-server"

# Seconds that the server holds a long poll. Below the 30 s after which common proxies cut an idle
# request.
POLL_SECONDS = 20.0

# The runner's exit code when it gave up on the server: a lost Pod, not a failed script
# (EX_TEMPFAIL).
EXIT_SERVER_LOST = 75

LogStream: TypeAlias = Literal["log", "stdout", "stderr", "traceback", "system"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """Which attempt is asking.

    All fields are empty in a Pod's first request: it cannot know yet.
    """

    uid: str = ""
    try_number: int = 0
    attempt: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """The execution at the bottom of a failure: the leaf that failed first, and why."""

    execution: str  # object name
    title: str  # what people call it: its title, else its flow or connection type
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionView:
    """An execution as scripts may read it. Times are ISO 8601 in UTC."""

    uid: str
    name: str  # object name, unique in the namespace
    title: str
    type: Literal["FLOW", "SCRIPT", "CONNECTION"]
    status: str  # the script's word for the phase: NEW, RUNNING, ENDED_SUCCESS, …
    phase: str
    reason: str | None = None
    message: str | None = None
    description: str | None = None
    flow_name: str | None = None
    connector_name: str | None = None
    connector_type: str | None = None
    parent_id: str | None = None
    is_productive: bool = True
    created_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    input_value: JsonObject | None = None
    output_value: JsonObject | None = None
    cause: Cause | None = None
    try_number: int = 1
    schedule_name: str | None = None  # object name of the Schedule that started it
    scheduled_for: str | None = None  # when it was due
    webhook_name: str | None = None  # object name of the Webhook that started it


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """What a connection run needs:

    its type, all inputs (secrets among them), and which of them are secret.
    """

    type: str
    inputs: JsonObject
    secret_inputs: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """The work of one attempt of one Execution."""

    namespace: str
    execution: ExecutionView
    try_number: int
    attempt: int
    script: str | None = None  # flows and scripts
    script_name: str = "script.py"  # how tracebacks name the script
    connection: Connection | None = None
    inputs: JsonObject = field(default_factory=dict)
    seed: str = ""  # random is seeded by it, so that a resumed run draws the same numbers
    resumed: bool = False  # the journal may hold operations of an earlier attempt
    server_patience: float = 600.0  # seconds without the server before the runner gives up
    # bytes of log text kept for one try; what follows is dropped, and said
    log_limit: int = 10 * 2**20
    output_limit: int = 16 * 2**20  # bytes of JSON
    requirements: list[str] = field(default_factory=list)  # PEP 508, to be installed first
    environment: str = ""  # what system.get_env_name() answers
    user: str = ""  # who made the root of this tree, where that is known


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One effect that a script asks for. `sequence` counts from 1 in program order."""

    uid: str
    try_number: int
    attempt: int
    sequence: int
    kind: OperationKind
    arguments: JsonObject  # the fields of ARGUMENTS[kind]
    line: int | None = None  # of the script: named when a resumed run diverges
    thread: bool = False  # asked by another thread than the script's first: no resume from here on
    logs: list[LogLine] = field(default_factory=list)  # what was logged since the last request


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorInfo:
    """An error to raise in the script: the name of a flow_api exception, and what it says."""

    type: str
    message: str
    execution: ExecutionView | None = None  # the failed child of a DependencyFailedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of an operation.

    A `child`, `run`, `read` answers one execution, a `wait` those that ended. `open` answers a
    `once` that has no record yet. `hibernate`: leave at once; the run goes on in another Pod.
    """

    state: Literal["done", "pending", "failed", "open", "hibernate"]
    executions: list[ExecutionView] = field(default_factory=list)
    error: ErrorInfo | None = None
    value: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One entry of the log.

    (after, index) is its key within a try: a resumed run's repetitions are dropped.
    """

    after: int  # sequence of the last operation before it
    index: int  # counts from 0 after each operation
    time: float  # Unix time
    stream: LogStream
    text: str = ""
    data: JsonObject | None = None  # values given by name to this.log()


@dataclass(frozen=True, kw_only=True, slots=True)
class LogBatch:
    """Log lines of a running script."""

    uid: str
    try_number: int
    attempt: int
    lines: list[LogLine]


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """Why a running script should stop; None: no news."""

    stop: Literal["Cancelled", "TimedOut", "Gone"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How the script ended. `reason` is one of the API's reasons; empty for a success."""

    uid: str
    try_number: int
    attempt: int
    status: Literal["success", "error", "cancelled"]
    reason: str = ""
    message: str | None = None
    outputs: JsonObject | None = None
    cause: Cause | None = None
    started: float = 0.0  # Unix time at which the handler was called
    logs: list[LogLine] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """The body of every 4xx and 5xx answer."""

    code: str  # one word: Unauthorized, Fenced, Ended, InvalidRequest, TooLarge, Unavailable
    message: str


Message = TypeVar("Message")

# Fields that hold messages; all others hold plain JSON.
_NESTED: dict[str, type[Any]] = {
    "execution": ExecutionView,
    "executions": ExecutionView,
    "connection": Connection,
    "cause": Cause,
    "error": ErrorInfo,
    "lines": LogLine,
    "logs": LogLine,
}


def encode(message: Any) -> JsonObject:
    """Return a message as JSON-ready data."""
    return dataclasses.asdict(message)


def decode(kind: type[Message], data: JsonObject) -> Message:
    """Make a message of JSON data. Unknown fields are ignored; a missing one raises TypeError."""
    values: JsonObject = {}
    for known in dataclasses.fields(kind):  # type: ignore[arg-type]
        if known.name not in data:
            continue
        value = data[known.name]
        nested = _NESTED.get(known.name)
        if nested is not None and isinstance(value, dict):
            value = decode(nested, value)
        elif nested is not None and isinstance(value, list):
            value = [decode(nested, item) for item in value]
        values[known.name] = value
    return kind(**values)
