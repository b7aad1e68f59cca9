"""The backend of `flow_api` in a runner Pod: each operation is a request to the server."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from flow_api import InternalError
from weir_protocol import Answer, Assignment, Operation, decode
from weir_protocol.arguments import (
    JsonObject,
    OperationKind,
)
from weir_runner.interrupts import interruptible
from weir_runner.transport import Refused, ServerLost, body_of

if TYPE_CHECKING:
    from weir_runner.departure import Departure
    from weir_runner.journal import Journal
    from weir_runner.logbook import LogBook
    from weir_runner.scrubbing import Scrubber
    from weir_runner.transport import Transport


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


class ClusterBackend:
    """Speaks for one attempt of one execution.

    Operations of several threads are done one after the other. A process forked by the script is
    refused: two processes cannot number their operations in one order.
    """

    def __init__(
        self,
        assignment: Assignment,
        transport: Transport,
        journal: Journal,
        book: LogBook,
        departure: Departure,
        scrubber: Scrubber,
    ) -> None:
        self._assignment = assignment
        self._transport = transport
        self._journal = journal
        self._book = book
        self._departure = departure
        self._scrubber = scrubber
        self._process = os.getpid()
        self._first = threading.get_ident()  # the thread that runs the script
        self._turn = threading.RLock()
        self._performing = 0  # the thread that performs just now
        self._ended = False
        self._open: int | None = None  # number of a `once` whose function is being called

    def perform(self, kind: OperationKind, arguments: Any) -> Answer:
        """Do one operation; see `flow_api._backend.Backend`."""
        self._require_run()
        if kind == "save" and arguments.outputs is not None:
            check_size(arguments.outputs, self._assignment.output_limit)
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

    def leave_if_forked(self, error: BaseException | None) -> None:
        """End the process if the script forked it: the run's end is its parent's to tell."""
        if os.getpid() == self._process:
            return
        code: object = None
        if isinstance(error, SystemExit):
            code = error.code
        elif error is not None:
            code = 1
            self._departure.say(f"a process forked by the script ended with {error!r}"[:500])
        self._departure.leave(code if isinstance(code, int) else 0 if code is None else 1)

    def _require_run(self) -> None:
        if os.getpid() != self._process:
            raise InternalError(
                "a process forked by the script cannot speak for its run; pass results to the "
                "parent process, or use this.flow(…) to do things side by side"
            )
        if self._ended:
            raise InternalError("the run has ended; its threads can do nothing more")

    def _perform(self, kind: OperationKind, arguments: Any) -> Answer:
        closes = kind == "once" and arguments.step != "ask"
        if self._open is not None and not closes:
            raise InternalError(
                "a function that is called once may not call `this` or `system`: do that before or "
                "after, with what it returned"
            )
        sequence = self._open if closes and self._open else self._journal.next_operation()
        line = self._line()
        while True:
            logs = self._book.take()
            operation = Operation(
                uid=self._assignment.execution.uid,
                try_number=self._assignment.try_number,
                attempt=self._assignment.attempt,
                sequence=sequence,
                kind=kind,
                arguments=arguments,
                line=line,
                thread=threading.get_ident() != self._first,
                logs=logs,
            )
            try:
                data = self._transport.post("operations", operation)
                answer = decode(Answer, data or {})
            except Refused as refusal:
                self._departure.consider(refusal)
                self._book.put_back(logs)  # it is the operation that was refused
                if self._open is None:
                    self._journal.take_back()
                self._open = None
                raise InternalError(f"the server refused {kind!r}: {refusal}") from None
            except ServerLost as error:
                self._departure.without_server(error)
            except TypeError as error:
                raise InternalError(f"the answer to {kind!r} is not understood: {error}") from None
            except BaseException:
                self._book.put_back(logs)
                raise
            if answer.state == "pending":
                continue
            if answer.state == "hibernate":
                self._departure.hibernate()
            if kind == "once":
                from flow_api._once import called  # few scripts need it

                interruptible(called)  # the script's own function runs in it
                self._open = sequence if answer.state == "open" else None
                if self._open is None:
                    self._journal.pass_over_lines()
            return answer

    def _line(self) -> int | None:
        """Return the line of the script that asks; None for another thread's code without one."""
        frame = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename == self._assignment.script_name:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return None


def check_size(outputs: JsonObject, limit: int) -> None:
    """Raise OutputTooLarge if the outputs are."""
    size = len(body_of(outputs))
    if size > limit:
        raise OutputTooLarge(size, limit)


@interruptible
def _wait_for(turn: threading.RLock) -> None:
    # Reentrant, since an interrupt may come when it is acquired and the caller does not know yet.
    turn.acquire()
