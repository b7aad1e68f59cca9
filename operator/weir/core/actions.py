"""What can be done about an Execution. Each action says in words why it is proposed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from weir.api.phases import Mode, Phase
from weir.api.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class StartPod:
    """Make the Pod of an attempt, then move to Starting."""

    attempt: int
    losses: int = 0  # Pods that the try has lost so far
    reason: Reason | None = None  # of the status, where an earlier attempt was lost
    message: str | None = None
    description: str


@dataclass(frozen=True, kw_only=True)
class Move:
    """Write the status: another phase, or other facts about the same one."""

    phase: Phase
    reason: Reason | None
    message: str | None  # its description too: what the status will say; None: as it was
    fields: dict[str, Any] = field(default_factory=dict)  # of ExecutionStatus, by Python name


@dataclass(frozen=True, kw_only=True)
class DeletePod:
    """Delete a Pod that the Execution has no use for."""

    pod: str
    uid: str
    description: str


@dataclass(frozen=True, kw_only=True)
class RequestCancel:
    """Set the Execution's own desiredState to Cancelled: its parent ended."""

    description: str


@dataclass(frozen=True, kw_only=True)
class LabelMode:
    """Let the Execution's label say its mode."""

    mode: Mode
    description: str


@dataclass(frozen=True, kw_only=True)
class LookAgain:
    """Nothing to do before this moment, unless something changes."""

    at: datetime
    description: str


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """Nothing to do until something changes."""

    description: str


Action: TypeAlias = StartPod | Move | DeletePod | RequestCancel | LabelMode | LookAgain | Nothing
