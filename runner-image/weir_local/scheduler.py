"""Who waits for what, and what time it is.

Everything happens under one lock, and whoever waits is woken by every change. That makes it known
when everybody waits: then the clock may jump, or nothing will ever happen again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from weir_local.clock import Clock
from weir_local.errors import NothingHappens
from weir_local.execution import Execution

Found = TypeVar("Found")


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


class Scheduler:
    """Lets executions wait.

    Parameters:
        clock: What time it is.

    Attributes:
        changed: Held by whoever looks at or changes an execution; notified of each change.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.changed = threading.Condition(threading.RLock())
        self._waiters: list[_Waiter] = []
        self._threads: set[Execution] = set()  # whose scripts run
        self._outside = 1  # the caller's own thread, and others that may change something
        self._is_stuck = False

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
        waits = (one.deadline for one in self._waiters if not one.is_held)
        return [*(one for one in waits if one is not None), *self._deadlines()]

    def _patience(self, waiter: _Waiter) -> float | None:
        if waiter.is_held:
            return None
        moments = self._moments()
        return max(min(moments) - self.clock.now(), 0.001) if moments else None

    # What is to be done while time passes

    def _ring(self) -> None:
        """End what has taken too long."""

    def _is_held(self, execution: Execution, is_first: bool) -> bool:
        """Whether a script is paused. Raises what it is to be told."""
        raise NotImplementedError

    def _deadlines(self) -> Iterable[float]:
        """Return when executions will have taken too long."""
        return ()
