"""Interrupting the main thread: at any point of the script, at chosen points of ours.

A signal's handler runs between any two bytecodes of the main thread. An exception raised there is
just what a script's `finally` blocks expect, but in the midst of our own code it would leave
half-done things behind. So the handler looks at the stack: the innermost function of ours decides.
If that is one marked `interruptible` (it calls the script, or waits for the server), it raises;
else it does nothing, and whoever sent the signal sends it again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import CodeType, FrameType
from typing import NoReturn, TypeVar

# A real-time signal that neither Python nor the C library uses: a script may use SIGUSR1 and such.
INTERRUPT = signal.SIGRTMIN + 4

# How often the main thread is asked again, for the sake of a `try`: a loop of nothing but sums can
# be interrupted nowhere else.
MOST_PUT_OFF = 20

Function = TypeVar("Function", bound=Callable[..., object])

_interruptible: set[CodeType] = set()
_OURS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), package, "")
    for package in ("flow_api", "weir_runner", "weir_local")
)


def interruptible(function: Function) -> Function:
    """Mark a function of ours in which the main thread may be interrupted."""
    _interruptible.add(function.__code__)
    return function


def may_interrupt(frame: FrameType | None) -> bool:
    """Whether an exception may be raised in this frame, the main thread's current one."""
    while frame is not None:
        code = frame.f_code
        if code in _interruptible:
            return True
        if code.co_filename.startswith(_OURS):
            return False
        frame = frame.f_back
    return False


def passes_by_try(frame: FrameType) -> bool:
    """Whether an exception raised here would miss a `try` around the instruction that comes next.

    Python 3.11 looks for signals when it has jumped back to the start of a loop, but still counts
    itself at the instruction before it: outside of a `try` that begins with the loop.
    """
    here = _handler_at(frame.f_code, frame.f_lasti)
    return here != _handler_at(frame.f_code, frame.f_lasti + 2)


def _handler_at(code: CodeType, offset: int) -> int | None:
    """Return where an exception at this offset is handled, from the code's exception table."""
    table = iter(code.co_exceptiontable)

    def number() -> int:
        byte = next(table)
        value = byte & 0x3F
        while byte & 0x40:
            byte = next(table)
            value = value << 6 | byte & 0x3F
        return value

    try:
        while True:
            start, length, handler, _depth = number(), number(), number(), number()
            if start <= offset // 2 < start + length:
                return handler
    except StopIteration:
        return None


class Interrupts:
    """The main thread's signal handlers, and whether it has been interrupted.

    Parameters:
        exception: Makes the exception to raise.
        leave: Ends the process at once, without `finally` blocks.
    """

    def __init__(
        self, exception: Callable[[], BaseException], leave: Callable[[int], NoReturn]
    ) -> None:
        self._exception = exception
        self._leave = leave
        self.armed = False  # set while the script runs
        self.raised = False
        self._put_off = 0

    def install(self) -> None:
        """Take over the signals. Called in the main thread."""
        signal.signal(INTERRUPT, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)

    def send(self) -> None:
        """Ask the main thread to be interrupted; it may be where it cannot: ask again."""
        import threading  # here and not above: the first request does not wait for it

        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, INTERRUPT)

    def _interrupt(self, _number: int, frame: FrameType | None) -> None:
        if not self.armed or self.raised or frame is None or not may_interrupt(frame):
            return
        if self._put_off < MOST_PUT_OFF and passes_by_try(frame):
            self._put_off += 1
            return
        self.raised = True
        raise self._exception()

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        # A run that is being cancelled cleans up: it has until the kubelet's SIGKILL. Any other is
        # taken up again elsewhere, and must not undo in `finally` what it will go on with there.
        if not self.raised:
            self._leave(128 + signal.SIGTERM)
