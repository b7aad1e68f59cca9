"""The exceptions that scripts meet.

    EngineException (= CloudomationException)    the root of all that `except Exception` catches
    ├─ InternalError                             Weir itself failed, or gave an unknown answer
    ├─ PermissionDenied                          this execution may not do that
    ├─ ResourceNotFoundError                     no flow, connector, … of that name
    ├─ DependencyFailedError                     an execution that was waited for did not succeed
    ├─ TimeoutExceededError                      a wait took longer than its timeout
    │   ├─ DependencyTimeoutError                … for executions
    │   ├─ LockTimeoutError                      … for a lock
    │   └─ MessageResponseTimeoutError           … for a person's answer
    ├─ MissingInputError                         a connection lacks an input
    ├─ InvalidInputError                         an input has the wrong type or value
    ├─ ExtraInputError                           an input that the connection does not know
    ├─ SchemaValidationError                     a value does not fit its schema
    └─ SchemaError                               a schema is not valid itself

    LifecycleSignal                              ends the run; `except Exception` does not catch it
    ├─ ExecutionSuccess
    ├─ ExecutionError
    └─ ExecutionCancel

The signals derive from `BaseException` and not from the root: an `except CloudomationException`
around a call is there for its failures and must not swallow the end of the run.
"""

from __future__ import annotations

from typing import Any, Protocol


class FailedExecution(Protocol):
    """What an error needs of the `flow_api.Execution` that it is about."""

    def get(self, *fields: str) -> Any:
        """Return fields as they were last seen."""
        ...

    def load(self, *fields: str) -> Any:
        """Return fields fresh from the server."""
        ...


class EngineException(Exception):
    """Root of the exceptions that a script may catch and handle."""


CloudomationException = EngineException


class InternalError(EngineException):
    """Weir could not do what was asked, for a reason that is not the script's."""


class PermissionDenied(EngineException):
    """The execution's rights do not suffice for what it asked."""


class ResourceNotFoundError(EngineException):
    """There is no flow, connector or execution of that name in the namespace."""


class DependencyFailedError(EngineException):
    """An execution that was waited for ended badly.

    The message names the execution at the bottom of the failure, and why it failed, at every level
    of a tree.

    Parameters:
        message: What failed, and why.
        execution: The failed execution that was waited for, ready for `.get('message')`; None if
            the script raised this by itself.
    """

    def __init__(self, message: str = "", execution: FailedExecution | None = None) -> None:
        super().__init__(message)
        self.execution = execution


class TimeoutExceededError(EngineException):
    """A wait took longer than its timeout."""


class DependencyTimeoutError(TimeoutExceededError):
    """The executions waited for had not ended when the timeout was over. They go on running."""


class LockTimeoutError(TimeoutExceededError):
    """A lock was not free in time."""


class MessageResponseTimeoutError(TimeoutExceededError):
    """Nobody answered a message in time."""


class MissingInputError(EngineException):
    """A connection needs an input that it was not given."""


class InvalidInputError(EngineException):
    """An input has the wrong type or a value that is not allowed."""


class ExtraInputError(EngineException):
    """A connection was given an input that its type does not know."""


class SchemaValidationError(EngineException):
    """A value does not fit its schema."""


class SchemaError(EngineException):
    """A schema is not valid itself."""


class LifecycleSignal(BaseException):
    """Ends the run. Raised by `this.success`, `this.error`, `this.end` and by cancellation.

    Parameters:
        message: The execution's last message; None leaves the one that was saved before.
    """

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message)
        self.message = message


class ExecutionSuccess(LifecycleSignal):
    """The run ends with status ENDED_SUCCESS."""


class ExecutionError(LifecycleSignal):
    """The run ends with status ENDED_ERROR."""


class ExecutionCancel(LifecycleSignal):
    """The run ends with status ENDED_CANCELLED. `finally` blocks have 15 seconds to clean up."""


_RAISED_BY_NAME: dict[str, type[EngineException]] = {
    raised.__name__: raised
    for raised in (
        InternalError,
        PermissionDenied,
        ResourceNotFoundError,
        TimeoutExceededError,
        DependencyTimeoutError,
        LockTimeoutError,
        MessageResponseTimeoutError,
        MissingInputError,
        InvalidInputError,
        ExtraInputError,
        SchemaValidationError,
        SchemaError,
    )
}


def named(name: str, message: str) -> EngineException:
    """Return the exception of that name, or an InternalError that says the unknown name."""
    known = _RAISED_BY_NAME.get(name)
    return known(message) if known else InternalError(f"{name}: {message}")
