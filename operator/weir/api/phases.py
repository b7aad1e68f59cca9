"""The phases of an Execution and the moves between them:

the one table that the CRD's rules are made from.
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where an Execution stands."""

    PENDING = "Pending"  # seen; its Flow, inputs or start are not settled yet
    QUEUED = "Queued"  # may run as soon as a limit allows
    STARTING = "Starting"  # has a Pod
    RUNNING = "Running"  # its script runs
    WAITING = "Waiting"  # its script waits for something longer than a second
    PAUSED = "Paused"  # held by a person or by the script itself
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """Whether no move leads out of this phase."""
        return not NEXT[self]

    @property
    def holds_pod(self) -> bool:
        """Whether an Execution in this phase has a runner Pod of its own, in general."""
        return self in (Phase.STARTING, Phase.RUNNING, Phase.WAITING)

    @property
    def script_status(self) -> str:
        """The word for this phase that scripts read."""
        return _SCRIPT_STATUS[self]

    def can_move_to(self, other: "Phase") -> bool:
        """Whether the table allows the move. Staying is no move."""
        return other in NEXT[self]


_ENDS = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})

# A row may skip phases that were too short to be written.
NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset(
        {
            Phase.QUEUED,
            Phase.STARTING,
            Phase.WAITING,
            Phase.PAUSED,
            Phase.FAILED,
            Phase.CANCELLED,
        }
    ),
    Phase.QUEUED: frozenset({Phase.STARTING, Phase.PAUSED, Phase.FAILED, Phase.CANCELLED}),
    Phase.STARTING: frozenset({Phase.RUNNING, Phase.WAITING, Phase.QUEUED, Phase.PAUSED}) | _ENDS,
    Phase.RUNNING: frozenset({Phase.WAITING, Phase.PAUSED, Phase.QUEUED, Phase.STARTING}) | _ENDS,
    Phase.WAITING: frozenset({Phase.RUNNING, Phase.PAUSED, Phase.QUEUED, Phase.STARTING}) | _ENDS,
    Phase.PAUSED: frozenset(
        {Phase.PENDING, Phase.QUEUED, Phase.STARTING, Phase.RUNNING, Phase.WAITING}
    )
    | _ENDS,
    Phase.SUCCEEDED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.CANCELLED: frozenset(),
}

_SCRIPT_STATUS = {
    Phase.PENDING: "NEW",
    Phase.QUEUED: "NEW",
    Phase.STARTING: "NEW",
    Phase.RUNNING: "RUNNING",
    Phase.WAITING: "WAITING",
    Phase.PAUSED: "PAUSED",
    Phase.SUCCEEDED: "ENDED_SUCCESS",
    Phase.FAILED: "ENDED_ERROR",
    Phase.CANCELLED: "ENDED_CANCELLED",
}


class DesiredState(StrEnum):
    """What people ask of an Execution; the one part of its spec that may change."""

    RUNNING = "Running"
    PAUSED = "Paused"
    CANCELLED = "Cancelled"


class Mode(StrEnum):
    """Whether a run counts. A Development run may be made Productive, never the other way."""

    PRODUCTIVE = "Productive"
    DEVELOPMENT = "Development"
