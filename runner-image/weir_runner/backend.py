"""The backend of `flow_api` in a runner Pod: each operation is a request to the server."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from flow_api import InternalError
from weir_protocol import Answer, Assignment, Operation, decode
from weir_protocol.arguments import OperationKind
from weir_runner.speaking import RunBackend, exit_code
from weir_runner.transport import Refused, ServerLost

if TYPE_CHECKING:
    from weir_runner.departure import Departure
    from weir_runner.journal import Journal
    from weir_runner.logbook import LogBook
    from weir_runner.scrubbing import Scrubber
    from weir_runner.transport import Transport


class ClusterBackend(RunBackend):
    """Speaks for one attempt of one execution."""

    def __init__(
        self,
        assignment: Assignment,
        transport: Transport,
        journal: Journal,
        book: LogBook,
        departure: Departure,
        scrubber: Scrubber,
    ) -> None:
        super().__init__(journal, book, scrubber, assignment.output_limit)
        self._assignment = assignment
        self._transport = transport
        self._departure = departure
        self._first = threading.get_ident()  # the thread that runs the script

    def leave_if_forked(self, error: BaseException | None) -> None:
        """End the process if the script forked it: the run's end is its parent's to tell."""
        if not self._is_forked:
            return
        if error is not None and not isinstance(error, SystemExit):
            self._departure.say(f"a process forked by the script ended with {error!r}"[:500])
        self._departure.leave(exit_code(error))

    def _perform(self, kind: OperationKind, arguments: Any) -> Answer:
        sequence = self._begun(kind, arguments)
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
                self._answered_once(sequence, answer)
            return answer

    def _line(self) -> int | None:
        """Return the line of the script that asks; None for another thread's code without one."""
        frame = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename == self._assignment.script_name:
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return None
