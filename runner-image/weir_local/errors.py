"""What a script is to see as an exception, and what ends a local run without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weir_protocol import ErrorInfo, ExecutionView

if TYPE_CHECKING:
    from weir_local.result import Result


class Raises(Exception):
    """An operation fails in the script: the name of one of flow_api's exceptions, and its text."""

    def __init__(self, type_: str, message: str, execution: ExecutionView | None = None) -> None:
        super().__init__(message)
        self.error = ErrorInfo(type=type_, message=message, execution=execution)


class LocalError(Exception):
    """The call of the local backend is to be mended: a file, a flow, an argument."""


class LeftBehind(BaseException):
    """The thread belongs to a script that has ended."""


class NothingHappens(LocalError):
    """Every execution waits for something that will never come.

    Attributes:
        result: What had become of the run by then.
    """

    result: Result | None = None


def not_found(message: str) -> Raises:
    """There is no flow, connector, record or execution of that name."""
    return Raises("ResourceNotFoundError", message)


def denied(message: str) -> Raises:
    """The run may not do that."""
    return Raises("PermissionDenied", message)


def invalid(message: str) -> Raises:
    """An argument cannot be used."""
    return Raises("InvalidInputError", message)


def internal(message: str) -> Raises:
    """It could not be done, for a reason that is not the script's."""
    return Raises("InternalError", message)
