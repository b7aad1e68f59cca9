"""What the backends of `flow_api` have in common: they speak for one run, from one process, for one
thread at a time.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from flow_api import InternalError
from weir_protocol import Answer
from weir_protocol.arguments import JsonObject, OperationKind
from weir_runner.interrupts import interruptible
from weir_runner.transport import body_of

if TYPE_CHECKING:
    from weir_runner.journal import Journal
    from weir_runner.logbook import LogBook
    from weir_runner.scrubbing import Scrubber

# How often a thread that waits for its turn looks up.
LOOK_UP = 0.05


class OutputTooLarge(ValueError):
    """The outputs need more JSON text than the server keeps.

    Parameters:
        size, limit: Bytes.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"output_value is {size} bytes of JSON and may be {limit}; keep large data elsewhere "
            "and put into the outputs where it is"
        )


class RunBackend:
    """Speaks for one run.

    Operations of several threads are done one after the other. A process forked by the script is
    refused: two processes cannot number their operations in one order.

    Parameters:
        journal: Numbers the operations.
        book: The log.
        scrubber: Takes secrets out of it.
        output_limit: Bytes of JSON.
    """

    def __init__(
        self, journal: Journal, book: LogBook, scrubber: Scrubber, output_limit: int
    ) -> None:
        self._journal = journal
        self._book = book
        self._scrubber = scrubber
        self._output_limit = output_limit
        self._process = os.getpid()
        self._turn = threading.RLock()
        self._performing = 0  # the thread that performs just now
        self._ended = False
        self._open: int | None = None  # number of a `once` whose function is being called

    def perform(self, kind: OperationKind, arguments: Any) -> Answer:
        """Do one operation; see `flow_api._backend.Backend`."""
        self._require_run()
        if kind == "save" and arguments.outputs is not None:
            check_size(arguments.outputs, self._output_limit)
        if self._performing == threading.get_ident():
            raise InternalError(f"{kind!r} was asked for in the midst of another call to `this`")
        if not self._turn.acquire(blocking=False):
            _wait_for(self._turn)
        try:
            self._performing = threading.get_ident()
            return self._perform(kind, arguments)
        finally:
            self._performing = 0
            self._turn.release()

    def log(self, text: str, data: JsonObject | None) -> None:
        """Append an entry to the log."""
        self._require_run()
        self._book.add("log", text, self._scrubber.value(data))

    def hide(self, *secrets: Any) -> None:
        """Show these values as `***` in the log and in the message of the end."""
        self._scrubber.add(*secrets)

    def close(self) -> None:
        """Refuse what threads that the script left behind still ask for."""
        self._ended = True

    def _perform(self, kind: OperationKind, arguments: Any) -> Answer:
        raise NotImplementedError

    @property
    def _is_forked(self) -> bool:
        return os.getpid() != self._process

    def _require_run(self) -> None:
        if self._is_forked:
            raise InternalError(
                "a process forked by the script cannot speak for its run; pass results to the "
                "parent process, or use this.flow(…) to do things side by side"
            )
        if self._ended:
            raise InternalError("the run has ended; its threads can do nothing more")

    def _begun(self, kind: OperationKind, arguments: Any) -> int:
        """Return the number of an operation; what `once` came to has that of its asking."""
        closes = kind == "once" and arguments.step != "ask"
        if self._open is not None and not closes:
            raise InternalError(
                "a function that is called once may not call `this` or `system`: do that before or "
                "after, with what it returned"
            )
        return self._open if closes and self._open else self._journal.next_operation()

    def _answered_once(self, sequence: int, answer: Answer) -> None:
        """Note whether the function of a `once` is to be called now."""
        from flow_api._once import called  # few scripts need it

        interruptible(called)  # the script's own function runs in it
        self._open = sequence if answer.state == "open" else None
        if self._open is None:
            self._journal.pass_over_lines()


def exit_code(error: BaseException | None) -> int:
    """Return what a process that a script forked ends with."""
    code: object = error.code if isinstance(error, SystemExit) else int(error is not None)
    return code if isinstance(code, int) else int(code is not None)


def check_size(outputs: JsonObject, limit: int) -> None:
    """Raise OutputTooLarge if the outputs are."""
    size = len(body_of(outputs))
    if size > limit:
        raise OutputTooLarge(size, limit)


@interruptible
def _wait_for(turn: threading.RLock) -> None:
    # 1. Reentrant, since an interrupt may come when it is acquired and the caller does not know
    # yet. 2. An exception sent to another thread than the main one comes between two lines of
    # Python, never within a call of C.
    while not turn.acquire(timeout=LOOK_UP):
        pass
