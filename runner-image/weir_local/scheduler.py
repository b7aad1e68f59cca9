"""Who waits for what, and what time it is.

Everything happens under one lock, and each change looks at who may go on now. That makes it known
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
    signal: threading.Condition

    @property
    def is_held(self) -> bool:
        """Whether its execution is paused: then no time and no event lets it go on."""
        return self.execution is not None and self.execution.desired == "Paused"

    def is_ready(self, now: float) -> bool:
        """Whether it has something to do as soon as it gets the lock."""
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
        lock: Held by whoever looks at or changes an execution; changes are followed by `wake`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._waiters: list[_Waiter] = []
        self._threads: set[Execution] = set()  # whose scripts run
        self._outside = 1  # the caller's own thread, and others that may change something

    def attach(self) -> None:
        """Note that one more outside may change something, such as a person who is being asked."""
        with self.lock:
            self._outside += 1

    def detach(self) -> None:
        """Note that one outside will change nothing more."""
        with self.lock:
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
        with self.lock:
            is_first = execution is not None and execution.thread == threading.get_ident()
            signal = threading.Condition(self.lock)
            waiter = _Waiter(over, deadline, execution, is_first, signal)
            self._waiters.append(waiter)
            if execution is not None:
                execution.waits_for = what
            try:
                return self._waited(waiter, over)
            finally:
                self._waiters.remove(waiter)
                if execution is not None:
                    execution.waits_since = None
                    execution.waits_for = ""

    def wake(self) -> None:
        """Let those go on who may, and the time pass that all would only wait for. Called under the
        lock, after each change.
        """
        while not self._wake_ready() and not self._is_busy():
            moments = self._moments()
            if not moments:
                for one in self._waiters:
                    if one.execution is None:
                        one.signal.notify()
                return
            if not self.clock.skips:
                return
            self.clock.jump_to(min(moments))
            self._ring()

    def _waited(self, waiter: _Waiter, over: Callable[[], Found | None]) -> Found | None:
        execution = waiter.execution
        while True:
            if execution is None or not self._is_held(execution, waiter.is_first):
                found = over()
                if found is not None:
                    return found
                if waiter.deadline is not None and self.clock.now() >= waiter.deadline:
                    return None
                if execution is not None and execution.waits_since is None:
                    execution.waits_since = self.clock.now()
            self.wake()
            if waiter.is_ready(self.clock.now()):
                continue
            if execution is None and self._is_dead():
                raise NothingHappens(self._standstill())
            patience = None
            if waiter.deadline is not None and not waiter.is_held:
                patience = max(waiter.deadline - self.clock.now(), 0.001)
            waiter.signal.wait(patience)

    def _wake_ready(self) -> bool:
        """Let those go on who may; return whether there are any."""
        now = self.clock.now()
        ready = [one for one in self._waiters if one.is_ready(now)]
        for one in ready:
            one.signal.notify()
        return bool(ready)

    def _is_busy(self) -> bool:
        """Whether anybody works, so that the world may change without time passing."""
        waiting = {one.execution for one in self._waiters}
        outside = sum(one.execution is None for one in self._waiters)
        return not self._threads <= waiting or self._outside > outside

    def _is_dead(self) -> bool:
        """Whether nothing will ever happen again."""
        now = self.clock.now()
        ready = any(one.is_ready(now) for one in self._waiters)
        return not ready and not self._is_busy() and not self._moments()

    def _standstill(self) -> str:
        told = [
            f"{one.execution.name} waits for {one.execution.waits_for or 'somebody to resume it'}"
            for one in self._waiters
            if one.execution is not None
        ]
        return f"nothing can go on: {'; '.join(told) or 'nothing was started'}"

    def _moments(self) -> list[float]:
        """Return when somebody goes on, or is late, if nothing happens before."""
        waits = (one.deadline for one in self._waiters if not one.is_held)
        return [*(one for one in waits if one is not None), *self._deadlines()]

    # What is to be done while time passes

    def _ring(self) -> None:
        """End what has taken too long."""

    def _is_held(self, execution: Execution, is_first: bool) -> bool:
        """Whether a script is paused. Raises what it is to be told."""
        raise NotImplementedError

    def _deadlines(self) -> Iterable[float]:
        """Return when executions will have taken too long."""
        return ()
