"""A local execution: what it was asked to do, what became of it, and how scripts see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from weir_local.phases import FINAL, SCRIPT_STATUS, Phase
from weir_protocol import Cause, ExecutionView, LogLine
from weir_protocol.arguments import JsonObject

if TYPE_CHECKING:
    from weir_local.connections import Prepared
    from weir_local.flows import Flow

# As on a cluster, a wait that is over sooner is not shown.
SHOWN_AFTER = 1.0

MAX_MESSAGE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What an execution was asked to do. Exactly one of flow, script and connection is set."""

    flow: Flow | None = None
    script: str | None = None
    connection: Prepared | None = None
    inputs: JsonObject = field(default_factory=dict)
    title: str | None = None
    orphan: bool = False
    protect_inputs: tuple[str, ...] = ()
    protect_outputs: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """What it runs: the flow's name, the connector's name or type, or `script`."""
        if self.flow is not None:
            return self.flow.name
        if self.connection is not None:
            return self.connection.connector or self.connection.type
        return "script"


@dataclass(eq=False, kw_only=True, slots=True)
class Execution:
    """One run. All but `spec` and names changes while the world's lock is held only."""

    uid: str
    name: str
    spec: Spec
    parent: Execution | None = None
    sequence: int = 0  # the parent's operation that made it
    created: float = 0.0  # Unix time
    mode: Literal["Productive", "Development"] = "Productive"
    phase: Phase = "Pending"
    reason: str | None = None
    message: str | None = None
    title: str | None = None
    description: str | None = None
    outputs: JsonObject = field(default_factory=dict)
    cause: Cause | None = None
    started: float | None = None
    ended: float | None = None
    deadline: float | None = None  # when it fails with TimedOut
    desired: Literal["Running", "Paused", "Cancelled"] = "Running"
    waits_since: float | None = None
    waits_for: str = ""
    paused_since: float | None = None
    stop: Literal["Cancelled", "TimedOut"] | None = None  # what its script is to be told
    stop_told: bool = False
    is_archived: bool = False
    is_deleted: bool = False
    slept: float = 0.0  # seconds
    error: BaseException | None = None  # what its script let go
    children: list[Execution] = field(default_factory=list)
    log: list[LogLine] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)  # its script has returned
    thread: int = 0  # the thread that runs its script; the script may have others
    alarm: threading.Timer | None = None
    interrupt: Callable[[], None] | None = None  # asks its script to stop, where that can be

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.phase in FINAL

    @property
    def root(self) -> Execution:
        """The execution at the top of its tree."""
        return self if self.parent is None else self.parent.root

    @property
    def depth(self) -> int:
        """How many executions stand above this one."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def called(self) -> str:
        """What people call it: its own title, else what it runs."""
        return self.title or self.spec.title or self.spec.target

    def phase_at(self, now: float) -> Phase:
        """Return the phase as it is shown: a wait counts from a second on."""
        if self.phase == "Running" and self.waits_since is not None:
            return "Waiting" if now >= self.waits_since + SHOWN_AFTER else "Running"
        return self.phase


def view(execution: Execution, now: float, *, values: bool = True) -> ExecutionView:
    """Return an execution as scripts read it; with `values` the outputs of an ended one."""
    spec = execution.spec
    phase = execution.phase_at(now)
    connection = spec.connection
    return ExecutionView(
        uid=execution.uid,
        name=execution.name,
        title=execution.called,
        type="CONNECTION" if connection else "SCRIPT" if spec.flow is None else "FLOW",
        status=SCRIPT_STATUS[phase],
        phase=phase,
        reason=execution.reason,
        message=execution.message,
        description=execution.description,
        flow_name=spec.flow.name if spec.flow else None,
        connector_name=connection.connector if connection else None,
        connector_type=connection.type if connection else None,
        parent_id=execution.parent.uid if execution.parent else None,
        is_productive=execution.mode == "Productive",
        created_at=_time(execution.created),
        started_at=_time(execution.started),
        ended_at=_time(execution.ended),
        output_value=execution.outputs if values and execution.is_final else None,
        cause=cause_of(execution) if execution.is_final else None,
    )


def full_view(execution: Execution, now: float) -> ExecutionView:
    """Return an execution with its inputs and outputs, as they are now."""
    from dataclasses import replace

    return replace(
        view(execution, now),
        input_value=execution.spec.inputs,
        output_value=execution.outputs,
    )


def cause_of(execution: Execution) -> Cause | None:
    """Return the leaf that an ended run failed for: itself, unless it names another."""
    if execution.phase == "Succeeded":
        return None
    if execution.cause is not None:
        return execution.cause
    unsaid = "it was cancelled" if execution.phase == "Cancelled" else "it gave no reason"
    return Cause(
        execution=execution.name, title=execution.called, message=execution.message or unsaid
    )


def cut(message: str | None, limit: int = MAX_MESSAGE) -> str | None:
    """Shorten a message to what a status may hold."""
    if message is None or len(message) <= limit:
        return message
    return message[: limit - 1] + "…"


def moment(time: float) -> str:
    """Return a Unix time as ISO 8601, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def at_second(time: float) -> str:
    """Return a Unix time as Kubernetes writes it, in whole seconds."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(time: float | None) -> str | None:
    return None if time is None else moment(time)
