"""Calling a function once: `this.once`."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flow_api import _exceptions
from flow_api._exceptions import InternalError
from flow_api._values import printable
from weir_protocol import ErrorInfo
from weir_protocol.arguments import OnceArguments

if TYPE_CHECKING:
    from flow_api._backend import Backend

_MAX_TEXT = 10_000


def call_once(
    backend: Backend,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    checked: Callable[[Any, str], Any],
) -> Any:
    """Return what the journal holds of the function's call, or call it and record that.

    Raises:
        TypeError: It is no function, or what it returned is nothing that JSON can hold.
        Exception: What it raised, now or when it was called before.
    """
    if not callable(function):
        raise TypeError(
            f"once() calls a function, and {function!r} is none: leave out its parentheses"
        )
    name = _name(function)
    answer = backend.perform("once", OnceArguments(name=name, step="ask"))
    if answer.error is not None:
        raise _raised(function, answer.error)
    if answer.state == "done":
        return answer.value
    try:
        value = checked(called(function, args, kwargs), f"what {name} returned")
    except BaseException as error:
        failed = OnceArguments(
            name=name, step="failed", error_type=type(error).__name__, error_message=_text(error)
        )
        backend.perform("once", failed)
        raise
    answer = backend.perform("once", OnceArguments(name=name, step="done", value=value))
    if answer.error is not None:
        raise _exceptions.named(answer.error.type, answer.error.message)
    return value


def called(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call a function of the script: a runner may interrupt it here."""
    return function(*args, **kwargs)


def _name(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return printable(str(name).rpartition("<locals>.")[2])[:200]


def _raised(function: Callable[..., Any], error: ErrorInfo) -> BaseException:
    """Return an exception of the recorded name: Weir's, Python's, or the script's own."""
    for known in (vars(_exceptions), getattr(function, "__globals__", {}), vars(builtins)):
        kind = known.get(error.type)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            try:
                return kind(error.message)
            except Exception:  # it wants other arguments
                break
    return InternalError(f"{error.type}: {error.message}")


def _text(error: BaseException) -> str:
    # A KeyError shows its text with quotation marks, and would be made again with those.
    text = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else error
    try:
        return printable(str(text))[:_MAX_TEXT]
    except Exception:
        return ""
