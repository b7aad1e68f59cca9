"""Wrappers: what is done around a child, by `this.using(…)`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

from flow_api._children import return_when
from flow_api._exceptions import DependencyFailedError, DependencyTimeoutError
from flow_api._messages import send
from flow_api._system import ReturnWhen
from weir_protocol.arguments import CachedArguments, ChildArguments

if TYPE_CHECKING:
    from flow_api._execution import Execution

# Makes a child and waits for its success, at most so many seconds (None: for ever).
Attempt: TypeAlias = "Callable[[float | None], Execution]"

# Name: (option, default).
OPTIONS: dict[str, dict[str, Any]] = {
    "retry": {"max_tries": 3, "delay_sec": 10, "timeout_sec": 0, "archive_retries": True},
    "timeout": {"timeout_sec": None},
    "cache": {"max_age_minutes": 1440},
    "notify": {
        "on_error": True,
        "on_success": False,
        "notify_on_error": None,
        "notify_on_success": None,
        "subject": None,
        "body": None,
        "to": None,
    },
}


class Wrapped:
    """Starts children inside wrappers. The first wrapper is the outermost."""

    __slots__ = ("_parent", "_wrappers")

    def __init__(self, parent: Execution, wrappers: list[tuple[str, dict[str, Any]]]) -> None:
        self._parent = parent
        self._wrappers = [*wrappers[:-1], _checked(*wrappers[-1])]

    def using(self, wrapper: str, **options: Any) -> Wrapped:
        """Put another wrapper inside this one; the parameters are those of `this.using`.

        Example:
            >>> careful = this.using('cache').using('retry', max_tries=5, delay_sec=1)
            >>> careful.flow('greet', person='Ada').get('status')
            'ENDED_SUCCESS'
        """
        return Wrapped(self._parent, [*self._wrappers, (wrapper, options)])

    def flow(self, flow: str, /, *args: Any, **arguments: Any) -> Execution:
        """Run another flow inside the wrappers; the parameters are those of `this.flow`.

        Example:
            >>> this.using('timeout', timeout_sec=60).flow('greet', person='Ada').get('status')
            'ENDED_SUCCESS'
        """
        return self._run("flow", (flow, *args), arguments)

    def connect(self, *args: Any, **arguments: Any) -> Execution:
        """Connect inside the wrappers; the parameters are those of `this.connect`.

        Example:
            >>> url = 'https://example.com/path/to/repo.git'
            >>> retrying = this.using('retry', max_tries=2)
            >>> retrying.connect(connector_type='GIT', repository_url=url).get('status')
            'ENDED_SUCCESS'
        """
        return self._run("connect", args, arguments)

    def task(self, task_type: str, /, *args: Any, **arguments: Any) -> Execution:
        """Connect inside the wrappers: the older spelling.

        Example:
            >>> url = 'https://example.com/path/to/repo.git'
            >>> this.using('retry').task('GIT', repository_url=url).get('type')
            'CONNECTION'
        """
        return self._run("task", (task_type, *args), arguments)

    def script(self, source: str, /, *args: Any, **arguments: Any) -> Execution:
        """Run a script inside the wrappers; the parameters are those of `this.script`.

        Example:
            >>> source = 'def handler(system, this): pass'
            >>> this.using('timeout', timeout_sec=60).script(source).get('type')
            'SCRIPT'
        """
        return self._run("script", (source, *args), arguments)

    def _run(self, call: str, args: tuple[Any, ...], arguments: dict[str, Any]) -> Execution:
        way = return_when(arguments.pop("wait", True))
        for option in ("run", "save"):
            if not arguments.pop(option, True):
                raise TypeError(f"a wrapped child is made and started at once: no {option}=False")
        if way is None:
            raise TypeError("a wrapped child is waited for: no wait=False")
        template = getattr(self._parent, call)(*args, **arguments, save=False)
        attempt: Attempt = _Plain(self._parent, template)
        for wrapper, options in reversed(self._wrappers):
            attempt = _LAYERS[wrapper](self._parent, template, attempt, options)
        try:
            return attempt(None)
        except DependencyFailedError as error:
            if way == ReturnWhen.ALL_SUCCEEDED or error.execution is None:
                raise
            failed: Any = error.execution
            return failed  # type: ignore[no-any-return]


class _Plain:
    """The child itself."""

    def __init__(self, parent: Execution, template: Execution) -> None:
        self._parent = parent
        self._template = template

    def __call__(self, timeout: float | None) -> Execution:
        child = self._template.clone(wait=False)
        try:
            return child.wait(timeout=timeout)
        except DependencyTimeoutError:
            child.cancel()
            raise


def _retrying(
    parent: Execution, _template: Execution, attempt: Attempt, options: dict[str, Any]
) -> Attempt:
    tries, delay = options["max_tries"], options["delay_sec"]

    def retried(timeout: float | None) -> Execution:
        limit = _shorter(options["timeout_sec"] or None, timeout)
        for number in range(1, tries + 1):
            try:
                return attempt(limit)
            except (DependencyFailedError, DependencyTimeoutError) as error:
                if number == tries:
                    raise
                parent.log(f"try {number} of {tries} ended badly, the next comes in {delay:g} s")
                failed: Any = getattr(error, "execution", None)
                if failed is not None and options["archive_retries"]:
                    failed.archive()
                parent.sleep(delay)
        raise AssertionError("unreachable: the last try returns or raises")

    return retried


def _timed(
    _parent: Execution, _template: Execution, attempt: Attempt, options: dict[str, Any]
) -> Attempt:
    return lambda timeout: attempt(_shorter(options["timeout_sec"], timeout))


def _cached(
    parent: Execution, template: Execution, attempt: Attempt, options: dict[str, Any]
) -> Attempt:
    asked = template._asked
    assert asked is not None

    def cached(timeout: float | None) -> Execution:
        found = _find_cached(parent, asked, 60.0 * options["max_age_minutes"])
        return found or attempt(timeout)

    return cached


def _find_cached(parent: Execution, asked: ChildArguments, max_age: float) -> Execution | None:
    answer = parent._backend.perform(
        "cached",
        CachedArguments(
            flow=asked.flow,
            script=asked.script,
            connector=asked.connector,
            connector_type=asked.connector_type,
            inputs=asked.inputs,
            max_age=max_age,
        ),
    )
    if answer.error is not None:
        raise parent._exception(answer.error, ())
    if not answer.executions:
        return None
    view = dataclasses.replace(
        answer.executions[0], input_value=asked.inputs, output_value=answer.value or {}
    )
    return type(parent)(parent._backend, view, asked=asked)


def _notifying(
    parent: Execution, template: Execution, attempt: Attempt, options: dict[str, Any]
) -> Attempt:
    def notified(timeout: float | None) -> Execution:
        try:
            child = attempt(timeout)
        except (DependencyFailedError, DependencyTimeoutError) as error:
            if options["on_error"]:
                _notify(parent, template, f"failed: {error}", options)
            raise
        if options["on_success"]:
            _notify(parent, template, "succeeded", options)
        return child

    return notified


def _notify(parent: Execution, template: Execution, outcome: str, options: dict[str, Any]) -> None:
    subject = options["subject"] or f"{template.get('name')} {outcome.partition(':')[0]}"
    body = options["body"] or f"{template.get('name')} {outcome}"
    if options["to"]:
        body = f"To: {options['to']}\n\n{body}"
    send(parent._backend, str(subject), str(body))


_LAYERS: dict[str, Callable[[Execution, Execution, Attempt, dict[str, Any]], Attempt]] = {
    "retry": _retrying,
    "timeout": _timed,
    "cache": _cached,
    "notify": _notifying,
}


def _checked(wrapper: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the options of a wrapper, complete. Raises ValueError, TypeError."""
    known = OPTIONS.get(wrapper)
    if known is None:
        raise ValueError(f"there is no wrapper {wrapper!r}; there are {', '.join(OPTIONS)}")
    for option in options:
        if option not in known:
            raise TypeError(
                f"wrapper {wrapper!r} has no option {option!r}; it has {', '.join(known)}"
            )
    whole = {**known, **options}
    for older in ("on_error", "on_success"):
        if whole.get(f"notify_{older}") is not None:
            whole[older] = whole[f"notify_{older}"]
    for option, least in (("delay_sec", 0), ("timeout_sec", 0), ("max_age_minutes", 0)):
        if option in whole:
            _require_number(wrapper, option, whole[option], least)
    if "max_tries" in whole and (not isinstance(whole["max_tries"], int) or whole["max_tries"] < 1):
        raise ValueError(
            f"max_tries of {wrapper!r} is a number from 1 on, not {whole['max_tries']!r}"
        )
    return wrapper, whole


def _require_number(wrapper: str, option: str, value: Any, least: float) -> None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not sound or value < least:
        raise ValueError(f"{option} of {wrapper!r} is a number from {least} on, not {value!r}")


def _shorter(one: float | None, other: float | None) -> float | None:
    given = [float(seconds) for seconds in (one, other) if seconds is not None]
    return min(given, default=None)
