"""All executions of one process: how they begin, how they end, and who ends with whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

from flow_api import ExecutionCancel
from weir_local import interrupting
from weir_local.clock import Clock
from weir_local.errors import LeftBehind
from weir_local.execution import Execution, Spec, cut
from weir_local.naming import root_name, uid_of
from weir_local.phases import Phase
from weir_local.scheduler import Scheduler
from weir_protocol import Cause
from weir_protocol.arguments import JsonObject
from weir_protocol.naming import child_name

# What a cancelled script has for its clean-up.
GRACE = 15.0


class World(Scheduler):
    """All executions.

    Parameters:
        clock: What time it is.
        grace: Seconds that a cancelled script has for its clean-up.

    Attributes:
        executions: By UID.
        deleted: Names, by UID.
        starts: Starts the thread of an execution; set by whoever knows how to run one.
    """

    def __init__(self, clock: Clock, *, grace: float = GRACE) -> None:
        super().__init__(clock)
        self.executions: dict[str, Execution] = {}
        self.deleted: dict[str, str] = {}
        self.starts: Callable[[Execution], None] = _unset
        self._grace = grace
        self._roots = 0

    # Making executions

    def make_root(self, spec: Spec, mode: Literal["Productive", "Development"]) -> Execution:
        """Make an execution that nobody started."""
        with self.lock:
            self._roots += 1
            name = root_name(spec.target, self._roots)
            return self._made(Execution(uid=uid_of(name), name=name, spec=spec, mode=mode))

    def make_child(self, parent: Execution, sequence: int, spec: Spec) -> Execution:
        """Make an execution that another one starts."""
        with self.lock:
            name = child_name(spec.target, parent.uid, 1, sequence)
            child = Execution(
                uid=uid_of(parent.uid, sequence),
                name=name,
                spec=spec,
                parent=parent,
                sequence=sequence,
                mode=parent.mode,
            )
            parent.children.append(child)
            return self._made(child)

    def _made(self, execution: Execution) -> Execution:
        execution.created = self.clock.now()
        self.executions[execution.uid] = execution
        return execution

    def start(self, execution: Execution) -> None:
        """Start an execution that has not been started; any other is left as it is."""
        with self.lock:
            if execution.phase != "Pending" or execution.desired == "Cancelled":
                return
            execution.desired = "Running"
            execution.reason = execution.message = None
            self.starts(execution)
            self.wake()

    def begins(self, execution: Execution, limit: float | None) -> None:
        """Note that an execution's thread works from now on, for so many seconds at most."""
        with self.lock:
            self._threads.add(execution)
            execution.phase = "Running"
            execution.started = self.clock.now()
            if limit is not None:
                execution.deadline = execution.started + limit
                self._set_alarm(execution)

    def leaves(self, execution: Execution) -> None:
        """Note that an execution's thread is done."""
        with self.lock:
            self._threads.discard(execution)
            execution.over.set()
            if execution.alarm is not None:
                execution.alarm.cancel()
            self.wake()

    # Ends

    def end(
        self,
        execution: Execution,
        phase: Phase,
        reason: str | None,
        message: str | None,
        *,
        outputs: JsonObject | None = None,
        cause: Cause | None = None,
    ) -> None:
        """End an execution; one that has ended is left as it is. A message of None keeps the one
        that was saved, unless the reason is another one.
        """
        with self.lock:
            if execution.is_final:
                return
            if message is not None or reason != execution.reason:
                execution.message = cut(message)
            execution.phase, execution.reason, execution.cause = phase, reason, cause
            execution.ended = self.clock.now()
            execution.waits_since = execution.paused_since = None
            if outputs is not None:
                execution.outputs = outputs
            for child in execution.children:
                self._parent_ended(child, phase)
            self.wake()

    def _parent_ended(self, child: Execution, phase: Phase) -> None:
        if child.is_final or child.spec.orphan:
            return
        if phase != "Succeeded" or child.started is None:
            self.cancel(child)

    def cancel(self, execution: Execution) -> None:
        """Ask an execution to end; its script has a grace for its clean-up."""
        with self.lock:
            if execution.is_final or execution.desired == "Cancelled":
                return
            execution.desired = "Cancelled"
            if execution.started is None:
                self.end(execution, "Cancelled", "Cancelled", "cancelled before it started")
            else:
                self._stop(execution, "Cancelled")

    def pause(self, execution: Execution) -> None:
        """Ask an execution to be held at its next operation."""
        self._desire(execution, "Paused")

    def resume(self, execution: Execution) -> None:
        """Start an execution that was only made, or let a paused one go on."""
        with self.lock:
            self._desire(execution, "Running")
            self.start(execution)

    def delete(self, execution: Execution) -> None:
        """Take an execution away, with all below it; what runs is stopped."""
        with self.lock:
            for child in execution.children:
                self.delete(child)
            execution.is_deleted = True
            self.cancel(execution)
            if self.executions.pop(execution.uid, None) is not None:
                self.deleted[execution.uid] = execution.name
            self.wake()

    def _desire(self, execution: Execution, state: Literal["Running", "Paused"]) -> None:
        with self.lock:
            if not execution.is_final and execution.desired != "Cancelled":
                execution.desired = state
                self.wake()

    def _stop(self, execution: Execution, why: Literal["Cancelled", "TimedOut"]) -> None:
        execution.stop = why
        self.wake()
        threading.Thread(
            target=self._insist, args=(execution,), name="weir-interrupt", daemon=True
        ).start()

    def _insist(self, execution: Execution) -> None:
        """Tell a script that computes, and end its execution when the grace is over."""
        until = time.monotonic() + self._grace
        while not execution.over.wait(interrupting.INSIST):
            if execution.interrupt is not None and not execution.stop_told:
                execution.interrupt()
            if time.monotonic() >= until:
                message = "cancelled; the script did not end by itself in time"
                self.end(execution, "Cancelled", "Cancelled", message)
                self.leaves(execution)

    # Time

    def _is_held(self, execution: Execution, is_first: bool) -> bool:
        """Whether a script is paused. Raises ExecutionCancel when it is to stop, and LeftBehind in
        another thread of one that has ended.
        """
        if is_first and execution.stop is not None and not execution.stop_told:
            execution.stop_told = True
            raise ExecutionCancel(interrupting.MESSAGE)
        if execution.is_final:
            if not is_first:
                raise LeftBehind
            return False
        if execution.desired == "Paused":
            if execution.phase != "Paused":
                execution.phase = "Paused"
                execution.paused_since = self.clock.now()
                self.wake()
            return True
        if execution.phase == "Paused":
            execution.phase = "Running"
            if execution.deadline is not None and execution.paused_since is not None:
                execution.deadline += self.clock.now() - execution.paused_since
            execution.paused_since = None
            self.wake()
        return False

    def _deadlines(self) -> Iterator[float]:
        for one in self.executions.values():
            if one.deadline is not None and not one.is_final and one.phase != "Paused":
                yield one.deadline

    def _set_alarm(self, execution: Execution) -> None:
        """Look again at the deadline, whether or not anybody waits then."""
        left = (execution.deadline or 0.0) - self.clock.now()
        alarm = threading.Timer(max(left, 0.01), self._on_alarm, (execution,))
        alarm.daemon = True
        alarm.start()
        execution.alarm = alarm

    def _on_alarm(self, execution: Execution) -> None:
        with self.lock:
            self._ring()
            if not execution.is_final:
                self._set_alarm(execution)  # it was paused for a while

    def _ring(self) -> None:
        """End what has taken too long."""
        now = self.clock.now()
        for one in list(self.executions.values()):
            late = one.deadline is not None and now >= one.deadline
            if late and not one.is_final and one.phase != "Paused":
                limit = one.spec.flow.timeout if one.spec.flow else None
                message = f"the run took longer than {limit or 'its timeout'}"
                self.end(one, "Failed", "TimedOut", message)
                self._stop(one, "TimedOut")


def _unset(execution: Execution) -> None:
    raise NotImplementedError(f"nothing starts executions, so not {execution.name} either")
