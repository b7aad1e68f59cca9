"""Interrupting a script that computes: an exception of its own thread, where the script can take
it.

A signal reaches the main thread only, so each execution's thread is sent its exception by
`PyThreadState_SetAsyncExc`. Where it may come is decided as in a runner Pod: in the script's own
frames, never in the midst of ours. The thread does not go on between that look and the sending,
since both happen under the interpreter's lock. A script in a long call of C, such as `time.sleep`,
hears of it when the call returns.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from flow_api import ExecutionCancel
from weir_runner.interrupts import MOST_PUT_OFF, may_interrupt, passes_by_try

# How often a thread that could not be interrupted is asked again.
INSIST = 0.05

MESSAGE = "cancelled on request"


class Interrupt:
    """Interrupts one thread, at most once.

    Parameters:
        told: Called when the exception is raised.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._exception = _exception(self._raised)
        self._told = told
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._put_off = 0
        self._is_sent = False
        self._is_raised = False

    def arm(self) -> None:
        """Let the calling thread be interrupted from now on."""
        self._thread = threading.get_ident()

    def disarm(self) -> None:
        """Let it no longer be interrupted. Called in that thread."""
        with self._lock:
            self._thread = None
        if self._is_sent and not self._is_raised:
            # What is on its way is waited for. To take it back would leave the interpreter looking
            # for it for ever: one that traces lines goes nowhere then.
            with suppress(ExecutionCancel):
                while True:
                    time.sleep(0.001)

    def send(self) -> None:
        """Ask the thread to be interrupted; it may be where it cannot: ask again."""
        with self._lock:
            if self._thread is None or self._is_sent:
                return
            frame = sys._current_frames().get(self._thread)
            if frame is None or not may_interrupt(frame):
                return
            if self._put_off < MOST_PUT_OFF and passes_by_try(frame):
                self._put_off += 1
                return
            self._is_sent = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread), ctypes.py_object(self._exception)
            )

    def _raised(self) -> None:
        self._is_raised = True
        self._told()


def _exception(told: Callable[[], None]) -> type[ExecutionCancel]:
    # A class and not an instance: that is what a thread can be sent.
    def raised(self: ExecutionCancel) -> None:
        ExecutionCancel.__init__(self, MESSAGE)
        told()

    names = {"__init__": raised, "__module__": ExecutionCancel.__module__}
    return type(ExecutionCancel.__name__, (ExecutionCancel,), names)
