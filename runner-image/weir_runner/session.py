"""The work of one runner: ask for an assignment, do it, report its end."""

from __future__ import annotations

import dataclasses
import random
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flow_api import Execution, System
from flow_api._values import printable
from weir_protocol import (
    Ask,
    Assignment,
    End,
    LogBatch,
    decode,
)
from weir_runner import connection, ends, script
from weir_runner.backend import ClusterBackend
from weir_runner.capture import Capture
from weir_runner.control import Watch
from weir_runner.ends import Outcome
from weir_runner.journal import Journal
from weir_runner.logbook import LogBook
from weir_runner.scrubbing import Scrubber
from weir_runner.sending import LogSender
from weir_runner.transport import Refused, ServerLost

if TYPE_CHECKING:
    from weir_runner.departure import Departure
    from weir_runner.interrupts import Interrupts
    from weir_runner.transport import Transport

# A server that answers its long poll at once is asked again no sooner than this.
PAUSE = 0.5

# What a script may have set, and the report of its end needs.
RECURSION_LIMIT = 1000


def ask_for_work(
    transport: Transport,
    departure: Departure,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Assignment:
    """Ask until there is work, for hours in a Pod that was started in advance."""
    while True:
        asked = clock()
        try:
            data = transport.post("assignment", Ask())
        except Refused as refusal:
            departure.consider(refusal)
            departure.leave(1)
        except ServerLost as error:
            departure.without_server(error)
        if data:
            return decode(Assignment, data)
        if clock() - asked < PAUSE:
            sleep(PAUSE)


class Run:
    """One attempt of one execution.

    Parameters:
        assignment: The work.
        transport: The main thread's way to the server.
        departure: Ends the process.
        interrupts: Interrupts the main thread; its handlers are installed.
    """

    def __init__(
        self,
        assignment: Assignment,
        transport: Transport,
        departure: Departure,
        interrupts: Interrupts,
    ) -> None:
        self._assignment = assignment
        self._transport = transport
        self._departure = departure
        self._interrupts = interrupts
        self._attempt = Ask(
            uid=assignment.execution.uid,
            try_number=assignment.try_number,
            attempt=assignment.attempt,
        )
        transport.patience = assignment.server_patience
        self._scrubber = Scrubber(_secrets(assignment))
        self._journal = Journal()
        self._book = LogBook(
            self._journal,
            assignment.log_limit,
            scrub=self._scrubber.text,
        )
        self._sender = LogSender(
            self._book, self._another(), self._attempt, departure, lambda s: self._watch.wait(s)
        )
        self._watch = Watch(
            self._another,
            self._attempt,
            departure,
            None if assignment.connection else self._interrupt,
            self._start_sender,
        )

    def do(self) -> None:
        """Do the work, report its end, and leave the process."""
        self._book.drain = self._sender.drain
        self._watch.start()
        started = time.time()
        with Capture(self._book, self._journal.lock):
            if self._assignment.connection is not None:
                outcome, outputs, message = self._connect()
            else:
                outcome, outputs, message = self._run_script()
        self._watch.end()
        if outcome.log:
            self._book.add("traceback", outcome.log)
        # Work that had ended by itself just before it could be stopped keeps its own end.
        stopped = self._interrupts.raised or outcome.status == "cancelled"
        if self._watch.stop is not None and stopped:
            outcome = ends.of_stop(self._watch.stop, outcome)
        outcome, outputs, complaint = ends.with_outputs(
            outcome, outputs, self._assignment.output_limit, self._assignment.script_name
        )
        if complaint:
            self._book.add("system", complaint)
        if outcome.message is not None:
            message = self._scrubber.text(printable(outcome.message))
        self._report(
            End(
                uid=self._attempt.uid,
                try_number=self._attempt.try_number,
                attempt=self._attempt.attempt,
                status=outcome.status,
                reason=outcome.reason,
                message=message,
                outputs=outputs or None,
                cause=outcome.cause,
                started=started,
            )
        )
        self._departure.done()

    # The work

    def _run_script(self) -> tuple[Outcome, Any, str | None]:
        """Run the script; return its end, its outputs, and the message it set before."""
        assignment = self._assignment
        backend = ClusterBackend(
            assignment,
            self._transport,
            self._journal,
            self._book,
            self._departure,
            self._scrubber,
        )
        # What an earlier attempt has saved does not count: this one does all of it again.
        # And it runs, though that may not be written yet.
        view = dataclasses.replace(
            assignment.execution,
            status="RUNNING",
            phase="Running",
            input_value=assignment.inputs,
            output_value=None,
            message=None,
        )
        this = Execution(backend, view, own=True)
        if assignment.seed:
            random.seed(assignment.seed)
        returned: Any = None
        self._interrupts.armed = True
        try:
            if assignment.requirements:
                self._install(assignment.requirements)
            system = System(backend, environment=assignment.environment, user=assignment.user)
            returned = script.run(
                assignment.script or "", assignment.script_name, system, this, assignment.inputs
            )
            outcome = Outcome("success")
        except BaseException as error:
            self._interrupts.armed = False
            backend.leave_if_forked(error)
            outcome = ends.of_error(error, assignment.script_name)
        self._interrupts.armed = False
        backend.leave_if_forked(None)
        backend.close()
        _undo_limits()
        outputs = this.get("output_value")
        if not outputs and isinstance(returned, dict):
            outputs = returned
        return outcome, outputs, this._unsaved.get("message")

    def _install(self, requirements: list[str]) -> None:
        """Install third-party modules. Raises script.NotRunnable."""
        from weir_runner.requirements import NotInstalled, provide

        try:
            provide(requirements, lambda text: self._book.add("system", text))
        except NotInstalled as error:
            if error.output:
                self._book.add("system", error.output)
            raise script.NotRunnable("NotInstalled", str(error)) from None
        # Another attempt may find them installed, and say less.
        self._journal.pass_over_lines()

    def _connect(self) -> tuple[Outcome, Any, str | None]:
        """Run the connection; return its end and its outputs, free of secrets."""
        assert self._assignment.connection is not None
        backend = ClusterBackend(
            self._assignment,
            self._transport,
            self._journal,
            self._book,
            self._departure,
            self._scrubber,
        )
        outcome, outputs = connection.run(
            self._assignment.connection,
            self._attempt,
            self._scrubber,
            lambda text: self._book.add("log", text),
            lambda: self._watch.stop is not None,
            backend.perform,
        )
        return outcome, self._scrubber.value(outputs), None

    # The end

    def _report(self, end: End) -> None:
        """Tell the server how the run ended, and return when it knows."""
        # A batch on its way in another thread would come after the end, and be refused.
        self._sender.close()
        try:
            lines = self._book.take()
            while self._book.something.is_set():
                self._send_logs(LogBatch(**_fields(self._attempt), lines=lines))
                lines = self._book.take()
            self._transport.post("end", dataclasses.replace(end, logs=lines))
        except ServerLost as error:
            self._departure.without_server(error)
        except Refused as refusal:
            self._departure.consider(refusal)
            self._report_refused(end, refusal)

    def _send_logs(self, batch: LogBatch) -> None:
        try:
            self._transport.post("logs", batch)
        except Refused as refusal:
            # A batch that the server does not like is lost; how the run ended is not.
            self._departure.consider(refusal)

    def _report_refused(self, end: End, refusal: Refused) -> None:
        """Report the refusal of the end instead: a run must not end unreported."""
        reason = "OutputTooLarge" if refusal.status == 413 else "InvalidOutputs"
        instead = dataclasses.replace(end, outputs=None)
        if end.status == "success":
            message = f"the server refused the run's end: {refusal}"
            instead = dataclasses.replace(instead, status="error", reason=reason, message=message)
        try:
            self._transport.post("end", instead)
        except (Refused, ServerLost) as error:
            self._departure.say(f"the end of the run could not be reported: {error}")
            self._departure.leave(1)

    # Other threads

    def _another(self) -> Transport:
        return self._transport.another(self._assignment.server_patience)

    def _start_sender(self) -> None:
        import threading

        threading.Thread(target=self._sender.run, name="weir-logs", daemon=True).start()

    def _interrupt(self) -> bool:
        self._interrupts.send()
        return self._interrupts.raised


def _secrets(assignment: Assignment) -> list[Any]:
    """Return the values of a connection's secret inputs."""
    given = assignment.connection
    if given is None:
        return []
    return [given.inputs[name] for name in given.secret_inputs if name in given.inputs]


def _undo_limits() -> None:
    """Take back what a script may have set, and what the report of its end would trip over."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
    signal.setitimer(signal.ITIMER_REAL, 0)


def _fields(attempt: Ask) -> dict[str, Any]:
    return {
        "uid": attempt.uid,
        "try_number": attempt.try_number,
        "attempt": attempt.attempt,
    }
