"""Running an execution: its checks, its thread, its script or connection, its end."""

from __future__ import annotations

import contextvars
import dataclasses
import re
import threading
from collections.abc import Callable
from typing import Any

from flow_api import Execution as Handle
from flow_api import LifecycleSignal, System
from flow_api._values import printable
from weir_local import scripts, streams
from weir_local.backend import OUTPUT_LIMIT, LocalBackend
from weir_local.connections import Call
from weir_local.execution import Execution, Spec, full_view
from weir_local.interrupting import Interrupt
from weir_local.phases import Phase
from weir_local.records import schema_checks
from weir_local.services import Services
from weir_protocol import LogLine
from weir_protocol.arguments import JsonObject
from weir_protocol.scripts import problem_with
from weir_runner import ends, script
from weir_runner.ends import Outcome
from weir_runner.journal import Journal
from weir_runner.logbook import LogBook
from weir_runner.scrubbing import Scrubber

LOG_LIMIT = 10 * 2**20
MAX_DEPTH = 32

_UNKNOWN = "the runner reported a failure without saying which"
_PHASES: dict[str, Phase] = {
    "success": "Succeeded",
    "error": "Failed",
    "cancelled": "Cancelled",
}
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Runner:
    """Starts executions, each in a thread of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self, execution: Execution) -> None:
        """Check an execution and start its thread; one that cannot run ends at once."""
        if execution.depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} Executions stand above this one"
            message += ": does a flow call itself without end?"
            self._services.world.end(execution, "Failed", "TooDeep", message)
            return
        refusal = _refusal(execution.spec)
        if refusal is not None:
            self._services.world.end(execution, "Failed", *refusal)
            return
        flow = execution.spec.flow
        self._services.world.begins(execution, seconds(flow.timeout) if flow else None)
        run = _Run(self._services, execution)
        # A copy: what the caller's context holds, such as a decimal precision, holds here too.
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(run.do,), name=execution.name, daemon=True
        ).start()


class _Book(LogBook):
    """A log that is handed on line by line."""

    hand_on: Callable[[LogLine], None]

    def ease(self) -> None:
        """Hand on what there is."""
        for line in self.take():
            self.hand_on(line)


class _Run:
    """One execution, in its own thread."""

    def __init__(self, services: Services, execution: Execution) -> None:
        self._services = services
        self._world = services.world
        self._execution = execution
        self._journal = Journal()
        self._scrubber = Scrubber(())
        self._script = scripts.of(execution.spec)
        self._book = _Book(
            self._journal, LOG_LIMIT, scrub=self._scrubbed, clock=services.world.clock.now
        )
        self._book.hand_on = self._hear
        self._capture = streams.Capture(self._book, self._journal.lock)
        self._interrupt = Interrupt(self._told)

    def do(self) -> None:
        """Run it and end it. Raises nothing."""
        try:
            with self._capture:
                if self._execution.spec.connection is not None:
                    outcome, outputs, message = self._connect()
                else:
                    outcome, outputs, message = self._run_script()
            self._end(outcome, outputs, message)
        finally:
            self._world.leaves(self._execution)

    def _run_script(self) -> tuple[Outcome, Any, str | None]:
        execution = self._execution
        backend = LocalBackend(self._services, execution, self._journal, self._book, self._scrubber)
        view = dataclasses.replace(
            full_view(execution, self._world.clock.now()), output_value=None, message=None
        )
        this = Handle(backend, view, own=True)
        system = System(backend, environment=self._services.environment, user=self._services.user)
        outcome, returned = self._called(backend, system, this)
        backend.close()
        outputs = this.get("output_value")
        if not outputs and isinstance(returned, dict):
            outputs = returned
        return outcome, outputs, this._unsaved.get("message")

    def _called(self, backend: LocalBackend, system: System, this: Handle) -> tuple[Outcome, Any]:
        returned: Any = None
        inputs = self._execution.spec.inputs
        self._execution.thread = threading.get_ident()
        self._interrupt.arm()
        self._execution.interrupt = self._interrupt.send
        try:
            try:
                handler = self._script.handler
                if handler is None:
                    handler = script.load(
                        self._script.text, self._script.filename, self._capture.place
                    )
                returned = script.call(handler, system, this, inputs)
                self._interrupt.disarm()
                outcome = Outcome("success")
            except BaseException as error:
                self._interrupt.disarm()
                backend.leave_if_forked(error)
                outcome = ends.of_error(error, self._script.filename)
                if not isinstance(error, LifecycleSignal):
                    self._execution.error = error
        except BaseException as error:  # an interrupt that came in the last moment
            self._interrupt.disarm()
            outcome = ends.of_error(error, self._script.filename)
        backend.leave_if_forked(None)
        return outcome, returned

    def _connect(self) -> tuple[Outcome, Any, str | None]:
        prepared = self._execution.spec.connection
        assert prepared is not None
        secret = {*prepared.secret_inputs, *self._execution.spec.protect_inputs}
        self._scrubber.add(*(value for key, value in prepared.inputs.items() if key in secret))
        backend = LocalBackend(
            self._services, self._execution, self._journal, self._book, self._scrubber
        )
        call = Call(
            log=lambda text: self._book.add("log", text),
            cancelled=lambda: self._execution.stop is not None,
            scrubber=self._scrubber,
            uid=self._execution.uid,
            perform=backend.perform,
        )
        outcome, outputs = prepared.make(prepared, call)
        return outcome, outputs, None

    def _end(self, outcome: Outcome, outputs: Any, message: str | None) -> None:
        execution = self._execution
        if outcome.log:
            self._book.add("traceback", outcome.log)
        stopped = execution.stop_told or outcome.status == "cancelled"
        if execution.stop is not None and stopped:
            outcome = ends.of_stop(execution.stop, outcome)
        outcome, outputs, complaint = ends.with_outputs(
            outcome, outputs, OUTPUT_LIMIT, self._script.filename
        )
        if complaint:
            self._book.add("system", complaint)
        flow = execution.spec.flow
        if outcome.status == "success" and flow is not None and flow.output_schema is not None:
            outcome = _fitting(outcome, flow.output_schema, outputs or execution.outputs)
        if outcome.message is not None:
            message = self._scrubbed(printable(outcome.message))
        if outcome.status == "error":
            message = message or _UNKNOWN
        self._world.end(
            execution,
            _PHASES[outcome.status],
            outcome.reason or None,
            message,
            outputs=outputs or None,
            cause=outcome.cause if outcome.status == "error" else None,
        )

    def _hear(self, line: LogLine) -> None:
        if self._execution.is_final:
            return
        self._execution.log.append(line)
        if self._services.listen is not None:
            self._services.listen(self._execution, line)

    def _told(self) -> None:
        self._execution.stop_told = True

    def _scrubbed(self, text: str) -> str:
        return self._scrubber.text(self._script.shown(text))


def _refusal(spec: Spec) -> tuple[str, str] | None:
    """Return why an execution is not run at all, as reason and message. Raises LocalError."""
    flow = spec.flow
    if flow is None:
        problem = None if spec.script is None else problem_with(spec.script)
        return None if problem is None else (problem.reason, problem.message)
    if flow.suspend:
        return "FlowSuspended", f"Flow {flow.name} is suspended (spec.suspend)"
    problem = None if flow.handler is not None else problem_with(flow.source())
    if problem is not None:
        message = f"Flow {flow.name} is not ready: {problem.reason}: {problem.message}"
        return "FlowNotReady", message
    if flow.input_schema is not None:
        wrong = schema_checks().problem_with_value(flow.input_schema, spec.inputs, what="inputs")
        if wrong is not None:
            return "InvalidInputs", wrong
    return None


def _fitting(outcome: Outcome, schema: JsonObject, outputs: Any) -> Outcome:
    wrong = schema_checks().problem_with_value(schema, outputs or {}, what="outputs")
    return outcome if wrong is None else Outcome("error", "InvalidOutputs", wrong)


def seconds(duration: str | None) -> float | None:
    """Return the length of a duration such as 1h30m."""
    if duration is None:
        return None
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
