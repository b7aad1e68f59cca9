"""How a run ends: from what came out of a script or connection to what is reported.

The reasons are those of `weir.api.reasons`, which this image does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from flow_api import (
    DependencyFailedError,
    Execution,
    ExecutionCancel,
    ExecutionError,
    ExecutionSuccess,
    LifecycleSignal,
)
from flow_api._values import NotJsonError, checked_object
from weir_protocol import Cause, ExecutionView
from weir_protocol.arguments import JsonObject
from weir_runner import tracebacks
from weir_runner.script import NotRunnable
from weir_runner.speaking import OutputTooLarge, check_size

Stop = Literal["Cancelled", "TimedOut"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `log` is a text for the log, such as a traceback."""

    status: Literal["success", "error", "cancelled"]
    reason: str = ""
    message: str | None = None
    cause: Cause | None = None
    log: str = ""


def of_error(error: BaseException, filename: str) -> Outcome:
    """Return the end that an exception makes which the script let go. Raises nothing.

    Parameters:
        error: The exception, a signal of the life cycle among them.
        filename: How the script's frames are named.
    """
    try:
        return _of_error(error, filename)
    except BaseException:  # code of the exception's own class, which is the script's
        message = "the script raised an exception that fails when it is asked what it says"
        return Outcome("error", "ScriptError", message, log=message)


def _of_error(error: BaseException, filename: str) -> Outcome:
    match error:
        case ExecutionSuccess():
            return Outcome("success", message=_said(error))
        case ExecutionError():
            return Outcome("error", "ScriptEnded", _said(error))
        case ExecutionCancel():
            return Outcome("cancelled", "Cancelled", _said(error))
        case NotRunnable():
            outcome = Outcome("error", error.reason, error.message, log=error.log)
            return (
                outcome if error.__cause__ is None else _hinted(outcome, error.__cause__, filename)
            )
        case SystemExit():
            return _exited(error, filename)
        case DependencyFailedError(execution=Execution() as failed):
            return Outcome(
                "error",
                "DependencyFailed",
                tracebacks.shortened(tracebacks.text_of(error)),
                _cause(failed._view),
                log=tracebacks.script_lines(error, filename),
            )
    outcome = Outcome(
        "error",
        _reason(error),
        tracebacks.message(error, filename),
        log=tracebacks.script_lines(error, filename),
    )
    return _hinted(outcome, error, filename)


def with_outputs(
    outcome: Outcome, outputs: Any, limit: int, filename: str
) -> tuple[Outcome, JsonObject | None, str]:
    """Return the end with outputs that can be stored, and what the log is to say of them.

    Outputs that cannot be stored fail a success, and are left out of any other end.

    Parameters:
        outcome: How the run ended.
        outputs: What it is to leave, of whatever kind.
        limit: Bytes of JSON.
        filename: How the script's frames are named.
    """
    try:
        outputs = checked_object(outputs, "output_value")
        check_size(outputs, limit)
    except BaseException as error:  # a returned object may be of a class of the script's
        reason = "OutputTooLarge" if isinstance(error, OutputTooLarge) else "InvalidOutputs"
        unsound = of_outputs(reason, error, filename)
        if outcome.status == "success":
            return unsound, None, ""
        return outcome, None, f"The outputs are not kept: {unsound.message}"
    return outcome, outputs, ""


def of_outputs(reason: str, error: BaseException, filename: str) -> Outcome:
    """Return the end of a run whose outputs cannot be stored, for this reason."""
    text = tracebacks.text_of(error)
    if not isinstance(error, NotJsonError | OutputTooLarge):
        text = f"output_value cannot be read: {tracebacks.message(error, filename)}"
    return _hinted(Outcome("error", reason, tracebacks.shortened(text)), error, filename)


def _hinted(outcome: Outcome, error: BaseException, filename: str) -> Outcome:
    """Return the end with a hint, where the error is a common mistake."""
    from weir_runner import hints  # only failures need it

    hint = hints.hint(error, filename)
    if not hint:
        return outcome
    return replace(
        outcome,
        message=hints.in_message(outcome.message or "", hint),
        log=hints.in_log(outcome.log, hint),
    )


def of_stop(stop: Stop, reached: Outcome) -> Outcome:
    """Return the end of a run that was told to stop, whatever its clean-up then came to."""
    if stop == "TimedOut":
        message = "stopped: it ran longer than its timeout allows"
        return Outcome("error", "TimedOut", message, log=reached.log)
    return Outcome("cancelled", "Cancelled", "cancelled on request", log=reached.log)


def _said(signal: LifecycleSignal) -> str | None:
    # A script may raise a signal by itself, with anything as its message.
    return None if signal.message is None else tracebacks.text_of(signal.message)


def _reason(error: BaseException) -> str:
    if isinstance(error, OutputTooLarge):
        return "OutputTooLarge"
    if isinstance(error, NotJsonError) and error.where.startswith("output_value"):
        return "InvalidOutputs"
    return "ScriptError"


def _exited(error: SystemExit, filename: str) -> Outcome:
    line = tracebacks.line_of(error, filename)
    where = f" (line {line})" if line else ""
    code: Any = error.code
    if code is None:
        code = 0
    if isinstance(code, int):
        how = f"with code {code}"
    else:
        how = f"with code 1 and the text: {tracebacks.shortened(tracebacks.text_of(code))}"
    message = f"the script left by sys.exit {how}{where}; a run ends by returning or by `this`"
    return Outcome("error", "ScriptExited", message, log=tracebacks.script_lines(error, filename))


def _cause(failed: ExecutionView) -> Cause:
    """Return the leaf of a failure: the failed child's own cause, or else the child itself."""
    if failed.cause is not None:
        return failed.cause
    return Cause(
        execution=failed.name,
        title=failed.title or failed.flow_name or failed.connector_type or failed.type,
        message=failed.message or failed.reason or failed.phase,
    )
