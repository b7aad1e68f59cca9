"""Runs a connection: one call of its type, with inputs that hold secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flow_api._values import NotJsonError, checked_object
from weir_runner import tracebacks
from weir_runner.ends import Outcome

if TYPE_CHECKING:
    from weir_protocol import Answer, Ask, Connection
    from weir_protocol.arguments import OperationKind
    from weir_runner.scrubbing import Scrubber


def run(
    connection: Connection,
    attempt: Ask,
    scrubber: Scrubber,
    log: Callable[[str], None],
    cancelled: Callable[[], bool],
    perform: Callable[[OperationKind, Any], Answer],
) -> tuple[Outcome, dict[str, Any] | None]:
    """Run a connection; return how it ended, and its outputs if it has some. Raises nothing.

    Parameters:
        connection: Its type and inputs.
        attempt: Whose connection it is.
        scrubber: Takes secrets out of the message of the end; the connection may add to them.
        log: Appends a line to the log.
        cancelled: Whether the connection is to stop.
        perform: Does an operation of the run.
    """
    # Here and not above: only a run that is a connection pays for it.
    from weir_connectors import errors, registry

    def message_of(error: BaseException) -> str:
        # Scrubbed first: what is cut or put into one line may not be found any more.
        return tracebacks.shortened(scrubber.text(tracebacks.text_of(error)))

    def save_file(name: str, content: bytes) -> None:
        from base64 import b64encode

        from weir_protocol.arguments import SaveRecordArguments

        fields = {"content": b64encode(content).decode()}
        answer = perform("save_record", SaveRecordArguments(kind="file", name=name, fields=fields))
        if answer.error is not None:
            raise errors.ConnectionFailed(f"the file {name!r}: {answer.error.message}")

    kind = connection.type
    try:
        connector = registry.load(kind)
        context = registry.Context(
            log=log,
            cancelled=cancelled,
            hide=scrubber.add,
            secret_inputs=frozenset(connection.secret_inputs),
            save_file=save_file,
            uid=attempt.uid,
            try_number=attempt.try_number,
        )
        outputs = connector.run(connection.inputs, context)
        return Outcome("success"), checked_object(outputs, "output_value")
    except errors.ConnectionCancelled as error:
        return Outcome("cancelled", "Cancelled", message_of(error)), error.outputs
    except errors.ConnectionFailed as error:
        return Outcome("error", "ConnectionFailed", message_of(error)), error.outputs
    except errors.UnknownTypeError as error:
        return Outcome("error", "ConnectionFailed", message_of(error)), None
    except errors.InputError as error:
        message = f"{type(error).__name__}: {message_of(error)}"
        return Outcome("error", "ConnectionFailed", message), None
    except ImportError as error:
        message = f"the {kind} connection's library is not in the runner image: {message_of(error)}"
        return Outcome("error", "ConnectionFailed", message), None
    except NotJsonError as error:
        message = f"the {kind} connection returned what is no JSON: {message_of(error)}"
        return Outcome("error", "InvalidOutputs", message), None
    except Exception as error:
        # A fault of the connection type itself: its own lines tell where.
        message = f"the {kind} connection broke: {type(error).__name__}: {message_of(error)}"
        lines = tracebacks.script_lines(error, "")
        return Outcome("error", "ConnectionFailed", message, log=lines), None
