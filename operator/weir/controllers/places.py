"""Who takes the places that limits are about, and who waits for one."""

from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core.queueing import FlowKey, Load, Ticket, turns

_IN_LINE = frozenset({None, Reason.WOKEN, Reason.FLOW_LIMIT, Reason.CLUSTER_LIMIT})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Start(NamedTuple):
    """A start that is under way: its place is taken before its status says so."""

    flow: FlowKey | None
    revision: str | None


class Places:
    """The places of all live Executions, by their UIDs."""

    def __init__(self, cluster_limit: int = 0) -> None:
        self._cluster_limit = cluster_limit
        self._limits: dict[FlowKey, int] = {}
        self._takers: dict[str, FlowKey | None] = {}  # by their status, or by a Pod of theirs
        self._starting: set[str] = set()
        self._waiting: dict[str, Ticket] = {}
        self._counted: dict[str, FlowKey | None] = {}
        self._active: Counter[FlowKey] = Counter()
        self.starts: dict[str, Start] = {}
        """Starts under way."""

    def set_limit(self, flow: FlowKey, limit: int | None) -> None:
        """Note how many runs of a Flow may be active at once; None: any number."""
        if limit is None:
            self._limits.pop(flow, None)
        else:
            self._limits[flow] = limit

    def see(self, execution: Execution, flow: FlowKey | None, *, has_pod: bool) -> None:
        """Take in a live Execution as it is now.

        `has_pod`: the Pod of its next attempt is there, though its status does not name it yet.
        """
        uid, phase = execution.uid, execution.phase
        self.drop(uid)
        # A Pod without a status that names it: its maker died between the two writes.
        left_behind = has_pod and phase in (Phase.PENDING, Phase.QUEUED)
        if phase in (Phase.STARTING, Phase.RUNNING) or left_behind:
            self._takers[uid] = flow
        if phase == Phase.STARTING:
            self._starting.add(uid)
        waits = phase == Phase.QUEUED and execution.status.reason in _IN_LINE
        if waits and execution.spec.desired_state == DesiredState.RUNNING:
            self._waiting[uid] = ticket_of(execution, flow)
        self._recount(uid)

    def drop(self, uid: str) -> None:
        """Take out an Execution that ended or is gone."""
        self._takers.pop(uid, None)
        self._starting.discard(uid)
        self._waiting.pop(uid, None)
        self._recount(uid)

    def begin_start(self, uid: str, start: Start) -> None:
        """Take a place for a run whose Pod is about to be made."""
        self.starts[uid] = start
        self._recount(uid)

    def end_start(self, uid: str) -> None:
        """Give the place back, or leave it to the status that now says so."""
        self.starts.pop(uid, None)
        self._recount(uid)

    def is_counted(self, uid: str) -> bool:
        """Whether an Execution takes a place."""
        return uid in self._counted

    @property
    def is_starting(self) -> bool:
        """Whether any run is on its way to its script."""
        return bool(self._starting or self.starts)

    def load(self) -> Load:
        """Return what runs now and how much may."""
        return Load(self._active, len(self._counted), self._limits, self._cluster_limit)

    def in_line(self) -> list[Ticket]:
        """Return the tickets of all runs that wait for a place."""
        return list(self._waiting.values())

    def next_in_line(self) -> list[str]:
        """Return the waiting runs that limits let start now."""
        return turns(self._waiting.values(), self.load()) if self._waiting else []

    def _recount(self, uid: str) -> None:
        if uid in self._counted:
            flow = self._counted.pop(uid)
            if flow is not None:
                self._active[flow] -= 1
        if uid in self.starts:
            self._count(uid, self.starts[uid].flow)
        elif uid in self._takers:
            self._count(uid, self._takers[uid])

    def _count(self, uid: str, flow: FlowKey | None) -> None:
        self._counted[uid] = flow
        if flow is not None:
            self._active[flow] += 1


def ticket_of(execution: Execution, flow: FlowKey | None) -> Ticket:
    """Return the place of an Execution in the queue."""
    created = execution.metadata.creation_timestamp or _LONG_AGO
    return Ticket(-execution.spec.priority, created, execution.uid, flow)
