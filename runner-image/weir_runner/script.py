"""Runs a script: compiles it, finds its handler, calls it."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from weir_runner import tracebacks
from weir_runner.interrupts import interruptible

if TYPE_CHECKING:
    import flow_api

# Under this name the script is found by what looks modules up, such as pickle and dataclasses. Not
# `__main__`: a script may have lines for being run by hand.
MODULE = "flow_script"

_FORMS = "handler(system, this) or handler(system, this, inputs)"


class NotRunnable(Exception):
    """The script cannot be run at all.

    Parameters:
        reason: A reason of the API: SyntaxError or NoHandler.
        message: What is wrong, and where.
        log: The same for the log, where there is more to show.
    """

    def __init__(self, reason: str, message: str, log: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.log = log or message


def run(
    source: str,
    filename: str,
    system: flow_api.System,
    this: flow_api.Execution,
    inputs: dict[str, Any],
) -> Any:
    """Run a script's handler and return what it returns.

    Parameters:
        source: Python source text.
        filename: How tracebacks name it.
        system, this, inputs: What the handler is called with; inputs only if it takes them.

    Raises:
        NotRunnable: It has a syntax error or no proper handler.
        BaseException: Whatever the script raises.
    """
    return call(load(source, filename), system, this, inputs)


def load(
    source: str, filename: str, place: Callable[[types.ModuleType], None] | None = None
) -> Any:
    """Run a script's own lines, as a module, and return its `handler`; None if it has none.

    Parameters:
        source, filename: Those of `run`.
        place: Puts the module where it is found by name, if not into `sys.modules`.

    Raises:
        NotRunnable: It has a syntax error.
        BaseException: Whatever its lines raise.
    """
    tracebacks.register(source, filename)
    try:
        code = compile(source, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as error:
        raise NotRunnable(
            "SyntaxError",
            tracebacks.message(error, filename),
            tracebacks.syntax_error(error, filename),
        ) from error
    module = types.ModuleType(MODULE)
    module.__file__ = filename
    if place is None:
        sys.modules[MODULE] = module
    else:
        place(module)
    _execute(code, module.__dict__)
    return module.__dict__.get("handler")


def call(
    handler: Any, system: flow_api.System, this: flow_api.Execution, inputs: dict[str, Any]
) -> Any:
    """Call a handler, with inputs if it takes them, and return what it returns.

    Raises:
        NotRunnable: It is no function that can be called so.
        BaseException: Whatever it raises.
    """
    if takes_inputs(handler):
        return _call(handler, (system, this, inputs))
    return _call(handler, (system, this))


def takes_inputs(handler: Any) -> bool:
    """Whether a handler takes the inputs as its third argument.

    Raises:
        NotRunnable: It is no function that can be called with two or three arguments.
    """
    if handler is None:
        raise NotRunnable("NoHandler", f"the script defines no handler; it must define {_FORMS}")
    if not callable(handler):
        raise NotRunnable(
            "NoHandler", f"handler is {type(handler).__name__}, no function; define {_FORMS}"
        )
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise NotRunnable(
            "NoHandler", f"handler is an async function; define {_FORMS} as a plain function"
        )
    if inspect.isgeneratorfunction(handler):
        raise NotRunnable(
            "NoHandler", "handler is a generator: a `yield` in it keeps its lines from running"
        )
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):
        return False
    for arguments in (3, 2):
        try:
            signature.bind(*[None] * arguments)
        except TypeError:
            continue
        return arguments == 3
    raise NotRunnable("NoHandler", f"handler takes other parameters: {signature}; define {_FORMS}")


# The two calls that lead into the script. Innermost functions of ours, so the script can be
# interrupted.


@interruptible
def _execute(code: types.CodeType, namespace: dict[str, Any]) -> None:
    exec(code, namespace)


@interruptible
def _call(handler: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return handler(*arguments)
