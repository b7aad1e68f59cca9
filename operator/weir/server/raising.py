"""What a script is to see as an exception: the answer to its operation says so."""

from __future__ import annotations

from weir_protocol import ErrorInfo, ExecutionView


class Raises(Exception):
    """An operation fails in the script: the name of one of flow_api's exceptions, and its text."""

    def __init__(self, type_: str, message: str, execution: ExecutionView | None = None) -> None:
        super().__init__(message)
        self.error = ErrorInfo(type=type_, message=message, execution=execution)


def not_found(message: str) -> Raises:
    """There is no flow, connector or execution of that name."""
    return Raises("ResourceNotFoundError", message)


def denied(message: str) -> Raises:
    """The run may not do that."""
    return Raises("PermissionDenied", message)


def internal(message: str) -> Raises:
    """Weir could not do it, for a reason that is not the script's."""
    return Raises("InternalError", message)
