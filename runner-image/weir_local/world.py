"""All executions of one process: who waits for what, what time it is, and who ends with whom.

Everything here happens under one lock, and whoever waits is woken by every change. That makes it
known when everybody waits: then the clock may jump, or nothing will ever happen again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flow_api import ExecutionCancel
from weir_local import interrupting
from weir_local.clock import Clock
from weir_local.errors import LeftBehind, NothingHappens
from weir_local.execution import Execution, Spec, cut
from weir_local.naming import root_name, uid_of
from weir_local.phases import Phase
from weir_protocol import Cause
from weir_protocol.arguments import JsonObject
from weir_protocol.naming import child_name

Found = TypeVar("Found")

# What a cancelled script has for its clean-up.
GRACE = 15.0


@dataclass(eq=False, slots=True)
class _Waiter:
    """A thread that waits."""

    over: Callable[[], Any]
    deadline: float | None
    execution: Execution | None
    is_first: bool  # whether it is the thread that runs the script

    @property
    def is_held(self) -> bool:
        """Whether its execution is paused: then no time and no event lets it go on."""
        return self.execution is not None and self.execution.desired == "Paused"

    def is_ready(self, now: float) -> bool:
        """Whether it goes on as soon as it gets the lock."""
        execution = self.execution
        if execution is not None:
            is_told = execution.stop is not None and not execution.stop_told and self.is_first
            if is_told or execution.is_final:
                return True
            if self.is_held or execution.phase == "Paused":
                # It is to note that it is paused, or that it is so no longer.
                return self.is_held != (execution.phase == "Paused")
        return self.over() is not None or (self.deadline is not None and now >= self.deadline)


class World:
    """Executions and time.

    Parameters:
        clock: What time it is.
        grace: Seconds that a cancelled script has for its clean-up.

    Attributes:
        changed: Held by whoever looks at or changes an execution; notified of each change.
        starts: Starts the thread of an execution; set by whoever knows how to run one.
        ended: Called with each execution that has ended, under the lock.
    """

    def __init__(self, clock: Clock, *, grace: float = GRACE) -> None:
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self.executions: dict[str, Execution] = {}
        self.deleted: dict[str, str] = {}  # UID -> name
        self.starts: Callable[[Execution], None] = _unset
        self.ended: Callable[[Execution], None] = lambda execution: None
        self._grace = grace
        self._waiters: list[_Waiter] = []
        self._threads: set[Execution] = set()  # whose scripts run
        self._outside = 1  # the caller's own thread, and others that may change something
        self._roots = 0
        self._is_stuck = False

    # Making executions

    def make_root(self, spec: Spec, mode: Literal["Productive", "Development"]) -> Execution:
        """Make an execution that nobody started."""
        with self.changed:
            self._roots += 1
            name = root_name(spec.target, self._roots)
            return self._made(Execution(uid=uid_of(name), name=name, spec=spec, mode=mode))

    def make_child(self, parent: Execution, sequence: int, spec: Spec) -> Execution:
        """Make an execution that another one starts."""
        with self.changed:
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
        with self.changed:
            if execution.phase != "Pending" or execution.desired == "Cancelled":
                return
            execution.desired = "Running"
            execution.reason = execution.message = None
            self.starts(execution)
            self.wake()

    def begins(self, execution: Execution, limit: float | None) -> None:
        """Note that an execution's thread works from now on, for so many seconds at most."""
        with self.changed:
            self._threads.add(execution)
            execution.phase = "Running"
            execution.started = self.clock.now()
            if limit is not None:
                execution.deadline = execution.started + limit
                self._set_alarm(execution)

    def leaves(self, execution: Execution) -> None:
        """Note that an execution's thread is done."""
        with self.changed:
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
        with self.changed:
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
            self.ended(execution)
            self.wake()

    def _parent_ended(self, child: Execution, phase: Phase) -> None:
        if child.is_final or child.spec.orphan:
            return
        if phase != "Succeeded" or child.started is None:
            self.cancel(child)

    def cancel(self, execution: Execution) -> None:
        """Ask an execution to end; its script has a grace for its clean-up."""
        with self.changed:
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
        with self.changed:
            self._desire(execution, "Running")
            self.start(execution)

    def delete(self, execution: Execution) -> None:
        """Take an execution away, with all below it; what runs is stopped."""
        with self.changed:
            for child in execution.children:
                self.delete(child)
            execution.is_deleted = True
            self.cancel(execution)
            if self.executions.pop(execution.uid, None) is not None:
                self.deleted[execution.uid] = execution.name
            self.wake()

    def _desire(self, execution: Execution, state: Literal["Running", "Paused"]) -> None:
        with self.changed:
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

    # Waiting

    def attach(self) -> None:
        """Note that one more outside may change something, such as a person who is being asked."""
        with self.changed:
            self._outside += 1

    def detach(self) -> None:
        """Note that one outside will change nothing more."""
        with self.changed:
            self._outside -= 1
            self.wake()

    def heed(self, execution: Execution) -> None:
        """Raise what a script is to be told, once; return when it is not paused.

        Raises:
            ExecutionCancel: It is to stop.
        """
        self.wait(lambda: True, execution=execution)

    def wait(
        self,
        over: Callable[[], Found | None],
        *,
        deadline: float | None = None,
        execution: Execution | None = None,
        what: str = "",
    ) -> Found | None:
        """Wait until `over` returns something, and return that; None when the deadline has passed.

        Parameters:
            over: Looks at the world; changes nothing.
            deadline: Unix time.
            execution: Whose script waits; None: the caller outside.
            what: What it waits for, for people.

        Raises:
            ExecutionCancel: The script is to stop.
            NothingHappens: The caller outside waits for what will never come.
        """
        with self.changed:
            is_first = execution is not None and execution.thread == threading.get_ident()
            waiter = _Waiter(over, deadline, execution, is_first)
            self._waiters.append(waiter)
            if execution is not None:
                execution.waits_for = what
            try:
                return self._waited(waiter, over)
            finally:
                self._waiters.remove(waiter)
                self._is_stuck = False
                if execution is not None:
                    execution.waits_since = None
                    execution.waits_for = ""

    def _waited(self, waiter: _Waiter, over: Callable[[], Found | None]) -> Found | None:
        execution = waiter.execution
        while True:
            self._ring()
            if execution is None or not self._is_held(execution, waiter.is_first):
                found = over()
                if found is not None:
                    return found
                if waiter.deadline is not None and self.clock.now() >= waiter.deadline:
                    return None
                if execution is not None and execution.waits_since is None:
                    execution.waits_since = self.clock.now()
            if not self._passes_time(waiter):
                self.changed.wait(self._patience(waiter))

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

    def _passes_time(self, waiter: _Waiter) -> bool:
        """Let the time pass that everybody would only wait for; returns whether it did.

        Raises NothingHappens in a caller outside when nothing else ever will.
        """
        now = self.clock.now()
        if self._is_busy() or any(one.is_ready(now) for one in self._waiters):
            return False
        moments = self._moments()
        if moments:
            if self.clock.skips:
                self.clock.jump_to(min(moments))
                self.wake()
            return self.clock.skips
        if waiter.execution is None:
            raise NothingHappens(self._standstill())
        if not self._is_stuck:
            self._is_stuck = True
            self.changed.notify_all()
        return False

    def _is_busy(self) -> bool:
        """Whether anybody works, so that the world may change without time passing."""
        waiting = {one.execution for one in self._waiters}
        outside = sum(one.execution is None for one in self._waiters)
        return not self._threads <= waiting or self._outside > outside

    def _standstill(self) -> str:
        told = [
            f"{one.execution.name} waits for {one.execution.waits_for or 'somebody to resume it'}"
            for one in self._waiters
            if one.execution is not None
        ]
        return f"nothing can go on: {'; '.join(told) or 'nothing was started'}"

    def wake(self) -> None:
        """Let those who wait look again; called under the lock."""
        self._is_stuck = False
        self.changed.notify_all()

    def _moments(self) -> list[float]:
        deadlines = [one.deadline for one in self._waiters if not one.is_held]
        deadlines += [
            one.deadline
            for one in self.executions.values()
            if not one.is_final and one.phase != "Paused"
        ]
        return [moment for moment in deadlines if moment is not None]

    def _patience(self, waiter: _Waiter) -> float | None:
        if waiter.is_held:
            return None
        moments = self._moments()
        return max(min(moments) - self.clock.now(), 0.001) if moments else None

    def _set_alarm(self, execution: Execution) -> None:
        """Look again at the deadline, whether or not anybody waits then."""
        left = (execution.deadline or 0.0) - self.clock.now()
        alarm = threading.Timer(max(left, 0.01), self._on_alarm, (execution,))
        alarm.daemon = True
        alarm.start()
        execution.alarm = alarm

    def _on_alarm(self, execution: Execution) -> None:
        with self.changed:
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
